import { formatMinor } from '../amounts';

interface Sum {
  debits: bigint;
  credits: bigint;
  changes: number;
  lastOffset: number;
  readonly scale: number;
}

/** What the transfers of one transaction add to each account: one update of a row, however many transfers there are. */
export class BalanceSums {
  private readonly sums = new Map<number, Sum>();

  /** How many accounts have changed. */
  get size(): number {
    return this.sums.size;
  }

  /** @param amount minor units, at the scale of the accounts' ledger */
  move(debit: number, credit: number, amount: bigint, scale: number, offset: number): void {
    const payer = this.of(debit, scale);
    payer.debits += amount;
    payer.changes++;
    payer.lastOffset = offset;
    const payee = this.of(credit, scale);
    payee.credits += amount;
    payee.changes++;
    payee.lastOffset = offset;
  }

  /** Postgres' array literals, in the order of the handles: handle, debits, credits, changes, offset of the last one. */
  arrays(): string[] {
    const handles = Float64Array.from(this.sums.keys()).sort();
    const columns: string[][] = [[], [], [], [], []];
    for (const handle of handles) {
      const { debits, credits, changes, lastOffset, scale } = this.of(handle, 0);
      columns[0]?.push(String(handle));
      columns[1]?.push(formatMinor(debits, scale));
      columns[2]?.push(formatMinor(credits, scale));
      columns[3]?.push(String(changes));
      columns[4]?.push(String(lastOffset));
    }
    return columns.map((column) => `{${column.join(',')}}`);
  }

  private of(handle: number, scale: number): Sum {
    let sum = this.sums.get(handle);
    if (!sum) {
      sum = { debits: 0n, credits: 0n, changes: 0, lastOffset: -1, scale };
      this.sums.set(handle, sum);
    }
    return sum;
  }
}
