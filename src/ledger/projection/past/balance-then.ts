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

const KEY = `(t.effective_time, t.log_offset)`;
const WANTED = `(p.moment, $4::text::bigint)`;

/** What counts by then but was recorded after the others, and what was recorded by then but counts later. */
function correction(side: 'debit' | 'credit'): string {
  const mine = `t.${side}_account = a.handle AND t.effective_time IS NOT NULL AND t.result = 'ok'`;
  return `
 CROSS JOIN LATERAL (
    SELECT coalesce((SELECT sum(t.amount_moved) FROM ledger.transfers t
                      WHERE ${mine} AND ${KEY} <= ${WANTED} AND t.log_offset > p.undated AND t.log_offset <= p.reflected
                        AND p.undated < p.reflected), 0)
         - coalesce((SELECT sum(t.amount_moved) FROM ledger.transfers t
                      WHERE ${mine} AND ${KEY} > ${WANTED} AND t.log_offset <= p.undated), 0) AS ${side}s) ${side}`;
}

/**
 * Transfers that say when they count are few, and have an index of their own; all others are in the order of their
 * offsets, and so have their sum in the row of the last one. $1 partition, $2 account, $3 time, $4 offset, $5 as above
 */
const BY_EFFECT: PastStatement = {
  name: 'past balance by effect',
  sql: `
SELECT c.raft_index::text, c.log_offset::text AS reflected, p.reflected::text AS at_offset, a.opened_offset::text,
       l.scale::text, (coalesce(b.debits_posted, 0) + debit.debits)::text AS debits_posted,
       (coalesce(b.credits_posted, 0) + credit.credits)::text AS credits_posted
  FROM ledger.checkpoint c
 CROSS JOIN LATERAL (
    SELECT m.moment, m.reflected,
           least(m.reflected, greatest(${offsetBefore('m.moment', 'c.partition')},
                                       least(${offsetAt('m.moment', 'c.partition')}, $4::text::bigint))) AS undated
      FROM (SELECT ${momentOf('$3')} AS moment, coalesce($5::text::bigint, c.log_offset) AS reflected) m) p
  ${ACCOUNT}
  LEFT JOIN LATERAL ledger.balance_at_offset(a.handle, p.undated) b ON true
  ${correction('debit')}
  ${correction('credit')}
 WHERE c.partition = $1::text::integer`,
};

/**
 * All that counts up to a moment, of all that is reflected: as of that posting time, plus what dated transfers moved by the
 * time at which they count, minus what they moved by the time at which they were posted. Both are sums of days, hours and
 * moments, however many transfers there are. $1 partition, $2 account, $3 time
 */
const BY_EFFECT_NOW: PastStatement = {
  name: 'past balance by effect of all',
  sql: `
SELECT c.raft_index::text, c.log_offset::text AS reflected, c.log_offset::text AS at_offset, a.opened_offset::text,
       l.scale::text, (coalesce(b.debits_posted, 0) + counted.debits - recorded.debits)::text AS debits_posted,
       (coalesce(b.credits_posted, 0) + counted.credits - recorded.credits)::text AS credits_posted
  FROM ledger.checkpoint c
 CROSS JOIN (SELECT ${momentOf('$3')} AS moment) m
  ${ACCOUNT}
  LEFT JOIN LATERAL ledger.balance_at_offset(a.handle, ${offsetAt('m.moment', 'c.partition')}) b ON true
 CROSS JOIN LATERAL ledger.dated_totals_until(a.handle, true, m.moment) counted
 CROSS JOIN LATERAL ledger.dated_totals_until(a.handle, false, m.moment) recorded
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
  const upTo = reflected === undefined ? null : String(reflected);
  const parameters = [String(group), String(account), String(place.time), String(place.offset), upTo];
  const [row] = await database.rows(BY_EFFECT, parameters);
  return row && found(row, false);
}

/** After everything that counts up to a time. */
async function balanceByEffectNow(
  database: PastDatabase,
  group: number,
  account: number,
  time: number,
): Promise<FoundBalance | undefined> {
  // What counts after all times is in no sum of days.
  if (time >= NO_TIME_AFTER) return balanceByEffect(database, group, account, { time, offset: AFTER_ALL });
  const [row] = await database.rows(BY_EFFECT_NOW, [group, account, time].map(String));
  return row && found(row, false);
}

export async function balanceThen(
  database: PastDatabase,
  group: number,
  account: number,
  at: Moment,
): Promise<BalanceAnswer | undefined> {
  const found =
    'time' in at && at.by === 'effective'
      ? await balanceByEffectNow(database, group, account, at.time)
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
