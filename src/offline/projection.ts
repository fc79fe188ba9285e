/** The rows of a stopped node: made anew from its log, or held against it. */
import { join } from 'node:path';
import type { FileSystem } from '../log/files';
import { compareRows, type Comparison } from '../ledger/projection/compare-rows';
import { type Database, DatabaseLostError, type ProjectionTarget } from '../ledger/projection/database';
import { EmbeddedDatabase } from '../ledger/projection/embedded-database';
import { EmbeddedFolder } from '../ledger/projection/embedded-folder';
import { PostgresDatabase } from '../ledger/projection/postgres-database';
import { rebuild, RebuildRefusedError, type Rebuilt } from '../ledger/projection/rebuild';
import type { NodeConfig } from '../node/config/node-config';
import { FIRST_GROUP } from '../node/data-directory';
import { StartupError } from '../node/startup-error';
import { readHeader } from '../log/batch';
import type { NodeIdentity } from '../raft/stable';
import type { OnProgress } from './finding';
import { auditLog, logFolder } from './log-audit';
import { ProjectionLog } from './projection-log';
import { ReadOnlyFiles } from './read-only-files';
import { scratchMachine } from './scratch-machine';
import { auditSnapshot, restoreFrom, snapshotFolder } from './snapshot-audit';
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
}

/** @returns undefined where there are no rows to be compared: no tables of this version, or an embedded folder that was not closed whole */
export async function checkProjection(options: ProjectionOptions): Promise<ProjectionReport | undefined> {
  const { clusterId } = await identityOf(options.files, options.dataDir);
  const database = await openRows(targetOf(options));
  if (!database) return undefined;
  try {
    const [there] = (await database.query(`SELECT to_regclass('ledger.holds')::text AS there`)).rows;
    if (typeof there?.['there'] !== 'string') return undefined;
    const { rows } = await database.query(
      'SELECT raft_index, cluster_id FROM ledger.checkpoint WHERE partition = $1::text::integer',
      [String(FIRST_GROUP)],
    );
    const index = Number(rows[0]?.['raft_index'] ?? 0);
    const owner = rows[0]?.['cluster_id'] ?? clusterId;
    if (owner !== clusterId) {
      return {
        index,
        accounts: 0,
        transfers: 0,
        differences: [`The rows are of cluster ${owner}, not of ${clusterId}.`],
      };
    }
    const onTransfers = (done: number, total: number): void => options.onProgress(done, total, 'transfers');
    const machine = await stateAt(options, index);
    try {
      return { index, ...(await compareRows(database, machine.reader, onTransfers)) };
    } finally {
      await machine.close();
    }
  } finally {
    await database.close();
  }
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

/** A replay up to the entry, from the newest snapshot below it or from the beginning. */
async function stateAt(
  { dataDir, files: given, onProgress }: ProjectionOptions,
  index: number,
): Promise<ReturnType<typeof scratchMachine>> {
  const files = new ReadOnlyFiles(given);
  const folder = join(dataDir, 'groups', String(FIRST_GROUP));
  let machine = scratchMachine(files, join(folder, 'snapshots'));
  let at = 0;
  for (const place of (await snapshotFolder(files, join(folder, 'snapshots'))).reverse()) {
    if (place.index > index) continue;
    const owner = { clusterId: undefined, group: FIRST_GROUP };
    const snapshot = await auditSnapshot(files, place, owner, () => undefined);
    if (!snapshot) continue;
    await machine.close();
    machine = await restoreFrom(files, snapshot);
    at = snapshot.meta.index;
    break;
  }
  const { segments } = await logFolder(files, join(folder, 'log'));
  for await (const item of auditLog({ files, group: FIRST_GROUP, segments })) {
    if (item.kind !== 'batch' || item.header.index <= at) continue;
    if (item.header.index > index) break;
    if (item.header.index !== at + 1) break;
    const header = readHeader(item.bytes);
    await machine.prepare(item.bytes, header);
    machine.apply(item.bytes, header);
    at = item.header.index;
    onProgress(at, index, 'entries');
  }
  if (at === index) return machine;
  throw new StartupError(
    `the rows reflect entry ${index}, the log of this directory can be replayed up to entry ${at} only: nothing can be compared`,
    1,
  );
}
