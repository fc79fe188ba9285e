import { formatMinor } from '../amounts';
import { plus, type Quantity } from './exact-sum';
import { type KnownAccount } from './known-account';

/** Microseconds of an hour and of a day; 0: the very moment. */
const BUCKETS = [0, 3_600_000_000, 86_400_000_000] as const;

interface Total {
  readonly account: KnownAccount;
  readonly byEffective: boolean;
  /** Index in {@link BUCKETS}. */
  readonly level: number;
  /** Begin of the bucket, in microseconds since the Unix epoch. */
  readonly at: number;
  debits: Quantity;
  credits: Quantity;
}

/**
 * What transfers that say when they count have moved on each account: by that time and by the time they were posted, each
 * summed up by moment, hour and day (UTC). The balance as of an effective time is the one as of that posting time, plus the
 * former, minus the latter.
 */
export class DatedTotals {
  private readonly totals = new Map<string, Total>();

  get size(): number {
    return this.totals.size;
  }

  /** @param effective when it counts, @param posted when it was done: microseconds since the Unix epoch */
  move(payer: KnownAccount, payee: KnownAccount, amount: Quantity, effective: number, posted: number): void {
    for (const [time, byEffective] of [
      [effective, true],
      [posted, false],
    ] as const) {
      // After the end of all books: it is never asked for.
      if (!Number.isSafeInteger(time)) continue;
      for (const [level, width] of BUCKETS.entries()) {
        const at = width === 0 ? time : Math.floor(time / width) * width;
        const from = this.of(payer, byEffective, level, at);
        from.debits = plus(from.debits, amount);
        const to = this.of(payee, byEffective, level, at);
        to.credits = plus(to.credits, amount);
      }
    }
  }

  /** Postgres' array literals: account, by effective time, level, begin in microseconds, debits, credits. */
  arrays(): string[] {
    const columns: (string | number)[][] = [[], [], [], [], [], []];
    for (const { account, at, byEffective, credits, debits, level } of this.totals.values()) {
      columns[0]?.push(account.handle);
      columns[1]?.push(String(byEffective));
      columns[2]?.push(level);
      columns[3]?.push(at);
      columns[4]?.push(formatMinor(BigInt(debits), account.ledger.scale));
      columns[5]?.push(formatMinor(BigInt(credits), account.ledger.scale));
    }
    return columns.map((column) => `{${column.join(',')}}`);
  }

  private of(account: KnownAccount, byEffective: boolean, level: number, at: number): Total {
    const key = `${account.handle} ${byEffective} ${level} ${at}`;
    let total = this.totals.get(key);
    if (!total) {
      total = { account, byEffective, level, at, debits: 0, credits: 0 };
      this.totals.set(key, total);
    }
    return total;
  }
}
