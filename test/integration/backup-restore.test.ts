import { copyFileSync, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from '../cli/node-command';
import { flipBit } from '../offline/written-directory';
import { ChangingCluster } from './changing-cluster';
import { documents, type Holdings, holdings, READY, repeatFirst, segmentsOf, startAll, write } from './new-clusters';

const THREE = ['node-1', 'node-2', 'node-3'];
const FLAGS = ['--segment-bytes', '1MiB', '--snapshot-bytes', '1MiB'];

describe('a backup of a running cluster', () => {
  const old = new ChangingCluster();
  const restored = new ChangingCluster();
  let before: Holdings;
  let file = '';

  beforeAll(async () => {
    await startAll(old, THREE, ['--bootstrap'], FLAGS);
    await old.ask('node-1', (client) => write(client, 40));
    before = await holdings(old, 'node-2');
    file = join(old.folder, 'ledger.backup');
  }, 180_000);

  afterAll(() => Promise.all([old.close(), restored.close()]));

  test('is made by a follower as well, while writes go on, and holds all that was acknowledged before', async () => {
    let writing = true;
    const others = old.ask('node-1', async (client) => {
      while (writing) await client.produce('meanwhile');
    });
    const [summary] = await documents(['backup', '--addr', old.node('node-3').addresses.rpc, '--to', file]);
    writing = false;
    await others;
    expect(summary).toMatchObject({ type: 'summary', nodeName: 'node-3', firstIndex: 1 });
    expect(summary!['nextOffset']).toBeGreaterThanOrEqual(before.nextOffset);
    expect(readdirSync(old.folder).filter((name) => name.endsWith('.part'))).toEqual([]);
    // Nothing is written over a backup.
    expect((await runCommand(['backup', '--addr', old.node('node-3').addresses.rpc, '--to', file])).code).toBe(2);
  }, 60_000);

  test('becomes a new cluster with the same records, offsets, balances and ids, which others join', async () => {
    const dataDir = join(restored.folder, 'node-1');
    const [summary] = await documents(['restore', '--from', file, '--data-dir', dataDir, '--node-name', 'node-1']);
    expect(summary).toMatchObject({ type: 'summary', nodeName: 'node-1', verified: { clean: true } });
    expect(summary!['clusterId']).not.toBe(summary!['oldClusterId']);
    await startAll(restored, THREE, []);
    for (const name of THREE) {
      const now = await holdings(restored, name);
      expect(now).toMatchObject({ alice: before.alice, funding: before.funding, firstOffset: 0 });
      expect(now.records.slice(0, before.records.length)).toEqual(before.records);
      await repeatFirst(restored, name);
    }
    expect((await restored.members()).size).toBe(3);
    // The old cluster knows nothing of it.
    expect([...(await old.members()).keys()].sort()).toEqual(THREE);
    expect((await holdings(old, 'node-1')).alice).toBe(before.alice);
  }, 180_000);

  test('that is damaged is refused with the place, and nothing is left', async () => {
    const spoilt = join(old.folder, 'spoilt.backup');
    copyFileSync(file, spoilt);
    flipBit(spoilt, 1_000_000);
    const dataDir = join(old.folder, 'from-spoilt');
    const { code, stderr } = await runCommand(['restore', '--from', spoilt, '--data-dir', dataDir]);
    expect(code).toBe(1);
    expect(Number(/at byte (\d+) /.exec(stderr)?.[1])).toBeLessThanOrEqual(1_000_000);
    expect(readdirSync(old.folder).filter((name) => name.startsWith('from-spoilt'))).toEqual([]);
  }, 60_000);

  test('is refused where a directory is in use, or not empty, or nobody answers', async () => {
    const { dataDir, addresses } = old.node('node-1');
    const target = join(old.folder, 'never');
    for (const args of [
      ['backup', '--data-dir', dataDir, '--to', target],
      ['verify', '--data-dir', dataDir],
      ['dump', '--data-dir', dataDir],
      ['recover', '--force-new-cluster', '--yes', '--data-dir', dataDir],
      ['restore', '--from', file, '--data-dir', dataDir],
      ['restore', '--from', target, '--data-dir', join(old.folder, 'new')],
      ['backup', '--to', target],
      ['backup', '--to', target, '--addr', addresses.rpc, '--data-dir', dataDir],
      ['recover', '--data-dir', dataDir],
    ]) {
      const { code, stdout, stderr } = await runCommand(args);
      expect([args.join(' '), code, stdout]).toEqual([args.join(' '), 2, '']);
      expect(stderr).toMatch(/^ledger-node: [^\n]{10,}\n$/);
    }
    const nobody = await runCommand(['backup', '--addr', '127.0.0.1:1', '--to', target]);
    expect(nobody).toMatchObject({ code: 1, stdout: '' });
    expect(existsSync(target)).toBe(false);
  }, 120_000);
});

describe('a backup of a stopped node whose log was shortened', () => {
  const old = new ChangingCluster();
  const restored = new ChangingCluster();
  afterAll(() => Promise.all([old.close(), restored.close()]));

  test('begins where its log begins, goes through a pipe, and is the same ledger again', async () => {
    await startAll(old, ['node-1'], ['--bootstrap'], [...FLAGS, '--retention-bytes', '1MiB']);
    await old.ask('node-1', (client) => write(client, 60));
    const before = await holdings(old, 'node-1');
    expect(before.firstOffset).toBeGreaterThan(0);
    await old.node('node-1').stop();
    const [backup] = [join(old.folder, 'offline.backup')];
    await documents(['backup', '--data-dir', old.node('node-1').dataDir, '--to', backup]);
    const dataDir = join(restored.folder, 'node-9');
    await documents(['restore', '--from', backup, '--data-dir', dataDir, '--node-name', 'node-9']);
    expect(segmentsOf(dataDir)[0]).toBe(segmentsOf(old.node('node-1').dataDir)[0]);
    await startAll(restored, ['node-9'], []);
    expect(await holdings(restored, 'node-9')).toEqual(before);
    await repeatFirst(restored, 'node-9');
    // The directory that it was made from starts as if nothing had been.
    old.node('node-1').start();
    await old.node('node-1').untilReady(READY);
    expect(await holdings(old, 'node-1')).toEqual(before);
  }, 180_000);
});
