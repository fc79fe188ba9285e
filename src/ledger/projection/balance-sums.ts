import { formatMinor } from '../amounts';

/** Totals in two parts: what doubles add up exactly, and the rest. */
interface Sum {
  debits: number;
  debitsBeyond: bigint;
  credits: number;
  creditsBeyond: bigint;
  changes: number;
  lastOffset: number;
  readonly scale: number;
}

/** Of the small part: a sum of two numbers below it is exact. */
const SMALL = 2 ** 52;

/** What the transfers of one transaction add to each account: one update of a row, however many transfers there are. */
export class BalanceSums {
  private readonly sums = new Map<number, Sum>();

  /** How many accounts have changed. */
  get size(): number {
    return this.sums.size;
  }

  /** @param amount minor units, at the scale of the accounts' ledger; a number where it is below 2^52 */
  move(debit: number, credit: number, amount: bigint | number, scale: number, offset: number): void {
    const payer = this.of(debit, scale);
    if (typeof amount === 'number' && payer.debits + amount < SMALL) payer.debits += amount;
    else payer.debitsBeyond += BigInt(amount);
    payer.changes++;
    payer.lastOffset = offset;
    const payee = this.of(credit, scale);
    if (typeof amount === 'number' && payee.credits + amount < SMALL) payee.credits += amount;
    else payee.creditsBeyond += BigInt(amount);
    payee.changes++;
    payee.lastOffset = offset;
  }

  /** Postgres' array literals, in the order of the handles: handle, debits, credits, changes, offset of the last one. */
  arrays(): string[] {
    const handles = Float64Array.from(this.sums.keys()).sort();
    const columns: string[][] = [[], [], [], [], []];
    for (const handle of handles) {
      const { debits, debitsBeyond, credits, creditsBeyond, changes, lastOffset, scale } = this.of(handle, 0);
      columns[0]?.push(String(handle));
      columns[1]?.push(formatMinor(BigInt(debits) + debitsBeyond, scale));
      columns[2]?.push(formatMinor(BigInt(credits) + creditsBeyond, scale));
      columns[3]?.push(String(changes));
      columns[4]?.push(String(lastOffset));
    }
    return columns.map((column) => `{${column.join(',')}}`);
  }

  private of(handle: number, scale: number): Sum {
    let sum = this.sums.get(handle);
    if (!sum) {
      sum = { debits: 0, debitsBeyond: 0n, credits: 0, creditsBeyond: 0n, changes: 0, lastOffset: -1, scale };
      this.sums.set(handle, sum);
    }
    return sum;
  }
}
