import { type CopyRows } from './copy-rows';
import { type Queries } from './database';
import { narrowed, type Quantity } from './exact-sum';
import { minorUnits } from './known-ledgers';

export type HoldEnd = 'posted' | 'voided' | 'expired';

/** A hold that this transaction makes. */
export interface NewHold {
  readonly number: number;
  /** Of the pending transfer. */
  readonly offset: number;
  readonly debit: number;
  readonly credit: number;
  readonly amount: Quantity;
  readonly scale: number;
  /** Microseconds since the Unix epoch; undefined: never. */
  readonly expiresAt: number | undefined;
}

/** What one transaction does to holds: makes them, and says what became of them. */
export class ChangedHolds {
  private readonly made = new Map<number, NewHold>();
  private readonly ends = new Map<number, { readonly status: HoldEnd; readonly offset: number }>();
  /** Amounts of holds that were there before. */
  private readonly amounts = new Map<number, Quantity>();

  constructor(private readonly group: number) {}

  /** Holds that were there before and are posted, voided or expired. */
  get updates(): number {
    let count = 0;
    for (const number of this.ends.keys()) if (!this.made.has(number)) count++;
    return count;
  }

  make(hold: NewHold): void {
    if (this.made.has(hold.number)) throw new Error(`Hold ${hold.number} is made by the log for the second time.`);
    this.made.set(hold.number, hold);
  }

  end(number: number, status: HoldEnd, offset: number): void {
    if (this.ends.has(number)) throw new Error(`Hold ${number} is ended by the log for the second time.`);
    this.ends.set(number, { status, offset });
  }

  /** @throws Error where neither the database nor an earlier record has it */
  amountOf(number: number): Quantity {
    const amount = this.made.get(number)?.amount ?? this.amounts.get(number);
    if (amount === undefined)
      throw new Error(`An outcome names hold ${number}, which no earlier record of the log made.`);
    return amount;
  }

  /** Reads the amounts of those that the database has. */
  async load(database: Queries, numbers: readonly number[]): Promise<void> {
    if (numbers.length === 0) return;
    const { rows } = await database.query(
      'SELECT number, amount FROM ledger.holds WHERE partition = $1::text::integer AND number = ANY (ARRAY(SELECT unnest($2::text::bigint[])))',
      [String(this.group), `{${numbers.join(',')}}`],
    );
    for (const row of rows) this.amounts.set(Number(row['number']), narrowed(minorUnits(row['amount']) ?? 0n));
  }

  /** Rows of the holds that were made, as the transaction leaves them. */
  copyMade(rows: CopyRows): void {
    for (const hold of this.made.values()) {
      const end = this.ends.get(hold.number);
      rows.row();
      rows.int4(this.group);
      rows.int8(hold.number);
      rows.int8(hold.offset);
      rows.int8(hold.debit);
      rows.int8(hold.credit);
      rows.numeric(hold.amount, hold.scale);
      if (hold.expiresAt === undefined) rows.null();
      else rows.timestamptz(hold.expiresAt);
      rows.ascii(end?.status ?? 'pending');
      if (end === undefined) rows.null();
      else rows.int8(end.offset);
    }
  }

  /** Array literals of what became of holds that were there before: number, status, offset. */
  endArrays(): string[] {
    const columns: (string | number)[][] = [[], [], []];
    for (const [number, { status, offset }] of this.ends) {
      if (this.made.has(number)) continue;
      columns[0]?.push(number);
      columns[1]?.push(status);
      columns[2]?.push(offset);
    }
    return columns.map((column) => `{${column.join(',')}}`);
  }
}
