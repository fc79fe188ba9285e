/** Holds ledgers, accounts and balances against the state, every column of each. */
import { formatMinor } from '../amounts';
import { type LedgerReader, type LedgerView } from '../reader';
import { bytesText, type Expected, minorOrNull, timeOrNull, timeText } from './compare-text';
import { type Queries } from './database';
import { type Differences } from './differences';

/** Accounts that are compared at a time. */
const PAGE = 5_000;

type Columns = readonly (readonly [string, Expected])[];

/** Of each account, the record that changed its balance last; -1: none; undefined: not known. */
export type LastChangeOf = (handle: number) => number | undefined;

export async function compareLedgers(queries: Queries, reader: LedgerReader, differences: Differences): Promise<void> {
  const columns = ledgerColumns(undefined).map(([column]) => column);
  const { rows } = await queries.table(`SELECT ${columns.join(', ')} FROM ledger.ledgers ORDER BY number`);
  const found = new Map(rows.map((row) => [row[0] ?? '', row]));
  for (const ledger of reader.ledgers()) {
    compare(`Ledger "${ledger.code}"`, ledgerColumns(ledger), found.get(ledger.code), differences);
    found.delete(ledger.code);
  }
  for (const code of found.keys()) differences.add(`The rows have a ledger with code "${code}", the state has none.`);
}

export async function compareAccounts(
  queries: Queries,
  reader: LedgerReader,
  differences: Differences,
  lastChangeOf: LastChangeOf,
): Promise<void> {
  const { accounts } = reader.counts();
  for (let from = 1; from <= accounts; from += PAGE) {
    const columns = accountColumns(reader, from, lastChangeOf).map(([column]) => `${tableOf(column)}.${column}`);
    const { rows } = await queries.table(
      `SELECT ${columns.join(', ')}, a.handle FROM ledger.accounts a JOIN ledger.balances b ON b.account = a.handle
        WHERE a.handle >= $1::text::bigint AND a.handle < $2::text::bigint`,
      [String(from), String(from + PAGE)],
    );
    const found = new Map(rows.map((row) => [Number(row.at(-1)), row]));
    for (let handle = from; handle < Math.min(from + PAGE, accounts + 1); handle++) {
      const name = reader.accountByHandle(handle)?.name ?? '';
      compare(`Account "${name}"`, accountColumns(reader, handle, lastChangeOf), found.get(handle), differences);
    }
  }
  await compareOthers(queries, accounts, differences);
}

/** What is of no account that there is. */
async function compareOthers(queries: Queries, accounts: number, differences: Differences): Promise<void> {
  for (const [table, column] of [
    ['accounts', 'handle'],
    ['balances', 'account'],
    ['dated_totals', 'account'],
  ] as const) {
    const { rows } = await queries.table(
      `SELECT DISTINCT ${column} FROM ledger.${table} WHERE ${column} < 1 OR ${column} > $1::text::bigint ORDER BY 1 LIMIT 10`,
      [String(accounts)],
    );
    for (const [handle] of rows) {
      differences.add(`The rows have a row of ${table} with ${column} ${handle}, the state has no such account.`);
    }
  }
}

function compare(
  what: string,
  columns: Columns,
  found: readonly (string | null)[] | undefined,
  differences: Differences,
): void {
  if (found === undefined) {
    differences.add(`${what} is missing in the rows; the state has it.`);
    return;
  }
  for (const [i, [column, value]] of columns.entries()) {
    const there = found[i] ?? null;
    if (value === undefined || there === value) continue;
    differences.add(
      `${what} has ${column} ${there ?? 'null'} in the rows; the state has ${column} ${value ?? 'null'}.`,
    );
  }
}

/** The code is the first of them. */
function ledgerColumns(ledger: LedgerView | undefined): Columns {
  const scale = ledger?.scale ?? 0;
  return [
    ['code', ledger?.code],
    ['number', String(ledger?.number)],
    ['scale', String(scale)],
    ['auto_open', ledger?.autoOpen === true ? 't' : 'f'],
    ['rounding', ledger?.rounding],
    ['default_min_balance', minorOrNull(ledger?.defaultMinBalance, scale)],
    ['default_max_balance', minorOrNull(ledger?.defaultMaxBalance, scale)],
    ['created_at', timeText(ledger?.createdAt ?? 0)],
    ['created_offset', String(ledger?.offset)],
  ];
}

const OF_BALANCES = new Set([
  ...['debits_posted', 'credits_posted', 'debits_pending', 'credits_pending', 'posted', 'version', 'as_of_offset'],
]);

function tableOf(column: string): string {
  return OF_BALANCES.has(column) ? 'b' : 'a';
}

function accountColumns(reader: LedgerReader, handle: number, lastChangeOf: LastChangeOf): Columns {
  const account = reader.accountByHandle(handle);
  const balance = reader.balance(handle);
  if (account === undefined || balance === undefined) throw new Error(`The state has no account ${handle}.`);
  const { scale } = account.ledger;
  const lastChange = lastChangeOf(handle);
  return [
    ['name', account.name],
    ['ledger', account.ledger.code],
    ['min_balance', minorOrNull(account.minBalance, scale)],
    ['max_balance', minorOrNull(account.maxBalance, scale)],
    ['closed', account.closed ? 't' : 'f'],
    ['user_data', String(account.userData)],
    ['metadata', bytesText(account.metadata)],
    ['opened_at', timeText(account.openedAt)],
    ['opened_offset', String(account.offset)],
    ['imported_time', timeOrNull(account.importedTime)],
    ['debits_posted', formatMinor(balance.debitsPosted, scale)],
    ['credits_posted', formatMinor(balance.creditsPosted, scale)],
    ['debits_pending', formatMinor(balance.debitsPending, scale)],
    ['credits_pending', formatMinor(balance.creditsPending, scale)],
    ['posted', formatMinor(balance.posted, scale)],
    ['version', String(balance.version)],
    ['as_of_offset', lastChange === undefined ? undefined : String(lastChange)],
  ];
}
