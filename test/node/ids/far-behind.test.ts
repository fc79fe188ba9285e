/** Three real nodes on real disks, with runs of ids so small that there are some: one is away until the log it needs is gone. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LedgerClient, TransferInput } from '../../../src/client';
import { IDS } from '../../../src/node/ids/id-store';
import { runOf } from '../../../src/node/ids/run-format';
import { DamagedCluster, NODES, until } from '../../damage/damaged-cluster';

const PATIENCE = 120_000;
const KIB = 1024;
/** Rounds of a third of a MiB of log each; the log that is kept is one MiB. */
const ROUNDS = 15;
const TRANSFERS = 40;
const FLAGS = { 'segment-bytes': '1MiB', 'snapshot-bytes': '1MiB', 'retention-bytes': '1MiB' };

let folder: string;
let cluster: DamagedCluster;
let client: LedgerClient;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ledger-far-behind-'));
  cluster = await DamagedCluster.at(folder, FLAGS);
  for (let n = 0; n < NODES; n++) expect(await cluster.start(n, n === 0)).toBeUndefined();
  client = await cluster.client([0, 1]);
  await until('three voters', PATIENCE, async () => {
    const members = await client.members();
    return members.filter(({ suffrage }) => suffrage === 'voter').length === NODES;
  });
  await client.createLedgers([{ code: 'USD', scale: 2 }]);
  await client.openAccounts([
    { name: 'bank', ledger: 'USD', minBalance: null },
    { name: 'alice', ledger: 'USD' },
  ]);
}, PATIENCE);

afterAll(async () => {
  await client.close();
  await cluster.stopAll();
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}, PATIENCE);

function transfersOf(round: number): (TransferInput & { readonly id: string })[] {
  return Array.from({ length: TRANSFERS }, (_, i) => ({
    id:
      i % 2 === 0 ? `00000000-0000-7000-8000-${String(round * 100 + i).padStart(12, '0')}` : `order ${round * 100 + i}`,
    metadata: metadataOf(i),
    debitAccount: 'bank',
    creditAccount: 'alice',
    amount: '0.25',
  }));
}

/** None, some, or as much as there may be. */
function metadataOf(i: number): Buffer {
  return Buffer.alloc([0, 30, 1024][i % 3]!, `${i};`);
}

async function agree(): Promise<boolean> {
  const answers = await client.status({ stateHash: true });
  const groups = answers.flatMap(({ status }) => status?.groups[0] ?? []);
  return groups.length === NODES && new Set(groups.map((one) => `${one.appliedIndex} ${one.stateHash}`)).size === 1;
}

test(
  'a node that was away gets runs with the snapshot, knows every id, and leads with them',
  async () => {
    const away = NODES - 1;
    const [before] = await client.status({});
    await cluster.stop(away);
    const done = new Map<string, number>();
    for (let round = 0; round < ROUNDS; round++) {
      for (let i = 0; i < 5; i++) await client.produce(Buffer.alloc(60 * KIB, `${round} ${i} `));
      for (const { id, offset, result } of await client.transfers(transfersOf(round))) {
        expect(result).toBe('ok');
        done.set(id, offset);
      }
    }
    expect(await cluster.start(away)).toBeUndefined();
    await until('one state on all nodes', PATIENCE, agree);

    const returned = await cluster.client([away]);
    const [server] = (await returned.status({})).filter(({ address }) => address === cluster.rpcAddress(away));
    // What came first while it was away is not in its log: it came with a snapshot.
    const left = before!.status!.groups[0]!.lastIndex;
    expect(server?.status?.groups[0]?.firstIndex).toBeGreaterThan(left + 1);
    const runs = readdirSync(join(cluster.dataDir(away), 'groups', '0', IDS)).filter((file) => file.endsWith('.rows'));
    expect(runs.length).toBeGreaterThan(3);
    // Texts and metadata have left memory with their rows.
    expect(runs.every((file) => (runOf(file)?.extras ?? 0) > 64 * 200)).toBe(true);
    for (const [id, offset] of done) {
      expect(await returned.getTransfer(id, { consistency: 'stale' })).toMatchObject({ id, offset, result: 'ok' });
    }
    const shown = await returned.getTransfer('order 5', { consistency: 'stale' });
    expect(Buffer.from(shown.metadata)).toEqual(metadataOf(5));
    await returned.transferLeadership('node-3');
    for (let round = 0; round < ROUNDS; round++) {
      for (const { id, offset, replayed } of await client.transfers(transfersOf(round))) {
        expect([replayed, offset]).toEqual([true, done.get(id)]);
      }
    }
    await until('one state on all nodes', PATIENCE, agree);
    expect(cluster.fatal).toEqual([]);
    await returned.close();
  },
  3 * PATIENCE,
);
