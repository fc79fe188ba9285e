import { formatMinor } from '../../../src/ledger/amounts';
import { type LedgerReader } from '../../../src/ledger/reader';
import { type Queries, type TextRow } from '../../../src/ledger/projection/database';
import { type Event, eventsOf, isTransferRow } from './expected-transfers';
import { type History } from './history';

interface Totals {
  debits: bigint;
  credits: bigint;
  debitsPending: bigint;
  creditsPending: bigint;
}

const NO_ACCOUNT = (name: string): TextRow => ({
  [`${name}_debits`]: null,
  [`${name}_credits`]: null,
  [`${name}_debits_pending`]: null,
  [`${name}_credits_pending`]: null,
});

/** How many offsets the database is asked about, each for every account. */
const ASKED = 6;

/**
 * What each row says of its two accounts is what adding up the outcomes so far comes to, and the database finds the
 * balance of every account at an offset and at a time.
 */
export async function expectBalanceHistory(
  database: Queries,
  reader: LedgerReader,
  history: History,
  index: number,
): Promise<void> {
  const accounts = reader.accountsFrom(1, Number.MAX_SAFE_INTEGER);
  const scales = new Map(accounts.map(({ handle, ledger }) => [handle, ledger.scale]));
  const totals = new Map<number, Totals>();
  const of = (handle: number): Totals => {
    const found = totals.get(handle) ?? { debits: 0n, credits: 0n, debitsPending: 0n, creditsPending: 0n };
    totals.set(handle, found);
    return found;
  };
  const events = eventsOf(history, index);
  const step = Math.max(1, Math.floor(events.length / ASKED));
  const asked: { event: Event; totals: TextRow }[] = [];
  const expected: TextRow[] = [];
  events.filter(isTransferRow).forEach((event, i) => {
    addUp(event, reader, of);
    expected.push(rowOf(event, of, scales));
    if (i % step === step - 1) asked.push({ event, totals: allOf(totals, scales) });
  });
  const { rows } = await database.query(
    `SELECT log_offset, payer_debits, payer_credits, payer_debits_pending, payer_credits_pending, payee_debits,
            payee_credits, payee_debits_pending, payee_credits_pending FROM ledger.transfers ORDER BY log_offset`,
  );
  expect(rows).toEqual(expected);
  for (const { event, totals: then } of asked) await expectTotalsThen(database, event, then);
  const moments = [500, 1_000, ...asked.map(({ event }) => event.time), 2 ** 50];
  for (const moment of moments) await expectEffectiveBalances(database, moment);
}

/** Found by sums of days, hours and moments it is what adding up all transfers that count by then comes to. */
export async function expectEffectiveBalances(database: Queries, micros: number): Promise<void> {
  const { rows } = await database.query(
    `WITH asked AS (SELECT timestamptz 'epoch' + $1::text::bigint * interval '1 microsecond' AS moment),
     moved AS (SELECT debit_account AS account, -amount_moved AS change, coalesce(effective_time, time) AS counts
                 FROM ledger.transfers WHERE result = 'ok'
               UNION ALL
               SELECT credit_account, amount_moved, coalesce(effective_time, time) FROM ledger.transfers WHERE result = 'ok')
     SELECT a.name, ledger.effective_balance(a.name, moment)::text AS found, coalesce(sum(m.change), 0)::text AS sum
       FROM asked CROSS JOIN ledger.accounts a LEFT JOIN moved m ON m.account = a.handle AND m.counts <= moment
      GROUP BY a.name, moment
     HAVING ledger.effective_balance(a.name, moment) IS DISTINCT FROM coalesce(sum(m.change), 0)`,
    [String(micros)],
  );
  expect(rows).toEqual([]);
}

function addUp({ outcome }: Event, reader: LedgerReader, of: (handle: number) => Totals): void {
  const { amount, amountMoved, creditHandle, debitHandle, effect, hold } = outcome;
  const held = effect === 'held' ? amount : 0n;
  const ends = effect === 'posted' || effect === 'posted_part' || effect === 'released';
  const released = ends ? (reader.hold(hold)?.amount ?? 0n) : 0n;
  if (debitHandle === 0 || creditHandle === 0) return;
  of(debitHandle).debits += amountMoved;
  of(debitHandle).debitsPending += held - released;
  of(creditHandle).credits += amountMoved;
  of(creditHandle).creditsPending += held - released;
}

function rowOf({ offset, outcome }: Event, of: (handle: number) => Totals, scales: Map<number, number>): TextRow {
  const side = (name: string, handle: number): TextRow => {
    if (handle === 0) return NO_ACCOUNT(name);
    const scale = scales.get(handle) ?? 0;
    const { debits, credits, debitsPending, creditsPending } = of(handle);
    const pending = (amount: bigint): string | null => (amount === 0n ? null : formatMinor(amount, scale));
    return {
      [`${name}_debits`]: formatMinor(debits, scale),
      [`${name}_credits`]: formatMinor(credits, scale),
      [`${name}_debits_pending`]: pending(debitsPending),
      [`${name}_credits_pending`]: pending(creditsPending),
    };
  };
  return {
    log_offset: String(offset),
    ...side('payer', outcome.debitHandle),
    ...side('payee', outcome.creditHandle),
  };
}

function allOf(totals: Map<number, Totals>, scales: Map<number, number>): TextRow {
  const all: TextRow = {};
  for (const [handle, { debits, credits, debitsPending, creditsPending }] of totals) {
    const text = (amount: bigint): string => formatMinor(amount, scales.get(handle) ?? 0);
    all[handle] = [debits, credits, debitsPending, creditsPending, credits - debits].map(text).join(' ');
  }
  return all;
}

/** An account that nothing has touched yet has zeros. */
async function expectTotalsThen(database: Queries, { offset, time }: Event, then: TextRow): Promise<void> {
  const sums = `string_agg(round(x, l.scale)::text, ' ' ORDER BY n)`;
  const of = (balance: string): string =>
    `SELECT a.handle, (SELECT ${sums} FROM unnest(ARRAY[b.debits_posted, b.credits_posted, b.debits_pending,
            b.credits_pending, b.posted]) WITH ORDINALITY u (x, n)) AS totals
       FROM ledger.accounts a JOIN ledger.ledgers l ON l.code = a.ledger CROSS JOIN LATERAL ${balance} b`;
  const known = ({ rows }: { rows: TextRow[] }): TextRow =>
    Object.fromEntries(rows.map(({ handle, totals }) => [handle, totals ?? null])) as TextRow;
  const atOffset = await database.query(of('ledger.balance_at_offset(a.handle, $1::text::bigint)'), [String(offset)]);
  expect(known(atOffset)).toMatchObject(then);
  const moment = `timestamptz 'epoch' + $1::text::bigint * interval '1 microsecond'`;
  const [last] = (await database.query(`SELECT ledger.offset_at(${moment})::text AS last`, [String(time)])).rows;
  expect(Number(last?.['last'])).toBeGreaterThanOrEqual(offset);
  const before = await database.query(`SELECT ledger.offset_at(${moment})::text AS last`, [String(time - 1)]);
  expect(Number(before.rows[0]?.['last'])).toBeLessThan(offset);
  const atTime = await database.query(of(`ledger.balance_at(a.name, ${moment})`), [String(time)]);
  const atLast = await database.query(of(`ledger.balance_at_offset(a.handle, $1::text::bigint)`), [
    last?.['last'] ?? '',
  ]);
  expect(known(atTime)).toEqual(known(atLast));
}
