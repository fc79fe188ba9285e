import { formatMinor } from '../amounts';
import { type Quantity } from './exact-sum';

/** What an account that has a row of balances has come to. */
export interface ChangedBalance {
  readonly handle: number;
  readonly scale: number;
  /** What the database has. */
  readonly versionBefore: number;
  readonly version: number;
  readonly debits: Quantity;
  readonly credits: Quantity;
  readonly debitsPending: Quantity;
  readonly creditsPending: Quantity;
  readonly lastOffset: number;
}

/** Rows of balances that a transaction changes: one update of each, however many folds of records have changed it. */
export class BalanceUpdates {
  private readonly changed = new Map<number, ChangedBalance>();

  get size(): number {
    return this.changed.size;
  }

  /** What came after all that was added before. */
  add(balances: readonly ChangedBalance[]): void {
    for (const balance of balances) {
      const earlier = this.changed.get(balance.handle);
      this.changed.set(balance.handle, earlier ? { ...balance, versionBefore: earlier.versionBefore } : balance);
    }
  }

  clear(): void {
    this.changed.clear();
  }

  /**
   * Postgres' array literals, in the order of the handles: handle, version before, debits, credits, debits pending, credits
   * pending, version, offset of the last change.
   */
  arrays(): string[] {
    const sorted = [...this.changed.values()].sort((a, b) => a.handle - b.handle);
    const columns: (string | number)[][] = [[], [], [], [], [], [], [], []];
    for (const { scale, ...balance } of sorted) {
      const text = (quantity: Quantity): string => formatMinor(BigInt(quantity), scale);
      columns[0]?.push(balance.handle);
      columns[1]?.push(balance.versionBefore);
      columns[2]?.push(text(balance.debits));
      columns[3]?.push(text(balance.credits));
      columns[4]?.push(text(balance.debitsPending));
      columns[5]?.push(text(balance.creditsPending));
      columns[6]?.push(balance.version);
      columns[7]?.push(balance.lastOffset);
    }
    return columns.map((column) => `{${column.join(',')}}`);
  }
}
