/** The rows of a stopped node: made anew from its log, or held against it. */
import { join } from 'node:path';
import type { FileSystem } from '../log/files';
import { compareCheckpoint } from '../ledger/projection/compare-checkpoint';
import { compareDatedTotals } from '../ledger/projection/compare-dated-totals';
import { LogComparison } from '../ledger/projection/compare-log';
import { compareState, type Comparison, told, transferRows } from '../ledger/projection/compare-rows';
import { compareRunningTotals } from '../ledger/projection/compare-running-totals';
import { COMPARING } from '../ledger/projection/compare-text';
import { type Database, DatabaseLostError, type ProjectionTarget, type Queries } from '../ledger/projection/database';
import { Differences } from '../ledger/projection/differences';
import { EmbeddedDatabase } from '../ledger/projection/embedded-database';
import { EmbeddedFolder } from '../ledger/projection/embedded-folder';
import { PostgresDatabase } from '../ledger/projection/postgres-database';
import { rebuild, RebuildRefusedError, type Rebuilt } from '../ledger/projection/rebuild';
import type { NodeConfig } from '../node/config/node-config';
import { FIRST_GROUP } from '../node/data-directory';
import { StartupError } from '../node/startup-error';
import type { NodeIdentity } from '../raft/stable';
import type { OnProgress } from './finding';
import { ProjectionLog } from './projection-log';
import { ProjectionReplay, type ReplayBegin } from './projection-replay';
import { ReadOnlyFiles } from './read-only-files';
import { auditStable } from './stable-audit';

export interface ProjectionOptions {
  /** Nobody else may use it meanwhile: see withDirectory. */
  readonly dataDir: string;
  readonly files: FileSystem;
  readonly database: NodeConfig['database'];
  readonly onProgress: OnProgress;
}

export async function rebuildProjection(options: ProjectionOptions): Promise<Rebuilt> {
  const { dataDir, files, onProgress } = options;
  const { clusterId, nodeName } = await identityOf(files, dataDir);
  const source = await ProjectionLog.open(files, dataDir, onProgress);
  try {
    const identity = { clusterId, group: FIRST_GROUP, projector: nodeName };
    return await rebuild({ identity, target: targetOf(options), source, onProgress: () => undefined });
  } catch (error) {
    const isPlain = error instanceof RebuildRefusedError || error instanceof DatabaseLostError;
    throw isPlain ? new StartupError(error.message, 1) : error;
  } finally {
    await source.close();
  }
}

export interface ProjectionReport extends Comparison {
  /** The last entry of the log that the rows reflect. */
  readonly index: number;
  /** The first offset whose rows were held against the log: what comes before is in no log any more. */
  readonly comparedFrom: number;
}

/** Nothing can be compared from there: the log has a gap before the entry that the rows reflect. */
const GAP = Symbol('gap');

/** @returns undefined where there are no rows to be compared: no tables of this version, or an embedded folder that was not closed whole */
export async function checkProjection(options: ProjectionOptions): Promise<ProjectionReport | undefined> {
  const { clusterId } = await identityOf(options.files, options.dataDir);
  const database = await openRows(targetOf(options));
  if (!database) return undefined;
  try {
    for (const begin of ['oldest', 'newest'] as const) {
      const report = await database.transaction((queries) => compareFrom(begin, queries, clusterId, options));
      if (report !== GAP) return report;
    }
    throw new Error('A replay from the newest state has neither come to its end nor said why.');
  } finally {
    await database.close();
  }
}

/** @param queries of a transaction that begins here: what it reads is one state of the rows, whoever writes them meanwhile */
async function compareFrom(
  begin: ReplayBegin,
  queries: Queries,
  clusterId: string,
  options: ProjectionOptions,
): Promise<ProjectionReport | typeof GAP | undefined> {
  await queries.script(COMPARING);
  const [there] = (await queries.query(`SELECT to_regclass('ledger.holds')::text AS there`)).rows;
  if (typeof there?.['there'] !== 'string') return undefined;
  const { rows } = await queries.query(
    'SELECT raft_index, cluster_id FROM ledger.checkpoint WHERE partition = $1::text::integer',
    [String(FIRST_GROUP)],
  );
  const index = Number(rows[0]?.['raft_index'] ?? 0);
  const owner = rows[0]?.['cluster_id'] ?? clusterId;
  if (owner !== clusterId) {
    const differences = [`The rows are of cluster ${owner}, not of ${clusterId}.`];
    return { index, comparedFrom: 0, accounts: 0, transfers: 0, differences, found: 1 };
  }
  const replay = await ProjectionReplay.open(options, index, begin);
  try {
    return await compareWithLog(queries, replay, index, begin);
  } finally {
    await replay.close();
  }
}

async function compareWithLog(
  queries: Queries,
  replay: ProjectionReplay,
  index: number,
  begin: ReplayBegin,
): Promise<ProjectionReport | typeof GAP> {
  const differences = new Differences();
  const comparedFrom = replay.machine.nextOffset;
  if (comparedFrom > 0) {
    const rest = { before: comparedFrom, onRows: () => undefined };
    await compareRunningTotals(queries, replay.machine.reader, differences, rest);
  }
  const log = await LogComparison.open(queries, FIRST_GROUP, comparedFrom, differences);
  await replay.run(async (batch, header, apply) => {
    const pending = log.before(batch, header, replay.machine.reader);
    await log.after(pending, await apply(), replay.machine.reader);
  });
  if (replay.at < index) {
    if (begin === 'oldest') return GAP;
    throw new StartupError(
      `the rows reflect entry ${index}, the log of this directory can be replayed up to entry ${replay.at} only: nothing can be compared`,
      1,
    );
  }
  const { reader } = replay.machine;
  await compareCheckpoint(queries, FIRST_GROUP, await log.end(), differences);
  await compareState(queries, FIRST_GROUP, reader, differences, (handle) => log.lastChangeOf(handle));
  await compareDatedTotals(queries, reader, differences);
  const { accounts } = reader.counts();
  return { index, comparedFrom, accounts, transfers: transferRows(reader), ...told(differences) };
}

async function openRows(target: ProjectionTarget): Promise<Database | undefined> {
  if (target.kind === 'postgres') return PostgresDatabase.connect(target.url, 'ledger-node verify');
  // One that was not closed whole is made again by the node, and would be emptied by opening it.
  return (await EmbeddedFolder.isClean(target.dir)) ? EmbeddedDatabase.open(target.dir) : undefined;
}

function targetOf({ dataDir, database }: ProjectionOptions): ProjectionTarget {
  if (database.kind === 'postgres') return { kind: 'postgres', url: database.url };
  return { kind: 'embedded', dir: join(dataDir, 'projection') };
}

async function identityOf(given: FileSystem, dataDir: string): Promise<NodeIdentity> {
  const { identity } = await auditStable(new ReadOnlyFiles(given), dataDir, FIRST_GROUP, () => undefined);
  if (!identity || identity.clusterId === '') {
    throw new StartupError(`${dataDir} does not say which cluster it belongs to: there are no rows of it`, 1);
  }
  return identity;
}
