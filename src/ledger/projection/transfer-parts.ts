/**
 * The parts of `ledger.transfers`: each has the rows of a range of offsets, and indexes of its own. So what a row costs
 * does not grow with the history, and rows that there are many of get their indexes by sorting, at a fifth of the cost.
 */
import { type Database, type Queries, type Transaction } from './database';

/** Offsets of a part. Fewer would be more parts for a question to look into, more would be larger indexes to write into. */
export const PART_OFFSETS = 2 ** 21;

/** Which hardly any row has a place in: they cost little while it is filled. */
const SMALL_INDEXES = `
CREATE INDEX %_debit_effective ON ledger.% (debit_account, effective_time, log_offset) WHERE effective_time IS NOT NULL;
CREATE INDEX %_credit_effective ON ledger.% (credit_account, effective_time, log_offset) WHERE effective_time IS NOT NULL;
CREATE INDEX %_effective ON ledger.% (effective_time, log_offset) WHERE effective_time IS NOT NULL;
CREATE INDEX %_refers_to ON ledger.% (refers_to, log_offset) WHERE refers_to IS NOT NULL;
CREATE INDEX %_group ON ledger.% (group_id, log_offset) WHERE group_id IS NOT NULL;
`;
/**
 * By how the name of each goes on behind the part's. The two over accounts find the balance of an account at any offset, too:
 * it stands in the last row before it. The one over times has an entry for the pages that are there when it is made.
 */
const LARGE_INDEXES = {
  id: '(id)',
  debit: '(debit_account, log_offset)',
  credit: '(credit_account, log_offset)',
  time: 'USING brin (time)',
} as const;
const LARGE = Object.entries(LARGE_INDEXES);

/**
 * Two million rows are sorted a fifth faster where what is sorted at once fits into the processor's cache than with the 64 MB of
 * a server's default. For the transaction only: a user's own indexes are made with what the user has set.
 */
const SORTING = `SET LOCAL maintenance_work_mem = '8MB'; SET LOCAL max_parallel_maintenance_workers = 0;`;
/** Milliseconds: an index over a part takes a second or two, on a machine that has nothing else to do. */
const INDEX_PATIENCE = 3600 * 1000;
/** Of whoever makes the large indexes of a part: "ledger", "indexes" in ASCII, shortened. */
const INDEX_LOCK = `pg_advisory_xact_lock(1818517351, 1768842355)`;

/** Rows from `first` on and before `end`. */
export class TransferPart {
  readonly name: string;

  /** @param end where it is to end; one that is filled ends where the batch ends that reaches it */
  constructor(
    readonly first: number,
    readonly end: number,
  ) {
    this.name = partName(first);
  }

  /** Without the large indexes, and not yet one of the parts: nobody who reads has to wait for it, or it for them. */
  async create(transaction: Transaction, persistence: Database['persistence']): Promise<void> {
    const unlogged = persistence === 'UNLOGGED' ? 'UNLOGGED ' : '';
    await transaction.script(`
      CREATE ${unlogged}TABLE ledger.${this.name} (LIKE ledger.transfers INCLUDING DEFAULTS INCLUDING CONSTRAINTS);
      ${SMALL_INDEXES.replaceAll('%', this.name)}`);
  }

  /** @param end the offset behind its last one */
  async attach(transaction: Transaction, end: number): Promise<void> {
    const { name, first } = this;
    await transaction.script(
      `ALTER TABLE ledger.transfers ATTACH PARTITION ledger.${name} FOR VALUES FROM (${first}) TO (${end})`,
    );
  }

  /** Its primary key and the large indexes, in the transaction that has made it: nobody else sees it yet. */
  async makeIndexes(transaction: Transaction): Promise<void> {
    const { name } = this;
    const key = `ALTER TABLE ledger.${name} ADD CONSTRAINT ${name}_pkey PRIMARY KEY (partition, log_offset)`;
    await transaction.script(`${SORTING} ${key}`, INDEX_PATIENCE);
    for (const [suffix, columns] of LARGE) await transaction.script(largeIndex(name, suffix, columns), INDEX_PATIENCE);
  }
}

