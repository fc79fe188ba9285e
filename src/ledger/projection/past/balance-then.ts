/** The balance of an account after a record, by the ledger's own time or by the time at which its transfers count. */
import { type AsOf, type BalanceAnswer, type ListPlace, type Moment, type PastBalance } from '../../history';
import { formatMinor } from '../../amounts';
import { type TextRow } from '../database';
import { minorOf, whole } from './exact-text';
import { type PastDatabase, type PastStatement } from './past-database';
import { momentOf, NO_TIME_AFTER, offsetAt, offsetBefore } from './sql-parts';

/** Later than every record: what is at a time, all of it. */
export const AFTER_ALL = Number.MAX_SAFE_INTEGER;

const ACCOUNT = `
  LEFT JOIN ledger.accounts a ON a.handle = $2::text::bigint
  LEFT JOIN ledger.ledgers l ON l.code = a.ledger`;
const TOTALS = `b.debits_posted::text, b.credits_posted::text, b.debits_pending::text, b.credits_pending::text`;
/** The lower limit then: before the first change after it; where there is none, as it is. */
const LIMIT = `
  LEFT JOIN LATERAL (
    SELECT true AS changed, h.min_balance_before FROM ledger.account_changes h
     WHERE h.account = a.handle AND h.log_offset > p.at_offset AND h.result = 'ok' AND p.at_offset >= 0
     ORDER BY h.log_offset LIMIT 1) k ON true`;

/** $1 partition, $2 account, $3 time or null, $4 offset or null, $5 what is reflected, or null: all there is */
const BY_POSTING: PastStatement = {
  name: 'past balance by posting',
  sql: `
SELECT c.raft_index::text, c.log_offset::text AS reflected, p.at_offset::text, a.opened_offset::text, l.scale::text,
       ${TOTALS}, (CASE WHEN k.changed THEN k.min_balance_before ELSE a.min_balance END)::text AS min_balance
  FROM ledger.checkpoint c
 CROSS JOIN LATERAL (
    SELECT least(coalesce($5::text::bigint, c.log_offset),
                 CASE WHEN $3::text IS NULL THEN $4::text::bigint
                      ELSE ${offsetAt(momentOf('$3'), 'c.partition')} END) AS at_offset) p
  ${ACCOUNT}
  LEFT JOIN LATERAL ledger.balance_at_offset(a.handle, p.at_offset) b ON true
  ${LIMIT}
 WHERE c.partition = $1::text::integer`,
};

/** Of the two sides of an account one, with what the sums of days, hours and moments do not tell apart. */
function correction(side: 'debit' | 'credit'): string {
  const mine = `t.${side}_account = a.handle AND t.result = 'ok'`;
  return `
 CROSS JOIN LATERAL (
    SELECT coalesce((SELECT sum(t.amount_moved) FROM ledger.transfers t
                      WHERE ${mine} AND t.effective_time = p.moment
                        AND t.log_offset <= least($4::text::bigint, p.reflected)), 0)
         - coalesce((SELECT sum(t.amount_moved) FILTER (WHERE t.effective_time IS NOT NULL) FROM ledger.transfers t
                      WHERE ${mine} AND t.log_offset > p.whole AND t.log_offset <= p.undated), 0)
         - coalesce((SELECT sum(later.amount) FROM ledger.dated_totals d
                       JOIN ledger.batches r ON r.partition = c.partition AND r.time = d.at
                      CROSS JOIN LATERAL (
                        SELECT sum(t.amount_moved) FILTER (WHERE t.effective_time < p.moment) AS amount
                          FROM ledger.transfers t
                         WHERE ${mine} AND t.log_offset >= r.first_offset AND t.log_offset <= r.last_offset) later
                      WHERE d.account = a.handle AND NOT d.by_effective AND d.level = 0 AND d.at > h.reflected_time
                        AND p.reflected < c.log_offset), 0) AS ${side}s) ${side}`;
}

/** The time of the last batch that ends at an offset or before it. */
function timeAt(offset: string): string {
  return `coalesce((SELECT r.time FROM ledger.batches r WHERE r.partition = c.partition AND r.last_offset <= ${offset}
                     ORDER BY r.last_offset DESC LIMIT 1), timestamptz '-infinity')`;
}

/**
 * What counts up to a place, of what is reflected. Transfers that say nothing of when they count are in the order of their
 * offsets, and so have their sum in the row of the last one. To that comes what the others moved before the moment of the
 * place, and from it goes what they had moved by the time that it was posted: sums of days, hours and moments, however many
 * there are. One by one come only those of the very moment up to the offset, and go those of its own batch and those that
 * were recorded after all that is reflected, which are found by the batches that have any.
 * $1 partition, $2 account, $3 time, $4 offset, $5 what is reflected, or null: all there is
 */
