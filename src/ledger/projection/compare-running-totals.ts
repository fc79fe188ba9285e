/**
 * Goes through all transfers in the order of their offsets, adds up what they moved, held and let go on each account, and holds
 * that against the totals that each row says its accounts had after it, and at the end against the state.
 */
import { formatMinor, MAX_SCALE } from '../amounts';
import { type AccountView, type LedgerReader } from '../reader';
import { type Queries, type TextRow } from './database';
import { type Differences } from './differences';

/** Rows that are fetched at a time. */
const PAGE = 10_000;

/** The index that has the rows in this order begins with the partition, of which there is one. */
const rowsBefore = (offset: number): string => `
  SELECT log_offset, debit_account, credit_account, amount_moved, amount_held, amount_released,
         payer_debits, payer_credits, payer_debits_pending, payer_credits_pending,
         payee_debits, payee_credits, payee_debits_pending, payee_credits_pending
    FROM ledger.transfers WHERE partition = 0 AND log_offset < ${offset} ORDER BY log_offset`;

const TOTALS = ['debits', 'credits', 'debits_pending', 'credits_pending'] as const;
type Totals = Record<(typeof TOTALS)[number], bigint>;

const NOTHING: Totals = { debits: 0n, credits: 0n, debits_pending: 0n, credits_pending: 0n };

export interface RunningTotalsOptions {
  /** Told how many rows it has been through. */
  readonly onRows: (done: number) => void;
  /** Rows from this offset on are left out: the state is the one before it. */
  readonly before?: number;
}

/** @param queries of a transaction: it reads through a cursor */
export async function compareRunningTotals(
  queries: Queries,
  reader: LedgerReader,
  differences: Differences,
  { before = Number.MAX_SAFE_INTEGER, onRows }: RunningTotalsOptions,
): Promise<void> {
  const sums = new Map<number, Totals>();
  await queries.query(`DECLARE transfers_in_order NO SCROLL CURSOR FOR ${rowsBefore(before)}`);
  let isEnd = false;
  for (let done = 0; !isEnd; onRows(done)) {
    const { rows } = await queries.query(`FETCH FORWARD ${PAGE} FROM transfers_in_order`);
    for (const row of rows) {
      addUp(row, 'payer', sums, reader, differences);
      addUp(row, 'payee', sums, reader, differences);
    }
    done += rows.length;
    isEnd = rows.length < PAGE;
  }
  await queries.query('CLOSE transfers_in_order');
  compareWithState(sums, reader, differences);
}

/** After a difference it goes on from what the row says, so that one wrong row is not a fault of all that come after it. */
function addUp(
  row: TextRow,
  party: 'payer' | 'payee',
  sums: Map<number, Totals>,
  reader: LedgerReader,
  differences: Differences,
): void {
  const side = party === 'payer' ? 'debit' : 'credit';
  const named = row[`${side}_account`] ?? null;
  // A refused transfer may name an account that does not exist.
  if (named === null) return;
  const account = reader.accountByHandle(Number(named));
  if (account === undefined) {
    differences.add(
      `The transfer at offset ${row['log_offset']} is of account ${named}, which the state does not have.`,
    );
    return;
  }
  const before = sums.get(account.handle) ?? NOTHING;
  const moved = unitsOf(row['amount_moved']);
  const pending = unitsOf(row['amount_held']) - unitsOf(row['amount_released']);
  const expected: Totals = {
    ...before,
    [`${side}s`]: before[`${side}s`] + moved,
    [`${side}s_pending`]: before[`${side}s_pending`] + pending,
  };
  const found = { ...NOTHING };
  for (const total of TOTALS) found[total] = unitsOf(row[`${party}_${total}`]);
  sums.set(account.handle, found);
  const wrong = TOTALS.find((total) => found[total] !== expected[total]);
  if (wrong === undefined) return;
  differences.add(
    `The transfer at offset ${row['log_offset']} has ${party}_${wrong} ${row[`${party}_${wrong}`] ?? 'null'} ` +
      `of account "${account.name}"; what was moved and held up to it comes to ${textOf(expected[wrong], account.ledger.scale)}.`,
  );
}

function compareWithState(sums: ReadonlyMap<number, Totals>, reader: LedgerReader, differences: Differences): void {
  for (let handle = 1; handle <= reader.counts().accounts; handle++) {
    const account = reader.accountByHandle(handle);
    const balance = reader.balance(handle);
    if (account === undefined || balance === undefined) return;
    const units = (minor: bigint): bigint => unitsOfMinor(minor, account.ledger.scale);
    const state: Totals = {
      ...{ debits: units(balance.debitsPosted), credits: units(balance.creditsPosted) },
      ...{ debits_pending: units(balance.debitsPending), credits_pending: units(balance.creditsPending) },
    };
    const found = sums.get(handle) ?? NOTHING;
    const wrong = TOTALS.find((total) => found[total] !== state[total]);
    if (wrong !== undefined) differences.add(sentence(account, wrong, found[wrong], state[wrong]));
  }
}

function sentence({ name, ledger }: AccountView, total: string, found: bigint, state: bigint): string {
  const text = (units: bigint): string => textOf(units, ledger.scale);
  return `The last transfer of account "${name}" leaves it with ${total} ${text(found)} in the rows; the state has ${text(state)}.`;
}

/** In units of the finest scale that a ledger can have. Null is zero; a part of a unit, which is no sum of amounts, is one more. */
function unitsOf(text: string | null | undefined): bigint {
  if (text === null || text === undefined) return 0n;
  const point = text.indexOf('.');
  const decimals = point < 0 ? '' : text.slice(point + 1);
  const whole = point < 0 ? text : text.slice(0, point);
  if (decimals.length <= MAX_SCALE) return BigInt(whole + decimals.padEnd(MAX_SCALE, '0'));
  const units = BigInt(whole + decimals.slice(0, MAX_SCALE));
  return /[1-9]/.test(decimals.slice(MAX_SCALE)) ? units + 1n : units;
}

function unitsOfMinor(minor: bigint, scale: number): bigint {
  return minor * 10n ** BigInt(MAX_SCALE - scale);
}

/** At the scale of the ledger, where it fits that. */
function textOf(units: bigint, scale: number): string {
  const unit = 10n ** BigInt(MAX_SCALE - scale);
  return units % unit === 0n ? formatMinor(units / unit, scale) : formatMinor(units, MAX_SCALE);
}
