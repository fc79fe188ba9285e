/** Adds up anew what transfers that say when they count have moved, and holds `ledger.dated_totals` against it. */
import { type LedgerReader } from '../reader';
import { type Queries } from './database';
import { type Differences } from './differences';

/** Accounts that are compared at a time. */
const PAGE = 5_000;
const BUCKETS = ['moment', 'hour', 'day'];

const DIFFERENT = `
  WITH parties AS (
    SELECT debit_account AS account, amount_moved AS debit, 0 AS credit, effective_time, time FROM ledger.transfers
     WHERE effective_time IS NOT NULL AND result = 'ok' AND amount_moved > 0
       AND debit_account >= $1::text::bigint AND debit_account < $2::text::bigint
    UNION ALL
    SELECT credit_account, 0, amount_moved, effective_time, time FROM ledger.transfers
     WHERE effective_time IS NOT NULL AND result = 'ok' AND amount_moved > 0
       AND credit_account >= $1::text::bigint AND credit_account < $2::text::bigint
  ), sums AS (
    SELECT account, by_effective, level,
           CASE level WHEN 0 THEN moment WHEN 1 THEN date_trunc('hour', moment, 'UTC') ELSE date_trunc('day', moment, 'UTC') END AS at,
           sum(debit) AS debits, sum(credit) AS credits
      FROM parties
     CROSS JOIN LATERAL (VALUES (true, effective_time), (false, time)) b (by_effective, moment)
     CROSS JOIN generate_series(0, 2) level
     WHERE moment <> 'infinity'
     GROUP BY 1, 2, 3, 4
  ), kept AS (
    SELECT account, by_effective, level::integer AS level, at, debits, credits FROM ledger.dated_totals
     WHERE account >= $1::text::bigint AND account < $2::text::bigint
  )
  SELECT account, by_effective::text AS by_effective, level, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at,
         k.debits, k.credits, s.debits AS sum_debits, s.credits AS sum_credits
    FROM kept k FULL JOIN sums s USING (account, by_effective, level, at)
   WHERE ROW(k.debits, k.credits) IS DISTINCT FROM ROW(s.debits, s.credits)
   ORDER BY account, by_effective, level, at
   LIMIT 101`;

export async function compareDatedTotals(
  database: Queries,
  reader: LedgerReader,
  differences: Differences,
): Promise<void> {
  for (let from = 1; from <= reader.counts().accounts; from += PAGE) {
    const { rows } = await database.query(DIFFERENT, [String(from), String(from + PAGE)]);
    for (const row of rows) {
      const { account, at, by_effective: basis, level, debits, credits, sum_debits: debit, sum_credits: credit } = row;
      const name = reader.accountByHandle(Number(account))?.name ?? account;
      const bucket = BUCKETS[Number(level)] ?? `level ${level}`;
      differences.add(
        `The dated totals of account "${name}" by ${basis === 'true' ? 'effective' : 'posting'} time, of the ${bucket} ${at}, are ` +
          `debits ${debits ?? 'missing'}, credits ${credits ?? 'missing'}; the transfers come to debits ${debit ?? 'none'}, ` +
          `credits ${credit ?? 'none'}.`,
      );
    }
  }
}
