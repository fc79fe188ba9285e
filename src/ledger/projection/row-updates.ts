/** The statements of a transaction that change rows which are there; each returns how many it changed. */
import { type BalanceUpdates } from './balance-updates';
import { type ChangedAccounts } from './changed-accounts';
import { type ChangedHolds } from './changed-holds';
import { type Transaction } from './database';
import { type DatedTotals } from './dated-totals';

/** The version is compared, so that a row which is not as this projector left it is never written over. */
export async function updateBalances(transaction: Transaction, balances: BalanceUpdates): Promise<number> {
  const { affected } = await transaction.query(
    `UPDATE ledger.balances b
        SET debits_posted = d.debits, credits_posted = d.credits, debits_pending = d.debits_pending,
            credits_pending = d.credits_pending, version = d.version, as_of_offset = d.last_offset
       FROM unnest($1::text::bigint[], $2::text::bigint[], $3::text::numeric[], $4::text::numeric[],
                   $5::text::numeric[], $6::text::numeric[], $7::text::bigint[], $8::text::bigint[])
            AS d (account, before, debits, credits, debits_pending, credits_pending, version, last_offset)
      WHERE b.account = d.account AND b.version = d.before`,
    balances.arrays(),
  );
  return affected;
}

export async function updateTerms(transaction: Transaction, accounts: ChangedAccounts): Promise<number> {
  const { affected } = await transaction.query(
    `UPDATE ledger.accounts a
        SET min_balance = d.min, max_balance = d.max, closed = d.closed
       FROM unnest($1::text::bigint[], $2::text::numeric[], $3::text::numeric[], $4::text::boolean[])
            AS d (handle, min, max, closed)
      WHERE a.handle = d.handle`,
    accounts.termArrays(),
  );
  return affected;
}

/** Only of holds that are pending: whatever else it says is not what this projector left. */
export async function endHolds(transaction: Transaction, holds: ChangedHolds, group: number): Promise<number> {
  const { affected } = await transaction.query(
    `UPDATE ledger.holds h
        SET status = d.status, ended_offset = d.ended
       FROM unnest($1::text::bigint[], $2::text::text[], $3::text::bigint[]) AS d (number, status, ended)
      WHERE h.partition = $4::text::integer AND h.number = d.number AND h.status = 'pending'`,
    [...holds.endArrays(), String(group)],
  );
  return affected;
}

/** Adds to what is there. */
export async function addDatedTotals(transaction: Transaction, dated: DatedTotals): Promise<number> {
  const { affected } = await transaction.query(
    `INSERT INTO ledger.dated_totals AS t (account, by_effective, level, at, debits, credits)
     SELECT account, by_effective, level, timestamptz 'epoch' + micros * interval '1 microsecond', debits, credits
       FROM unnest($1::text::bigint[], $2::text::boolean[], $3::text::smallint[], $4::text::bigint[], $5::text::numeric[],
                   $6::text::numeric[]) AS d (account, by_effective, level, micros, debits, credits)
     ON CONFLICT (account, by_effective, level, at) DO UPDATE
        SET debits = t.debits + excluded.debits, credits = t.credits + excluded.credits`,
    dated.arrays(),
  );
  return affected;
}

/**
 * Of these refusals, those whose id no row has spent yet: the first one of each id. Joined, since an array that rows are compared
 * with would be read from its text once more for each row.
 */
export async function spendIds(transaction: Transaction, offsets: readonly number[], group: number): Promise<void> {
  await transaction.query(
    `UPDATE ledger.transfers t
        SET spends_id = true
       FROM (SELECT DISTINCT ON (r.id) r.id, r.log_offset
               FROM unnest($2::text::bigint[]) AS o (log_offset)
               JOIN ledger.transfers r ON r.partition = $1::text::integer AND r.log_offset = o.log_offset
              ORDER BY r.id, r.log_offset) d
      WHERE t.partition = $1::text::integer AND t.log_offset = d.log_offset
        AND NOT EXISTS (SELECT FROM ledger.transfers s
                         WHERE s.id = d.id AND s.partition = $1::text::integer AND s.spends_id)`,
    [String(group), `{${offsets.join(',')}}`],
  );
}
