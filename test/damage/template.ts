import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LedgerClient, TransferInput } from '../../src/client';
import { DamagedCluster, NODES, until } from './damaged-cluster';

const KIB = 1024;
const START_MILLIS = 60_000;
const ROUNDS = 11;
/** Of a round; so there are some runs of ids at the end. */
const TRANSFERS = 40;
const NOBODY = 0x7fffffff;

export interface TemplateKind {
  /** Stopped in order, or copied while they ran: as after SIGKILL. */
  readonly stopped: boolean;
  /** The last node was away while the last writes were acknowledged by the two others. */
  readonly lagging: boolean;
  /** The oldest part of the log is dropped under snapshots. */
  readonly trimmed: boolean;
}

/** Three data directories with everything that was acknowledged in them. */
export interface Template {
  readonly kind: TemplateKind;
  /** Not running; a case is a copy of its folder. */
  readonly cluster: DamagedCluster;
  readonly records: readonly Buffer[];
  /** Every transfer that was made, and where it is. */
  readonly transfers: readonly MadeTransfer[];
}

export interface MadeTransfer {
  readonly input: TransferInput & { readonly id: string };
  readonly offset: number;
}

const FLAGS = {
  'election-timeout': '200ms-400ms',
  'heartbeat-interval': '50ms',
  'segment-bytes': '1MiB',
  'snapshot-bytes': '1MiB',
};

/** Runs a cluster, writes to it, and keeps what is on its disks then in `folder`. */
export async function makeTemplate(folder: string, kind: TemplateKind): Promise<Template> {
  const flags = { ...FLAGS, ...(kind.trimmed && { 'retention-bytes': '1MiB' }) };
  const running = await DamagedCluster.at(join(folder, 'running'), flags);
  const kept = running.movedTo(join(folder, 'kept'));
  try {
    const { records, transfers } = await life(running, kind);
    if (kind.stopped) await running.stopAll();
    running.copyTo(kept.folder);
    if (!kind.stopped) for (let n = 0; n < NODES; n++) leaveLock(kept.dataDir(n));
    return { kind, cluster: kept, records, transfers };
  } finally {
    await running.stopAll();
    rmSync(running.folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function life(
  cluster: DamagedCluster,
  { lagging }: TemplateKind,
): Promise<Pick<Template, 'records' | 'transfers'>> {
  await started(cluster, 0, true);
  for (let n = 1; n < NODES; n++) await started(cluster, n);
  const client = await cluster.client([0]);
  try {
    await until('three voters', START_MILLIS, async () => {
      const members = await client.members();
      return members.filter(({ suffrage }) => suffrage === 'voter').length === NODES;
    });
    await client.createLedgers([{ code: 'USD', scale: 2 }]);
    await client.openAccounts([
      { name: 'bank', ledger: 'USD', minBalance: null },
      { name: 'alice', ledger: 'USD' },
    ]);
    const records: Buffer[] = [];
    const transfers: MadeTransfer[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      if (lagging && round === ROUNDS - 3) await cluster.stop(NODES - 1);
      transfers.push(...(await write(client, round)));
      const { nextOffset } = await client.logRange();
      // At once: the oldest may be dropped by the end.
      records.push(...(await cluster.recordsOf(0, records.length, nextOffset)).values);
    }
    return { records, transfers };
  } finally {
    await client.close();
  }
}

async function started(cluster: DamagedCluster, n: number, bootstrap = false): Promise<void> {
  const failure = await cluster.start(n, bootstrap);
  if (failure !== undefined) throw new Error(`node-${n + 1} did not start.`, { cause: failure });
}

async function write(client: LedgerClient, round: number): Promise<MadeTransfer[]> {
  for (let i = 0; i < 5; i++) await client.produce(Buffer.alloc(60 * KIB, `${round} ${i} `));
  const transfers = Array.from({ length: TRANSFERS }, (_, i) => ({
    id: `00000000-0000-7000-8000-${String(round * 100 + i).padStart(12, '0')}`,
    debitAccount: 'bank',
    creditAccount: 'alice',
    amount: `${i + 1}.25`,
  }));
  const outcomes = await client.transfers(transfers);
  return outcomes.map(({ offset }, i) => ({ input: transfers[i]!, offset }));
}

/** The lock of a process that is not there any more; in truth it was this one's. */
function leaveLock(dataDir: string): void {
  writeFileSync(join(dataDir, 'lock'), JSON.stringify({ pid: NOBODY, start: '1' }));
}
