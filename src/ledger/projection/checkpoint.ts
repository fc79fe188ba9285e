import { type Database, type Transaction } from './database';

/** How far the rows have come, and which projector may go on. */
export interface Checkpoint {
  /** The last batch that the rows reflect; 0: none. */
  readonly index: number;
  /** The last record; -1: none. */
  readonly offset: number;
  /** SHA-256 of that batch, which the next one names; zeros before the first. */
  readonly hash: Buffer;
}

/** Who projects: the cluster and group whose log it is, and a name that other nodes show to people. */
export interface ProjectorIdentity {
  readonly clusterId: string;
  readonly group: number;
  readonly projector: string;
}

/** A projector that was replaced by another one while it did not notice. */
export class FencedError extends Error {
  override readonly name = 'FencedError';
}

/** `ledg` in ASCII: advisory locks are shared by all programs of a database. */
const LOCK_CLASS = 0x6c656467;

/**
 * Takes the lock that one projector at a time holds, for as long as the session lives.
 * @returns whether it was free
 */
export async function tryLock(database: Database, group: number): Promise<boolean> {
  const { rows } = await database.query(
    'SELECT pg_try_advisory_lock($1::text::integer, $2::text::integer)::text AS mine',
    [String(LOCK_CLASS), String(group)],
  );
  return rows[0]?.['mine'] === 'true';
}

/**
 * Makes the caller the one projector, from here on, by an epoch above all earlier ones. The lock alone is not enough: a
 * pooler between here and the server may lose it without a word.
 * @throws Error where the database holds another cluster's rows
 */
export async function claimCheckpoint(
  transaction: Transaction,
  { clusterId, group, projector }: ProjectorIdentity,
): Promise<{ checkpoint: Checkpoint; epoch: string }> {
  const foreign = await transaction.query('SELECT cluster_id FROM ledger.checkpoint WHERE cluster_id <> $1 LIMIT 1', [
    clusterId,
  ]);
  if (foreign.rows[0]) {
    throw new Error(
      `The database holds the rows of cluster ${foreign.rows[0]['cluster_id']}, this node is of cluster ${clusterId}: ` +
        `give it another database, or remove the schema "ledger" from this one.`,
    );
  }
  const { rows } = await transaction.query(
    `INSERT INTO ledger.checkpoint AS mine (partition, cluster_id, raft_index, log_offset, batch_hash, epoch, projector)
     VALUES ($1::text::integer, $2, 0, -1, decode(repeat('00', 32), 'hex'), 1, $3)
     ON CONFLICT (partition) DO UPDATE SET epoch = mine.epoch + 1, projector = excluded.projector
     RETURNING raft_index::text, log_offset::text, encode(batch_hash, 'hex') AS hash, epoch::text`,
    [String(group), clusterId, projector],
  );
  const row = rows[0];
  if (!row) throw new Error('Claiming the checkpoint returned no row; expected exactly one.');
  return {
    checkpoint: {
      index: safeInteger(row['raft_index']),
      offset: safeInteger(row['log_offset']),
      hash: Buffer.from(row['hash'] ?? '', 'hex'),
    },
    epoch: row['epoch'] ?? '',
  };
}

/**
 * Moves the checkpoint in the transaction of the rows, before them: the row's lock keeps any other projector waiting, and
 * whoever comes second finds another epoch or index and writes nothing.
 * @param batchTime microseconds since the Unix epoch
 * @throws FencedError when it is not where this projector left it
 */
export async function advanceCheckpoint(
  transaction: Transaction,
  group: number,
  epoch: string,
  from: Checkpoint,
  to: Checkpoint & { readonly batchTime: number },
): Promise<void> {
  const { affected } = await transaction.query(
    `UPDATE ledger.checkpoint
        SET raft_index = $1::text::bigint, log_offset = $2::text::bigint, batch_hash = decode($3::text, 'hex'),
            batch_time = timestamptz 'epoch' + $4::text::bigint * interval '1 microsecond', updated_at = clock_timestamp()
      WHERE partition = $5::text::integer AND epoch = $6::text::bigint AND raft_index = $7::text::bigint`,
    [to.index, to.offset, to.hash.toString('hex'), to.batchTime, group, epoch, from.index].map(String),
  );
  if (affected !== 1) {
    throw new FencedError(
      `Another node has taken over this database at Raft index ${from.index}; nothing was written.`,
    );
  }
}

function safeInteger(text: string | null | undefined): number {
  const value = Number(text);
  if (text === null || text === undefined || !Number.isSafeInteger(value)) {
    throw new Error(`The checkpoint in the database has "${text}" where a whole number was expected.`);
  }
  return value;
}
