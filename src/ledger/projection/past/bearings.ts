/** Where the rows are, and which offsets a question's times stand for. */
import { type AsOf, type TransfersQuestion } from '../../history';
import { whole } from './exact-text';
import { type PastDatabase, type PastStatement } from './past-database';
import { momentOf, offsetAt, offsetBefore } from './sql-parts';

export const REACHED: PastStatement = {
  name: 'past reached',
  sql: `SELECT raft_index::text, log_offset::text FROM ledger.checkpoint WHERE partition = $1::text::integer`,
};

/** Undefined: the database has no rows of this partition yet. */
export async function reachedBy(database: PastDatabase, group: number): Promise<AsOf | undefined> {
  const [row] = await database.rows(REACHED, [String(group)]);
  return row && { index: whole(row['raft_index']), offset: whole(row['log_offset']) };
}

const START = momentOf('$2');
const END = momentOf('$4');

/** $1 partition, $2 time to start at or null, $3 offset at that time behind which to start, $4 time to end before or null */
const BEARINGS: PastStatement = {
  name: 'past bearings',
  sql: `
SELECT raft_index::text, log_offset::text,
       (CASE WHEN $2::text IS NULL THEN -1
             ELSE greatest(${offsetBefore(START, 'partition')}, least(${offsetAt(START, 'partition')}, $3::text::bigint))
        END)::text AS undated,
       (CASE WHEN $4::text IS NULL THEN NULL ELSE ${offsetBefore(END, 'partition')} END)::text AS until
  FROM ledger.checkpoint WHERE partition = $1::text::integer`,
};

export interface Bearings {
  readonly reflected: AsOf;
  /** The last offset before the range, in the order of posting. */
  readonly start: number;
  /** The last offset that was given, of transfers that count when they were posted. */
  readonly undated: number;
  /** The last offset of the range, of the same transfers; undefined: it has no end. */
  readonly until: number | undefined;
}

export async function bearingsOf(
  database: PastDatabase,
  group: number,
  question: TransfersQuestion,
): Promise<Bearings | undefined> {
  const { after, by, fromOffset = 0, fromTime, toOffset, toTime } = question;
  const place = by === 'effective' ? after?.place : undefined;
  const time = place?.time ?? fromTime;
  const [row] = await database.rows(BEARINGS, [
    ...[String(group), time === undefined ? null : String(time), String(place?.offset ?? -1)],
    toTime === undefined ? null : String(toTime),
  ]);
  if (!row) return undefined;
  const reflected = after?.asOf ?? { index: whole(row['raft_index']), offset: whole(row['log_offset']) };
  const byTime = whole(row['undated']);
  const start = Math.max(byTime, fromOffset - 1);
  const ends = [toOffset === undefined ? [] : toOffset - 1, row['until'] === null ? [] : whole(row['until'])].flat();
  const undated = by === 'posting' && after ? Math.max(start, after.place.offset) : start;
  return { reflected, start, undated, until: ends.length === 0 ? undefined : Math.min(...ends) };
}
