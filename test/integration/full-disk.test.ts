import { statfsSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LedgerError } from '../../src/client';
import { mountSmallDisk, sayNotRun, type SmallDisk } from '../support/small-disk';
import { ChangingCluster } from './changing-cluster';

const MIB = 1 << 20;
const PATIENCE = 60_000;
const SMALL = ['--segment-bytes', '1MiB'];
/** Nobody waits long for a write that a full disk refuses. */
const HURRY = { timeoutMs: 2_000 };

const cluster = new ChangingCluster();
const disks: SmallDisk[] = [];
const disk = mountSmallDisk(24 * MIB, join(cluster.folder, 'node-1'));
if (typeof disk === 'string') sayNotRun('nodes on a real disk that fills up', disk);
else disks.push(disk);

afterAll(async () => {
  await cluster.stopAll();
  for (const one of disks) one.unmount();
  await cluster.close();
});

async function http(name: string, path: string): Promise<{ status: number; body: string }> {
  const response = await fetch(`http://${cluster.node(name).addresses.http}${path}`);
  return { status: response.status, body: await response.text() };
}

async function saysFull(name: string): Promise<boolean> {
  return /^ledger_disk_full 1$/m.test(await cluster.node(name).metrics());
}

/** Leaves so many bytes free on node-1's disk. */
function fill({ path }: SmallDisk, left: number): () => void {
  const { bavail, bsize } = statfsSync(path);
  const filler = join(path, 'filler');
  writeFileSync(filler, Buffer.alloc(Math.max(0, bavail * bsize - left), 1));
  return () => unlinkSync(filler);
}

/** Runs only where there is a disk that can fill up; what is said above tells that it did not. */
function onSmallDisk(name: string, run: (disk: SmallDisk) => Promise<void>): void {
  const [small] = disks;
  if (small) test(name, () => run(small), 4 * PATIENCE);
  else test('a small disk that cannot be mounted says why', () => expect(disk).toMatch(/./));
}

onSmallDisk(
  'a node whose disk fills up refuses writes, serves reads, lives, and goes on when there is room',
  async () => {
    const node = await cluster.start('node-1', { flags: SMALL, first: ['--bootstrap'], again: [] });
    await node.untilReady(PATIENCE);
    const value = (n: number): Buffer => Buffer.concat([Buffer.from(`${n} `), Buffer.alloc(100_000, 'x')]);

    let written = 0;
    const refusal = await cluster.ask('node-1', async (client) => {
      for (; written < 1_000; written += 1) {
        try {
          expect(await client.produce(value(written), HURRY)).toBe(written);
        } catch (error) {
          return error;
        }
      }
      return undefined;
    });
    expect(refusal).toBeInstanceOf(LedgerError);
    expect(refusal).toMatchObject({ code: 'RESOURCE_EXHAUSTED', reason: 'DISK_FULL' });
    expect(written).toBeGreaterThan(50);

    // Everything that was acknowledged can be read, and the node says how it is.
    await cluster.ask('node-1', async (client) => {
      expect(await client.logRange()).toMatchObject({ nextOffset: written });
      for (const at of [0, Math.floor(written / 2), written - 1]) {
        expect(Buffer.from((await client.consume(at)).value).equals(value(at))).toBe(true);
      }
      expect((await client.status())[0]).toMatchObject({ status: { diskFull: true } });
    });
    expect(await http('node-1', '/readyz')).toMatchObject({
      status: 200,
      body: expect.stringContaining('disk is full') as string,
    });
    const body = JSON.stringify({
      from: 'A',
      to: 'B',
      amount: '1',
      request_id: 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
    });
    const refused = await fetch(`http://${node.addresses.http}/api/v1/transfers`, { method: 'POST', body });
    expect({ status: refused.status, body: await refused.json() }).toMatchObject({
      status: 429,
      body: { code: 'disk_full' },
    });
    expect(await saysFull('node-1')).toBe(true);

    // A stop in this state is a clean one, and so is a start: it finds what it left.
    expect(await node.stop()).toMatchObject({ code: 0 });
    node.start();
    await node.untilReady(PATIENCE);
    disks[0]?.resize(64 * MIB);
    await node.until('writes to be taken again', PATIENCE, async () => {
      try {
        return (await cluster.ask('node-1', (client) => client.produce(value(written), HURRY))) === written;
      } catch (error) {
        if (error instanceof LedgerError && error.reason === 'DISK_FULL') return false;
        throw error;
      }
    });
    expect(await saysFull('node-1')).toBe(false);
  },
);

onSmallDisk(
  'a leader whose disk is full hands over to a voter that has room, and follows without growing or dying',
  async (small) => {
    for (const name of ['node-2', 'node-3']) await cluster.start(name, { flags: SMALL });
    for (const name of ['node-2', 'node-3']) await cluster.untilVoter(name);
    const node = cluster.node('node-1');
    await cluster.ask('node-1', (client) => client.transferLeadership('node-1'));

    const makeRoom = fill(small, 2 * MIB);
    await cluster.until(
      'another leader',
      (members) => [...members.values()].some((one) => one.isLeader && one.name !== 'node-1'),
      'node-2',
    );
    const write = (): Promise<number> => cluster.ask('node-2', (client) => client.produce(Buffer.alloc(200_000, 'y')));
    for (let n = 0; n < 40; n += 1) await write();
    expect(await saysFull('node-1')).toBe(true);

    // Its disk takes nothing more: it stays behind, and what it has applied can be read.
    const offset = await write();
    expect(node.isRunning).toBe(true);
    expect(await http('node-1', '/healthz')).toMatchObject({ status: 200 });
    await cluster.ask('node-1', async (client) => expect((await client.consume(0)).offset).toBe(0));

    makeRoom();
    await node.until('the follower to catch up', PATIENCE, async () => {
      const found = /^ledger_log_next_offset\{group="0"\} (\d+)$/m.exec(await node.metrics());
      return Number(found?.[1]) > offset && !(await saysFull('node-1'));
    });
    expect(cluster.lines('node-1').filter((line) => Number(line['level']) >= 60)).toEqual([]);
  },
);
