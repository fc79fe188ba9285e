/**
 * Holds the rows against the state at their own place in the log: every account, balance and hold, how many rows there are, and
 * what the transfers add up to. What else a transfer's row says (its id, times, code, metadata, result) is not compared.
 */
import { formatMinor } from '../amounts';
import { type LedgerReader } from '../reader';
import { ResultCode } from '../result-codes';
import { compareDatedTotals } from './compare-dated-totals';
import { compareRunningTotals } from './compare-running-totals';
import { type Database, type Queries, type TextRow } from './database';
import { Differences } from './differences';

/** Accounts that are compared at a time. */
const PAGE = 5_000;

export interface Comparison {
  readonly accounts: number;
  readonly transfers: number;
  /** A sentence each; the last one may say how many more there are. */
  readonly differences: readonly string[];
}

/** @param onTransfers told now and then how many transfers it has been through, and of how many */
export async function compareRows(
  database: Database,
  reader: LedgerReader,
  onTransfers: (done: number, total: number) => void = () => undefined,
): Promise<Comparison> {
  const differences = new Differences();
  const counts = reader.counts();
  await compareCounts(database, reader, differences);
  for (let from = 1; from <= counts.accounts; from += PAGE) await comparePage(database, reader, from, differences);
  const transfers = transferRows(reader);
  // Expiries are rows, too: there may be some more.
  await compareRunningTotals(database, reader, differences, (done) =>
    onTransfers(Math.min(done, transfers), transfers),
  );
  await compareDatedTotals(database, reader, differences);
  return { accounts: counts.accounts, transfers, differences: differences.list() };
}

/** Records that are no repeats, and expiries; a record that nobody could decode is a row elsewhere. */
function transferRows(reader: LedgerReader): number {
  const { transfersByResult } = reader.counts();
  const all = transfersByResult.reduce((sum, count) => sum + count, 0);
  return all - (transfersByResult[ResultCode.MALFORMED_RECORD] ?? 0);
}

async function compareCounts(database: Queries, reader: LedgerReader, differences: Differences): Promise<void> {
  const { accounts, ledgers, transfers } = reader.counts();
  const expected = {
    ledgers,
    accounts,
    balances: accounts,
    transfers: transferRows(reader),
    'spent ids': transfers,
  };
  const { rows } = await database.query(
    `SELECT (SELECT count(*) FROM ledger.ledgers) AS ledgers, (SELECT count(*) FROM ledger.accounts) AS accounts,
            (SELECT count(*) FROM ledger.balances) AS balances,
            (SELECT count(*) FROM ledger.transfers WHERE kind <> 'expiry') AS transfers,
            (SELECT count(*) FROM ledger.transfers WHERE spends_id) AS "spent ids"`,
  );
  for (const [what, count] of Object.entries(expected)) {
    const found = Number(rows[0]?.[what]);
    // Ids that were forgotten (--dedup-age) stay in the rows.
    const isRight = what === 'spent ids' && reader.dedupAgeMs() > 0 ? found >= count : found === count;
    if (!isRight) differences.add(`The rows have ${found} ${what}, the state has ${count}.`);
  }
  await compareHolds(database, reader, differences);
}

async function compareHolds(database: Queries, reader: LedgerReader, differences: Differences): Promise<void> {
  for (let from = 1; reader.hold(from) !== undefined; from += PAGE) {
    const { rows } = await database.query(
      `SELECT number, amount, status FROM ledger.holds WHERE number >= $1::text::bigint AND number < $2::text::bigint`,
      [String(from), String(from + PAGE)],
    );
    const found = new Map(rows.map((row) => [Number(row['number']), row]));
    for (let number = from; number < from + PAGE; number++) {
      const hold = reader.hold(number);
      if (hold === undefined) break;
      const row = found.get(number);
      const minor = BigInt((row?.['amount'] ?? '-1').replace('.', ''));
      if (row?.['status'] === hold.status && minor === hold.amount) continue;
      differences.add(
        `Hold ${number} is ${row?.['status'] ?? 'missing'} of ${minor} minor units in the rows, ${hold.status} of ${hold.amount} in the state.`,
      );
    }
  }
}

async function comparePage(
  database: Queries,
  reader: LedgerReader,
  from: number,
  differences: Differences,
): Promise<void> {
  const { rows } = await database.query(
    `SELECT a.handle, a.name, a.ledger, a.min_balance, a.max_balance, a.closed::text, b.debits_posted, b.credits_posted,
            b.debits_pending, b.credits_pending, b.version
       FROM ledger.accounts a JOIN ledger.balances b ON b.account = a.handle
      WHERE a.handle >= $1::text::bigint AND a.handle < $2::text::bigint`,
    [String(from), String(from + PAGE)],
  );
  const found = new Map(rows.map((row) => [Number(row['handle']), row]));
  for (let handle = from; handle < from + PAGE; handle++) {
    const expected = rowOf(reader, handle);
    if (expected === undefined) break;
    const row = found.get(handle);
    for (const [column, value] of Object.entries(expected)) {
      if (row !== undefined && row[column] === value) continue;
      const says = row === undefined ? 'is missing' : `has ${column} ${row[column] ?? 'null'}`;
      differences.add(`Account "${expected['name']}" ${says} in the rows; the state has ${column} ${value ?? 'null'}.`);
      break;
    }
  }
}

function rowOf(reader: LedgerReader, handle: number): TextRow | undefined {
  const account = reader.accountByHandle(handle);
  const balance = reader.balance(handle);
  if (account === undefined || balance === undefined) return undefined;
  const text = (minor: bigint): string => formatMinor(minor, account.ledger.scale);
  const limit = (minor: bigint | undefined): string | null => (minor === undefined ? null : text(minor));
  return {
    name: account.name,
    ledger: account.ledger.code,
    min_balance: limit(account.minBalance),
    max_balance: limit(account.maxBalance),
    closed: String(account.closed),
    debits_posted: text(balance.debitsPosted),
    credits_posted: text(balance.creditsPosted),
    debits_pending: text(balance.debitsPending),
    credits_pending: text(balance.creditsPending),
    version: String(balance.version),
  };
}
