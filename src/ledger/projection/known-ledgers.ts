import { type Database } from './database';

/** What the rows of transfers and accounts need of a ledger. Limits in minor units; undefined: none. */
export interface KnownLedger {
  readonly number: number;
  readonly code: string;
  readonly scale: number;
  readonly halfUp: boolean;
  readonly defaultMinBalance: bigint | undefined;
  readonly defaultMaxBalance: bigint | undefined;
}

/** All ledgers: there are few, and they never change. */
export class KnownLedgers {
  private readonly byNumber = new Map<number, KnownLedger>();
  private readonly byCode = new Map<string, KnownLedger>();

  get count(): number {
    return this.byNumber.size;
  }

  add(ledger: KnownLedger): void {
    if (this.byNumber.has(ledger.number) || this.byCode.has(ledger.code)) {
      throw new Error(`Ledger ${ledger.number} (${ledger.code}) is created by the log for the second time.`);
    }
    this.byNumber.set(ledger.number, ledger);
    this.byCode.set(ledger.code, ledger);
  }

  find(code: string): KnownLedger | undefined {
    return this.byCode.get(code);
  }

  /** @throws Error when no earlier record created it: outcomes name ledgers only after that */
  get(number: number): KnownLedger {
    const ledger = this.byNumber.get(number);
    if (!ledger) throw new Error(`An outcome names ledger ${number}, which no earlier record of the log created.`);
    return ledger;
  }
}

export async function loadLedgers(database: Database): Promise<KnownLedgers> {
  const { rows } = await database.query(
    `SELECT number::text, code, scale::text, rounding, default_min_balance::text AS min, default_max_balance::text AS max
       FROM ledger.ledgers ORDER BY number`,
  );
  const ledgers = new KnownLedgers();
  for (const row of rows) {
    ledgers.add({
      number: Number(row['number']),
      code: row['code'] ?? '',
      scale: Number(row['scale']),
      halfUp: row['rounding'] === 'half_up',
      defaultMinBalance: minorUnits(row['min']),
      defaultMaxBalance: minorUnits(row['max']),
    });
  }
  return ledgers;
}

/** They were written with as many decimals as the ledger has, and Postgres keeps those. */
export function minorUnits(text: string | null | undefined): bigint | undefined {
  return text === null || text === undefined ? undefined : BigInt(text.replace('.', ''));
}
