/** How fast rows are written, made anew, and read, into one database. */
import { loadavg, tmpdir } from 'node:os';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Database, type ProjectionTarget } from '../../ledger/projection/database';
import { EmbeddedDatabase } from '../../ledger/projection/embedded-database';
import { PostgresDatabase } from '../../ledger/projection/postgres-database';
import { rebuild } from '../../ledger/projection/rebuild';
import { ProjectionSession } from '../../ledger/projection/session';
import { accountName, MadeLog } from './made-log';

export interface ProjectionBench {
  readonly transfers: number;
  readonly accounts: number;
  /** Point-in-time reads of each kind. */
  readonly reads: number;
  /** A server to write to, of whose database nothing is kept; undefined: the embedded Postgres. */
  readonly url: string | undefined;
  readonly signal: AbortSignal;
  readonly onStep: (name: string) => void;
}

export interface ProjectionFigures {
  readonly database: string;
  readonly rowsPerSecond: number;
  readonly rebuiltPerSecond: number;
  /** Milliseconds. */
  readonly atOffset: Percentiles;
  readonly atTime: Percentiles;
  readonly load: number;
}

interface Percentiles {
  readonly p50: number;
  readonly p99: number;
}

const IDENTITY = { clusterId: 'b'.repeat(32), group: 0, projector: 'bench' };
const TRANSACTION_RECORDS = 32_768;
const FETCH_BYTES = 1024 * 1024;

export async function measureProjection(bench: ProjectionBench): Promise<ProjectionFigures> {
  const folder = mkdtempSync(join(tmpdir(), 'ledger-bench-'));
  const { url } = bench;
  const target: ProjectionTarget = url
    ? { kind: 'postgres', url }
    : { kind: 'embedded', dir: join(folder, 'projection') };
  const name = url ? 'server' : 'embedded';
  try {
    bench.onStep(`${name}: ${bench.transfers} transfers as they come`);
    const log = new MadeLog(bench.transfers, bench.accounts);
    const written = await write(bench, target, log);
    bench.onStep(`${name}: balances of the past`);
    const database = await open(target);
    const reads = await read(bench, database, log).finally(() => database.close());
    bench.onStep(`${name}: rebuild`);
    const rebuiltPerSecond = await rebuildAll(bench, target);
    return { database: name, rowsPerSecond: written, rebuiltPerSecond, ...reads, load: loadavg()[0] ?? 0 };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function open(target: ProjectionTarget): Promise<Database> {
  return target.kind === 'postgres' ? PostgresDatabase.connect(target.url) : EmbeddedDatabase.open(target.dir);
}

/** The path of a running projection, without the other process in between. */
async function write(bench: ProjectionBench, target: ProjectionTarget, log: MadeLog): Promise<number> {
  const session = await ProjectionSession.open(await open(target), IDENTITY, bench.signal, () => undefined);
  if (!session) throw new Error('Somebody projects into the database that was given.');
  try {
    const begun = performance.now();
    for (let isMore = true; isMore && !bench.signal.aborted;) {
      const fold = session.begin();
      while (isMore && fold.records < TRANSACTION_RECORDS) {
        const { batches } = await log.fetch(fold.lastIndex + 1, FETCH_BYTES);
        isMore = batches.length > 0;
        await session.add(fold, batches);
      }
      if (fold.records > 0) await session.write(fold);
    }
    return perSecond(bench.transfers, performance.now() - begun - log.madeIn);
  } finally {
    await session.close();
  }
}

async function read(
  { accounts, reads, signal }: ProjectionBench,
  database: Database,
  log: MadeLog,
): Promise<Pick<ProjectionFigures, 'atOffset' | 'atTime'>> {
  const some = (limit: number): number => Math.floor(Math.random() * limit);
  const first = log.lastTime - 40_000 * Math.ceil(log.nextOffset / 8_190);
  const timed = async (ask: () => Promise<{ rows: readonly unknown[] }>): Promise<Percentiles> => {
    const times: number[] = [];
    for (let i = 0; i < reads && !signal.aborted; i++) {
      const begun = performance.now();
      const { rows } = await ask();
      times.push(performance.now() - begun);
      if (rows.length !== 1) throw new Error(`A balance of the past has ${rows.length} rows.`);
    }
    times.sort((a, b) => a - b);
    const at = (part: number): number => times[Math.floor((times.length - 1) * part)] ?? 0;
    return { p50: at(0.5), p99: at(0.99) };
  };
  const atOffset = await timed(() => {
    const asked = [1 + some(accounts), accounts + 1 + some(log.nextOffset - accounts - 1)].map(String);
    return database.query('SELECT * FROM ledger.balance_at_offset($1::text::bigint, $2::text::bigint)', asked);
  });
  const atTime = await timed(() => {
    const moment = String(first + 80_000 + some(log.lastTime - first - 80_000));
    const sql = `SELECT * FROM ledger.balance_at($1, timestamptz 'epoch' + $2::text::bigint * interval '1 microsecond')`;
    return database.query(sql, [accountName(1 + some(accounts)), moment]);
  });
  return { atOffset, atTime };
}

async function rebuildAll(bench: ProjectionBench, target: ProjectionTarget): Promise<number> {
  const source = new MadeLog(bench.transfers, bench.accounts);
  const begun = performance.now();
  await rebuild({ identity: IDENTITY, target, source, onProgress: () => bench.signal.throwIfAborted() });
  return perSecond(source.nextOffset, performance.now() - begun - source.madeIn);
}

function perSecond(count: number, ms: number): number {
  return Math.round((count * 1000) / ms);
}

export function projectionText(
  figures: readonly ProjectionFigures[],
  { transfers, accounts }: { transfers: number; accounts: number },
): string {
  const head = `${transfers} transfers between ${accounts} accounts`;
  const ms = ({ p50, p99 }: Percentiles): string => `p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms`;
  const lines = figures.flatMap((one) => [
    `${one.database} (load average ${one.load.toFixed(1)})`,
    `  rows as they come       ${one.rowsPerSecond}/s`,
    `  rebuild                 ${one.rebuiltPerSecond} records/s`,
    `  balance at an offset    ${ms(one.atOffset)}`,
    `  balance at a time       ${ms(one.atTime)}`,
  ]);
  return [head, ...lines].join('\n');
}
