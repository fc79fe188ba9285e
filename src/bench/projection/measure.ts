/** How fast rows are written, made anew, and read, into one database. */
import { loadavg, tmpdir } from 'node:os';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Database, type ProjectionTarget } from '../../ledger/projection/database';
import { EmbeddedDatabase } from '../../ledger/projection/embedded-database';
import { PostgresDatabase } from '../../ledger/projection/postgres-database';
import { rebuild } from '../../ledger/projection/rebuild';
import { balanceThen } from '../../ledger/projection/past/balance-then';
import { type PastDatabase } from '../../ledger/projection/past/past-database';
import { PastEmbedded } from '../../ledger/projection/past/past-embedded';
import { PastServer } from '../../ledger/projection/past/past-server';
import { Backoff } from '../../ledger/projection/pause';
import { Projector } from '../../ledger/projection/projector';
import { type ProjectionStatus } from '../../ledger/projection/source';
import { accountName, type MadeIds, MadeLog } from './made-log';
import { MadeSource } from './made-source';

export interface ProjectionBench {
  readonly transfers: number;
  readonly accounts: number;
  readonly ids: MadeIds;
  /** Point-in-time reads of each kind. */
  readonly reads: number;
  /** A server to write to, of whose database nothing is kept; undefined: the embedded Postgres. */
  readonly url: string | undefined;
  readonly signal: AbortSignal;
  readonly onStep: (name: string) => void;
}

export interface ProjectionFigures {
  readonly database: string;
  readonly transfers: number;
  /** Of the first nine tenths, which are all there when it begins. */
  readonly caughtUpPerSecond: number;
  /** Of the last tenth, behind which nothing waits. */
  readonly asTheyComePerSecond: number;
  readonly rebuiltPerSecond: number;
  /** As the node asks for them. Milliseconds. */
  readonly atOffset: Percentiles;
  readonly atTime: Percentiles;
  /** At a time, by `ledger.balance_at`, as somebody would ask for it in SQL. */
  readonly inSql: Percentiles;
  readonly load: number;
}

interface Percentiles {
  readonly p50: number;
  readonly p99: number;
}

const IDENTITY = { clusterId: 'b'.repeat(32), group: 0, projector: 'bench' };
/** How much of the log is there when the projection begins. */
const THERE_BEFORE = 0.9;

