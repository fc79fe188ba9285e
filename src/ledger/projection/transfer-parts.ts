/**
 * The parts of `ledger.transfers`: each has the rows of a range of offsets, and indexes of its own. So what a row costs
 * does not grow with the history, and rows that there are many of get their indexes by sorting, at a fifth of the cost.
 */
import { type Database, type Queries, type Transaction } from './database';

/** Offsets of a part. Fewer would be more parts for a question to look into, more would be larger indexes to write into. */
export const PART_OFFSETS = 2 ** 21;

/** Which hardly any row has a place in: they cost nothing while it is filled. */
const SMALL_INDEXES = `
CREATE INDEX %_time ON ledger.% USING brin (time);
CREATE INDEX %_debit_effective ON ledger.% (debit_account, effective_time, log_offset) WHERE effective_time IS NOT NULL;
CREATE INDEX %_credit_effective ON ledger.% (credit_account, effective_time, log_offset) WHERE effective_time IS NOT NULL;
CREATE INDEX %_effective ON ledger.% (effective_time, log_offset) WHERE effective_time IS NOT NULL;
CREATE INDEX %_refers_to ON ledger.% (refers_to, log_offset) WHERE refers_to IS NOT NULL;
CREATE INDEX %_group ON ledger.% (group_id, log_offset) WHERE group_id IS NOT NULL;
`;
/** The two over accounts find the balance of an account at any offset, too: it stands in the last row before it. */
const LARGE_INDEXES = `
ALTER TABLE ledger.% ADD CONSTRAINT %_pkey PRIMARY KEY (partition, log_offset);
CREATE INDEX %_id ON ledger.% (id);
CREATE INDEX %_debit ON ledger.% (debit_account, log_offset);
CREATE INDEX %_credit ON ledger.% (credit_account, log_offset);
`;

/** Rows from `first` on and before `end`. */
export class TransferPart {
  readonly name: string;

  constructor(
    readonly first: number,
    readonly end: number,
  ) {
    this.name = `transfers_${first}`;
  }

  /** Its place among the others; nobody who reads has to wait for it, or it for them. */
  async create(transaction: Transaction, persistence: Database['persistence']): Promise<void> {
    const { name, first, end } = this;
    const unlogged = persistence === 'UNLOGGED' ? 'UNLOGGED ' : '';
    await transaction.script(`
      CREATE ${unlogged}TABLE ledger.${name} (LIKE ledger.transfers INCLUDING DEFAULTS INCLUDING CONSTRAINTS);
      ALTER TABLE ledger.transfers ATTACH PARTITION ledger.${name} FOR VALUES FROM (${first}) TO (${end});
      ${SMALL_INDEXES.replaceAll('%', name)}`);
  }

  /** @param patience milliseconds */
  async index(transaction: Transaction, patience: number): Promise<void> {
    await transaction.script(LARGE_INDEXES.replaceAll('%', this.name), patience);
  }
}

export class TransferParts {
  /** @param end the offset from which on there is no part yet; @param size offsets of a part */
  constructor(
    private end: number,
    readonly size: number,
  ) {}

  static async load(queries: Queries, size = PART_OFFSETS): Promise<TransferParts> {
    const { rows } = await queries.query(
      `SELECT coalesce(max(substring(pg_get_expr(c.relpartbound, c.oid) FROM 'TO \\(''?(\\d+)''?\\)')::bigint), 0)::text AS "end"
         FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'ledger.transfers'::regclass`,
    );
    return new TransferParts(Number(rows[0]?.['end']), size);
  }

  /** Whether rows up to an offset need a part that is not there. */
  lack(lastOffset: number): boolean {
    return lastOffset >= this.end;
  }

  /** The parts that rows of these offsets need and that are not there; they are to be made. */
  *open(firstOffset: number, lastOffset: number): Generator<TransferPart> {
    while (this.lack(lastOffset)) {
      const begin = Math.floor(Math.max(this.end, firstOffset) / this.size) * this.size;
      const first = Math.max(this.end, begin);
      this.end = begin + this.size;
      yield new TransferPart(first, this.end);
    }
  }
}