/**
 * Makes what large indexes a part lacks, and its primary key, each in a transaction of its own; those who read the part do not
 * wait, and nobody writes to it. Another session that does the same for the same part comes first or last.
 */
export async function makeMissingIndexes(database: Database, part: string): Promise<void> {
  const key = `CREATE UNIQUE INDEX IF NOT EXISTS ${part}_pkey ON ledger.${part} (partition, log_offset);`;
  for (const index of [`${SORTING} ${key}`, ...LARGE.map(([suffix, columns]) => largeIndex(part, suffix, columns))]) {
    await database.transaction((transaction) => transaction.script(`SELECT ${INDEX_LOCK}; ${index}`, INDEX_PATIENCE));
  }
  await database.transaction((transaction) => transaction.script(declareKey(part)));
}

/**
 * An index is made a key within no time, but nobody may have the part meanwhile: where somebody reads it for long, those who come
 * after would wait behind this. So it is given up soon then, and the next session tries it again.
 */
function declareKey(part: string): string {
  return `
    SELECT ${INDEX_LOCK};
    SET LOCAL lock_timeout = '500ms';
    DO $declare$ BEGIN
      IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = 'ledger.${part}'::regclass AND contype = 'p') THEN
        ALTER TABLE ledger.${part} ADD CONSTRAINT ${part}_pkey PRIMARY KEY USING INDEX ${part}_pkey;
      END IF;
    EXCEPTION WHEN lock_not_available THEN
      NULL;
    END $declare$;`;
}

/** Names of the parts that lack one, because they were filled and the indexes were not made by the time that the projector ended. */
export async function partsWithoutIndexes(queries: Queries): Promise<string[]> {
  const names = LARGE.map(([suffix]) => `c.relname || '_${suffix}'`).join(', ');
  const { rows } = await queries.query(
    `SELECT c.relname::text AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
      WHERE i.inhparent = 'ledger.transfers'::regclass
        AND ((SELECT count(*) FROM pg_index x JOIN pg_class n ON n.oid = x.indexrelid
               WHERE x.indrelid = c.oid AND n.relname IN (${names})) < ${LARGE.length}
             OR NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'p'))
      ORDER BY c.oid`,
  );
  return rows.map((row) => row['name'] ?? '');
}

export class TransferParts {
  /** @param end the offset from which on there is no part yet; @param size offsets of a part */
  constructor(
    private behind: number,
    readonly size: number,
  ) {}

  static async load(queries: Queries, size = PART_OFFSETS): Promise<TransferParts> {
    const { rows } = await queries.query(
      `SELECT coalesce(max(substring(pg_get_expr(c.relpartbound, c.oid) FROM 'TO \\(''?(\\d+)''?\\)')::bigint), 0)::text AS "end"
         FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'ledger.transfers'::regclass`,
    );
    return new TransferParts(Number(rows[0]?.['end']), size);
  }

  /** The offset from which on there is no part yet. */
  get end(): number {
    return this.behind;
  }

  /** Whether rows up to an offset need a part that is not there. */
  lack(lastOffset: number): boolean {
    return lastOffset >= this.behind;
  }

  /** The parts that rows of these offsets need and that are not there; they are to be made. */
  *open(firstOffset: number, lastOffset: number): Generator<TransferPart> {
    while (this.lack(lastOffset)) yield this.next(firstOffset);
  }

  /** The next one, for rows from an offset on. */
  next(firstOffset: number): TransferPart {
    const begin = Math.floor(Math.max(this.behind, firstOffset) / this.size) * this.size;
    const first = Math.max(this.behind, begin);
    this.behind = begin + this.size;
    return new TransferPart(first, this.behind);
  }

  /** The newest part goes up to here: it was given more rows than it was made for. */
  stretch(end: number): void {
    this.behind = Math.max(this.behind, end);
  }
}

function partName(first: number): string {
  return `transfers_${first}`;
}

function largeIndex(part: string, suffix: string, columns: string): string {
  return `${SORTING} CREATE INDEX IF NOT EXISTS ${part}_${suffix} ON ledger.${part} ${columns};`;
}