export async function measureProjection(bench: ProjectionBench): Promise<ProjectionFigures> {
  const folder = mkdtempSync(join(tmpdir(), 'ledger-bench-'));
  const { url, onStep, transfers, accounts, ids } = bench;
  const target: ProjectionTarget = url
    ? { kind: 'postgres', url }
    : { kind: 'embedded', dir: join(folder, 'projection') };
  const name = url ? 'server' : 'embedded';
  try {
    onStep(`${name}: ${transfers} transfers are made`);
    const log = new MadeLog(transfers, accounts, ids);
    const before = Math.max(1, Math.floor(log.batches.length * THERE_BEFORE));
    const database = await open(target);
    await database.script('DROP SCHEMA IF EXISTS ledger CASCADE').finally(() => database.close());
    onStep(`${name}: catching up`);
    const caughtUpPerSecond = await project(bench, target, log, { from: 0, to: before, isBehind: true });
    onStep(`${name}: as they come`);
    const part = { from: before, to: log.batches.length, isBehind: false };
    const asTheyComePerSecond = await project(bench, target, log, part);
    onStep(`${name}: balances of the past`);
    const reads = await read(bench, target, log);
    onStep(`${name}: rebuild`);
    const rebuiltPerSecond = await rebuildAll(bench, target, log);
    const load = loadavg()[0] ?? 0;
    return { database: name, transfers, caughtUpPerSecond, asTheyComePerSecond, rebuiltPerSecond, ...reads, load };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function open(target: ProjectionTarget): Promise<Database> {
  return target.kind === 'postgres' ? PostgresDatabase.connect(target.url) : EmbeddedDatabase.open(target.dir);
}

/** The path of a running projection, without the other process in between. */
async function project(
  { signal }: ProjectionBench,
  target: ProjectionTarget,
  log: MadeLog,
  { from, to, isBehind }: { readonly from: number; readonly to: number; readonly isBehind: boolean },
): Promise<number> {
  const source = new MadeSource(log, to, isBehind);
  const done = new AbortController();
  const stop = (): void => done.abort();
  signal.addEventListener('abort', stop);
  let status: ProjectionStatus | undefined;
  let until = 0;
  const projector = new Projector({
    identity: IDENTITY,
    openDatabase: () => open(target),
    openBeside: target.kind === 'postgres' ? () => open(target) : undefined,
    source,
    onStatus: (now) => {
      status = now;
      if (now.state === 'paused' || now.checkpointIndex === to) stop();
      if (now.checkpointIndex === to) until ||= performance.now();
    },
    monotonic: () => performance.now(),
    backoff: new Backoff(1, 1),
  });
  await projector.run(done.signal);
  signal.removeEventListener('abort', stop);
  signal.throwIfAborted();
  if (status?.checkpointIndex !== to) throw new Error(`The projection is ${status?.state}: ${status?.why}.`);
  const first = from === 0 ? 0 : log.offsetBehind(from);
  return perSecond(log.offsetBehind(to) - first, until - (source.begun ?? until));
}

async function read(
  { accounts, reads, signal, url }: ProjectionBench,
  target: ProjectionTarget,
  log: MadeLog,
): Promise<Pick<ProjectionFigures, 'atOffset' | 'atTime' | 'inSql'>> {
  const database = await open(target);
  const embedded = new PastEmbedded();
  embedded.use(database);
  const past: PastDatabase = url ? new PastServer(url) : embedded;
  const some = (limit: number): number => Math.floor(Math.random() * limit);
  const first = log.lastTime - 40_000 * (log.batches.length - 2);
  const moment = (): number => first + some(log.lastTime - first);
  const account = (): number => 1 + some(accounts);
  const timed = async (ask: () => Promise<unknown>): Promise<Percentiles> => {
    const times: number[] = [];
    for (let i = 0; i < reads && !signal.aborted; i++) {
      const begun = performance.now();
      const answer = await ask();
      times.push(performance.now() - begun);
      if (answer === undefined) throw new Error('A balance of the past was not found.');
    }
    times.sort((a, b) => a - b);
    const at = (part: number): number => times[Math.floor((times.length - 1) * part)] ?? 0;
    return { p50: at(0.5), p99: at(0.99) };
  };
  const balanceAt = async (at: { offset: number } | { time: number; by: 'posting' }): Promise<unknown> =>
    (await balanceThen(past, IDENTITY.group, account(), at))?.balance;
  try {
    const atOffset = await timed(() => balanceAt({ offset: accounts + 1 + some(log.nextOffset - accounts - 1) }));
    const atTime = await timed(() => balanceAt({ time: moment(), by: 'posting' }));
    const inSql = await timed(async () => {
      const sql = `SELECT * FROM ledger.balance_at($1, timestamptz 'epoch' + $2::text::bigint * interval '1 microsecond')`;
      return (await database.query(sql, [accountName(account()), String(moment())])).rows[0];
    });
    return { atOffset, atTime, inSql };
  } finally {
    if (url) await past.close();
    await database.close();
  }
}

async function rebuildAll(bench: ProjectionBench, target: ProjectionTarget, log: MadeLog): Promise<number> {
  const source = new MadeSource(log, log.batches.length, true);
  const onProgress = (): void => bench.signal.throwIfAborted();
  await rebuild({ identity: IDENTITY, target, source, onProgress });
  return perSecond(log.nextOffset, performance.now() - (source.begun ?? 0));
}

function perSecond(count: number, ms: number): number {
  return Math.round((count * 1000) / ms);
}

export function projectionText(
  figures: readonly ProjectionFigures[],
  { accounts, ids }: Pick<ProjectionBench, 'accounts' | 'ids'>,
): string {
  const head = `Transfers between ${accounts} accounts, ids: ${ids}`;
  const ms = ({ p50, p99 }: Percentiles): string => `p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms`;
  const lines = figures.flatMap((one) => [
    `${one.database}, ${one.transfers} transfers (load average ${one.load.toFixed(1)})`,
    `  rows, catching up       ${one.caughtUpPerSecond}/s`,
    `  rows as they come       ${one.asTheyComePerSecond}/s`,
    `  rebuild                 ${one.rebuiltPerSecond} records/s`,
    `  balance at an offset    ${ms(one.atOffset)}`,
    `  balance at a time       ${ms(one.atTime)}`,
    `  the same in SQL         ${ms(one.inSql)}`,
  ]);
  return [head, ...lines].join('\n');
}
