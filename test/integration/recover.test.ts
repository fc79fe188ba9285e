import { cpSync, existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from '../cli/node-command';
import { ChangingCluster } from './changing-cluster';
import { documents, holdings, READY, repeatFirst, startAll, write } from './new-clusters';

const THREE = ['node-1', 'node-2', 'node-3'];

describe('a majority that is lost', () => {
  const cluster = new ChangingCluster();
  afterAll(() => cluster.close());

  test('the third node goes on as a new cluster with everything that it had, and two new ones join it', async () => {
    await startAll(cluster, THREE, ['--bootstrap'], ['--segment-bytes', '1MiB', '--snapshot-bytes', '1MiB']);
    await cluster.ask('node-1', (client) => write(client, 30));
    // A linearizable read: what was acknowledged is on the survivor's disk.
    const before = await holdings(cluster, 'node-3');
    const leader = await cluster.leader('node-3');
    if (leader === 'node-3') await cluster.ask('node-3', (client) => client.transferLeadership('node-1'));
    await Promise.all(THREE.map((name) => cluster.node(name).kill9()));
    const oldDisk = join(cluster.folder, 'old-node-2');
    cpSync(cluster.node('node-2').dataDir, oldDisk, { recursive: true });
    for (const name of ['node-1', 'node-2']) rmSync(cluster.node(name).dataDir, { recursive: true });

    const { dataDir } = cluster.node('node-3');
    const asked = await runCommand(['recover', '--force-new-cluster', '--data-dir', dataDir]);
    expect(asked.code).toBe(2);
    expect(asked.stderr).toContain('LOST for ever');
    expect(asked.stderr).toContain('node-1, node-2');
    const [summary] = await documents(['recover', '--force-new-cluster', '--yes', '--data-dir', dataDir]);
    expect(summary).toMatchObject({ type: 'summary', nodeName: 'node-3', keptAs: `${dataDir}.before-recovery` });
    expect(existsSync(`${dataDir}.before-recovery`)).toBe(true);

    await (await cluster.start('node-3', { again: [] })).untilReady(READY);
    expect(await cluster.voters('node-3')).toEqual(['node-3']);
    for (const name of ['node-4', 'node-5']) {
      await (await cluster.start(name)).untilReady(READY);
      await cluster.untilVoter(name, 'node-3');
    }
    for (const name of ['node-3', 'node-4', 'node-5']) {
      const now = await holdings(cluster, name);
      expect(now).toMatchObject({ alice: before.alice, funding: before.funding, firstOffset: before.firstOffset });
      expect(now.records.slice(0, before.records.length)).toEqual(before.records);
      await repeatFirst(cluster, name);
    }

    // One of the dead comes back with its old disk: it belongs to the old cluster, and has no say and no part in this one.
    const gossip = cluster.node('node-3').addresses.gossip;
    const ghost = await cluster.startAlone('node-2', 'old-node-2', ['--start-join-addrs', gossip]);
    await ghost.saying('serving');
    await cluster.ask('node-4', (client) =>
      client.transfer({ debitAccount: 'funding', creditAccount: 'Alice', amount: '0.25' }),
    );
    expect([...(await cluster.members('node-4')).keys()].sort()).toEqual(['node-3', 'node-4', 'node-5']);
    ghost.signal('SIGTERM');
    expect((await ghost.ended).code).toBe(0);
    expect(ghost.lines().some((line) => line['msg'] === 'leader' && line['leader'] !== 'none')).toBe(false);
  }, 240_000);
});
