/** Makes the rows anew from the log, beside those that are there, and puts them in their place at the end. */
import { mkdir, rename, rm } from 'node:fs/promises';
import { type ProjectorIdentity, tryLock } from './checkpoint';
import { type Database, type ProjectionTarget, type Queries } from './database';
import { EmbeddedDatabase } from './embedded-database';
import { PostgresDatabase } from './postgres-database';
import { ProjectionSession } from './session';
import { SHADOW, ShadowSchema } from './shadow-schema';
import { type ProjectionSource } from './source';
import { type TransactionFold } from './transaction-fold';

export interface RebuildOptions {
  readonly identity: ProjectorIdentity;
  readonly target: ProjectionTarget;
  /** The log; where it has nothing more to give, the rows are whole. */
  readonly source: ProjectionSource;
  /** Told after each transaction. */
  readonly onProgress: (records: number) => void;
}

export interface Rebuilt {
  readonly records: number;
  /** The last batch and the last record that the rows reflect. */
  readonly index: number;
  readonly offset: number;
}

/** Nothing was changed, for a reason that an operator can do something about. */
export class RebuildRefusedError extends Error {
  override readonly name = 'RebuildRefusedError';
}

/** What the server shows of the connections. */
const NAME = 'ledger-node rebuild';
const FETCH_BYTES = 1024 * 1024;
/** What is folded at once, while the database writes as much. */
const TRANSACTION_RECORDS = 65_536;
const TRANSACTION_BYTES = 32 * 1024 * 1024;

/** @throws RebuildRefusedError where somebody projects into the database, or it is another cluster's, or others depend on its tables */
export async function rebuild(options: RebuildOptions): Promise<Rebuilt> {
  const { target } = options;
  return target.kind === 'postgres' ? rebuildServer(options, target.url) : rebuildFolder(options, target.dir);
}

async function rebuildServer(options: RebuildOptions, url: string): Promise<Rebuilt> {
  const live = await PostgresDatabase.connect(url, NAME);
  try {
    if (!(await tryLock(live, options.identity.group))) {
      throw new RebuildRefusedError('A node projects into this database: stop it first.');
    }
    await refuseToReplace(live, options.identity.clusterId);
    await live.script(`SET check_function_bodies = off; DROP SCHEMA IF EXISTS ${SHADOW} CASCADE`);
    const openBeside = async (): Promise<Database> => new ShadowSchema(await PostgresDatabase.connect(url, NAME));
    const rebuilt = await fill(new ShadowSchema(live), options, openBeside);
    await live.transaction(async (transaction) => {
      // Above any epoch that a projector of the tables that go has had.
      await transaction.script(`
        DO $switch$ BEGIN
          IF to_regclass('ledger.checkpoint') IS NOT NULL THEN
            UPDATE ${SHADOW}.checkpoint SET epoch = epoch + (SELECT max(epoch) FROM ledger.checkpoint);
          END IF;
        END $switch$;
        DROP SCHEMA IF EXISTS ledger CASCADE;
        ALTER SCHEMA ${SHADOW} RENAME TO ledger;`);
    });
    return rebuilt;
  } finally {
    await live.close();
  }
}

async function rebuildFolder(options: RebuildOptions, dir: string): Promise<Rebuilt> {
  const beside = `${dir}.rebuild`;
  const before = `${dir}.before`;
  await rm(beside, { recursive: true, force: true });
  const database = await EmbeddedDatabase.open(beside);
  let rebuilt: Rebuilt;
  try {
    rebuilt = await fill(database, options);
  } finally {
    await database.close();
  }
  // A crash between the two leaves no folder, and the node makes one from the log.
  await rm(before, { recursive: true, force: true });
  await mkdir(dir, { recursive: true });
  await rename(dir, before);
  await rename(beside, dir);
  await rm(before, { recursive: true, force: true });
  return rebuilt;
}

/** Fills an empty database: all of it waits, so every part of the transfers gets its indexes when it is full. */
async function fill(
  database: Database,
  { identity, source, onProgress }: RebuildOptions,
  openBeside?: () => Promise<Database>,
): Promise<Rebuilt> {
  const { signal } = new AbortController();
  const session = await ProjectionSession.open(database, identity, signal, () => undefined, { openBeside });
  if (!session) throw new Error('A session that nobody aborted was not opened.');
  let records = 0;
  const next = async (): Promise<TransactionFold | undefined> => {
    const fold = session.begin();
    while (fold.records < TRANSACTION_RECORDS && fold.bytes < TRANSACTION_BYTES && !session.needsPart(fold)) {
      const { batches } = await source.fetch(fold.lastIndex + 1, FETCH_BYTES);
      if (batches.length === 0) break;
      await session.add(fold, batches);
    }
    return fold.bytes > 0 ? fold : undefined;
  };
  const committed = (count: number): void => onProgress((records += count));
  const first = await next();
  if (first) await session.write(first, { ahead: () => Infinity, next, committed });
  await database.script('ANALYZE ledger.accounts; ANALYZE ledger.transfers; ANALYZE ledger.balances');
  return { records, index: session.checkpoint.index, offset: session.checkpoint.offset };
}

async function refuseToReplace(live: Queries, clusterId: string): Promise<void> {
  const [there] = (await live.query(`SELECT to_regclass('ledger.checkpoint')::text AS there`)).rows;
  if (typeof there?.['there'] !== 'string') {
    const [foreign] = (await live.query(`SELECT to_regnamespace('ledger')::text AS schema`)).rows;
    if (typeof foreign?.['schema'] !== 'string') return;
    throw new RebuildRefusedError(
      'The database has a schema "ledger" that is not this program\'s: it is not replaced.',
    );
  }
  const [other] = (
    await live.query('SELECT cluster_id FROM ledger.checkpoint WHERE cluster_id <> $1 LIMIT 1', [clusterId])
  ).rows;
  if (other) {
    throw new RebuildRefusedError(
      `The database holds the rows of cluster ${other['cluster_id']}, this is ${clusterId}: they are kept.`,
    );
  }
  const [dependent] = (await live.query(DEPENDENTS)).rows;
  if (typeof dependent?.['names'] !== 'string') return;
  throw new RebuildRefusedError(
    `These depend on tables that would be replaced: ${dependent['names']}. Drop them, and make them again afterwards.`,
  );
}

/** Views of others on tables and views of the schema: dropping those would drop them, too. */
const DEPENDENTS = `
SELECT string_agg(DISTINCT format('%I.%I', n.nspname, c.relname), ', ') AS names
  FROM pg_depend d
  JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
  JOIN pg_class c ON c.oid = r.ev_class
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_class t ON d.refclassid = 'pg_class'::regclass AND t.oid = d.refobjid
  JOIN pg_namespace tn ON tn.oid = t.relnamespace
 WHERE tn.nspname = 'ledger' AND n.nspname <> 'ledger'`;
