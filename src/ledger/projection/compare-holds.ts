/** Holds `ledger.holds` against the state; who made a hold and what put an end to it stands at those transfers (compare-log.ts). */
import { formatMinor } from '../amounts';
import { type HoldView, type LedgerReader } from '../reader';
import { timeOrNull } from './compare-text';
import { type Queries } from './database';
import { type Differences } from './differences';

/** Holds that are compared at a time. */
const PAGE = 5_000;

export async function compareHolds(queries: Queries, reader: LedgerReader, differences: Differences): Promise<void> {
  let from = 1;
  for (; reader.hold(from) !== undefined; from += PAGE) await comparePage(queries, reader, from, differences);
  const { rows } = await queries.table(
    `SELECT number FROM ledger.holds WHERE number < 1 OR number >= $1::text::bigint ORDER BY 1 LIMIT 10`,
    [String(from)],
  );
  for (const [number] of rows) tooMuch(number ?? '', differences);
}

async function comparePage(
  queries: Queries,
  reader: LedgerReader,
  from: number,
  differences: Differences,
): Promise<void> {
  const { rows } = await queries.table(
    `SELECT number, debit_account, amount, expires_at, status, ended_offset FROM ledger.holds
      WHERE number >= $1::text::bigint AND number < $2::text::bigint`,
    [String(from), String(from + PAGE)],
  );
  const found = new Map(rows.map((row) => [Number(row[0]), row]));
  for (let number = from; number < from + PAGE; number++) {
    const hold = reader.hold(number);
    const row = found.get(number);
    if (hold !== undefined) compareHold(hold, row, reader, differences);
    else if (row !== undefined) tooMuch(String(number), differences);
  }
}

function compareHold(
  hold: HoldView,
  row: readonly (string | null)[] | undefined,
  reader: LedgerReader,
  differences: Differences,
): void {
  if (row === undefined) {
    differences.add(`Hold ${hold.number} is missing in the rows; the state has it.`);
    return;
  }
  const [, account, amount = null, expiresAt = null, status = null, endedOffset = null] = row;
  // Another account than it has is named at the transfer that made it.
  const ledger = reader.accountByHandle(Number(account))?.ledger;
  const columns = [
    ['amount', amount, ledger === undefined ? amount : formatMinor(hold.amount, ledger.scale)],
    ['expires_at', expiresAt, timeOrNull(hold.expiresAt)],
    ['status', status, hold.status],
    // Which one it is stands at the transfer that ended it.
    ['ended_offset', endedOffset, hold.status === 'pending' ? null : (endedOffset ?? 'one')],
  ] as const;
  for (const [column, found, expected] of columns) {
    if (found === expected) continue;
    differences.add(
      `Hold ${hold.number} has ${column} ${found ?? 'null'} in the rows; the state has ${column} ${expected ?? 'null'}.`,
    );
  }
}

function tooMuch(number: string, differences: Differences): void {
  differences.add(`The rows have a hold ${number}, the state has none.`);
}