const BY_EFFECT: PastStatement = {
  name: 'past balance by effect',
  sql: `
SELECT c.raft_index::text, c.log_offset::text AS reflected, p.reflected::text AS at_offset, a.opened_offset::text,
       l.scale::text,
       (coalesce(b.debits_posted, 0) + counted.debits - recorded.debits + debit.debits)::text AS debits_posted,
       (coalesce(b.credits_posted, 0) + counted.credits - recorded.credits + credit.credits)::text AS credits_posted
  FROM ledger.checkpoint c
 CROSS JOIN LATERAL (
    SELECT m.*, least(m.reflected, greatest(m.whole, least(${offsetAt('m.moment', 'c.partition')}, $4::text::bigint))) AS undated
      FROM (SELECT n.*, least(n.reflected, ${offsetBefore('n.moment', 'c.partition')}) AS whole
              FROM (SELECT ${momentOf('$3')} AS moment, coalesce($5::text::bigint, c.log_offset) AS reflected) n) m
    OFFSET 0) p
 CROSS JOIN LATERAL (SELECT ${timeAt('p.whole')} AS whole_time, ${timeAt('p.reflected')} AS reflected_time OFFSET 0) h
  ${ACCOUNT}
  LEFT JOIN LATERAL ledger.balance_at_offset(a.handle, p.undated) b ON true
 CROSS JOIN LATERAL ledger.dated_totals_until(a.handle, true, p.moment - interval '1 microsecond') counted
 CROSS JOIN LATERAL ledger.dated_totals_until(a.handle, false, h.whole_time) recorded
  ${correction('debit')}
  ${correction('credit')}
 WHERE c.partition = $1::text::integer`,
};

/** A balance, and what it was worked out from. */
export interface FoundBalance {
  readonly asOf: AsOf;
  readonly offset: number;
  readonly isOpen: boolean;
  readonly scale: number;
  readonly balance: PastBalance;
  /** Posted, in minor units. */
  readonly posted: bigint;
}

/** @param reflected the last record that counts; undefined: all that the rows reflect */
export async function balanceByPosting(
  database: PastDatabase,
  group: number,
  account: number,
  at: { readonly offset: number } | { readonly time: number },
  reflected?: number,
): Promise<FoundBalance | undefined> {
  const time = 'time' in at ? String(at.time) : null;
  const offset = 'offset' in at ? String(at.offset) : null;
  const parameters = [String(group), String(account), time, offset, reflected === undefined ? null : String(reflected)];
  const [row] = await database.rows(BY_POSTING, parameters);
  return row && found(row, true);
}

/** After everything up to `place` in the order in which transfers count. */
export async function balanceByEffect(
  database: PastDatabase,
  group: number,
  account: number,
  place: ListPlace,
  reflected?: number,
): Promise<FoundBalance | undefined> {
  const [time, offset] = [String(place.time), String(place.offset)];
  const upTo = reflected === undefined ? null : String(reflected);
  // After all times nothing is left out, so what was recorded is what counts.
  const isAll = place.time >= NO_TIME_AFTER && place.offset === AFTER_ALL;
  const [row] = isAll
    ? await database.rows(BY_POSTING, [String(group), String(account), null, offset, upTo])
    : await database.rows(BY_EFFECT, [String(group), String(account), time, offset, upTo]);
  return row && found(row, false);
}

/** After everything that counts up to a time. */
function balanceByEffectAt(
  database: PastDatabase,
  group: number,
  account: number,
  time: number,
): Promise<FoundBalance | undefined> {
  const place = time >= NO_TIME_AFTER ? { time, offset: AFTER_ALL } : { time: time + 1, offset: -1 };
  return balanceByEffect(database, group, account, place);
}

export async function balanceThen(
  database: PastDatabase,
  group: number,
  account: number,
  at: Moment,
): Promise<BalanceAnswer | undefined> {
  const found =
    'time' in at && at.by === 'effective'
      ? await balanceByEffectAt(database, group, account, at.time)
      : await balanceByPosting(database, group, account, at);
  if (!found) return undefined;
  const { asOf, offset, isOpen, balance } = found;
  return { asOf, offset, ...(isOpen && { balance }) };
}

function found(row: TextRow, byPosting: boolean): FoundBalance {
  const scale = row['scale'] === null ? 0 : whole(row['scale']);
  const offset = whole(row['at_offset']);
  const opened = row['opened_offset'] ?? null;
  const minor = (column: string): bigint => minorOf(row[column], scale);
  const posted = minor('credits_posted') - minor('debits_posted');
  const hasLimit = byPosting && (row['min_balance'] ?? null) !== null;
  const text = (amount: bigint): string => formatMinor(amount, scale);
  return {
    asOf: { index: whole(row['raft_index']), offset: whole(row['reflected']) },
    ...{ offset, scale, posted, isOpen: opened !== null && whole(opened) <= offset },
    balance: {
      debitsPosted: text(minor('debits_posted')),
      creditsPosted: text(minor('credits_posted')),
      debitsPending: byPosting ? text(minor('debits_pending')) : null,
      creditsPending: byPosting ? text(minor('credits_pending')) : null,
      posted: text(posted),
      available: hasLimit ? text(posted - minor('debits_pending') - minor('min_balance')) : null,
    },
  };
}
