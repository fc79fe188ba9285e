/**
 * Transfers a window at a time: each statement looks at so many rows in the order of an index, says how far it looked, and
 * gives those that pass the filters. So no question, whatever it asks for, holds the database for longer than a window.
 */
import { type ListPlace, type TransfersQuestion } from '../../history';
import { type TextRow } from '../database';
import { whole } from './exact-text';
import { type PastDatabase, type PastStatement } from './past-database';
import { microsOf, momentOf } from './sql-parts';
import { COLUMNS, JOINS } from './transfer-row';

/** What a source walks along. `dated`: transfers that say when they count, in that order; else by offset. */
export interface Walk {
  readonly along: 'all' | 'debit' | 'credit' | 'ids';
  readonly dated: boolean;
}

const ACCESS: Record<Walk['along'], string> = {
  all: '$2::text IS NULL',
  debit: 't.debit_account = $2::text::bigint',
  credit: 't.credit_account = $2::text::bigint',
  ids: 't.id = ANY (ARRAY(SELECT jsonb_array_elements_text($2::text::jsonb)))',
};

/** $4 and before: what is walked along and from where; $5 up to where; these in both orders. */
const FILTERS = `
       ($9::text IS NULL OR t.debit_account = $9::text::bigint AND $10::text IS DISTINCT FROM 'credit'
          OR t.credit_account = $9::text::bigint AND $10::text IS DISTINCT FROM 'debit')
   AND ($11::text IS NULL OR t.ledger = $11::text)
   AND ($12::text IS NULL OR t.kind = ANY (ARRAY(SELECT jsonb_array_elements_text($12::text::jsonb))))
   AND ($13::text IS NULL OR t.result = ANY (ARRAY(SELECT jsonb_array_elements_text($13::text::jsonb))))
   AND ($14::text IS NULL OR t.code = ANY (ARRAY(SELECT jsonb_array_elements_text($14::text::jsonb)::bigint)))
   AND ($15::text IS NULL OR ${amount()} >= $15::text::numeric)
   AND ($16::text IS NULL OR ${amount()} <= $16::text::numeric)
   AND ($17::text = 'all' OR t.effective_time IS NULL)`;

/** What was asked for; what a balancing transfer came to. */
function amount(): string {
  return `(CASE WHEN t.balancing AND t.result = 'ok' THEN t.amount_moved + coalesce(t.amount_held, 0) ELSE t.amount END)`;
}

function statementOf({ along, dated }: Walk): PastStatement {
  const range = dated
    ? `t.effective_time IS NOT NULL AND (t.effective_time, t.log_offset) > (${momentOf('$3')}, $4::text::bigint)
       AND (t.effective_time, t.log_offset) < (coalesce(${momentOf('$5')}, timestamptz 'infinity'),
                                               CASE WHEN $5::text IS NULL THEN ${2n ** 63n - 1n} ELSE -1 END)
       AND t.log_offset <= $6::text::bigint`
    : `$3::text IS NOT NULL AND t.log_offset > $4::text::bigint
       AND t.log_offset <= least($5::text::bigint, $6::text::bigint)`;
  const order = dated ? ['effective_time', 'log_offset'] : ['log_offset'];
  const by = (alias: string, way: string): string => order.map((column) => `${alias}.${column}${way}`).join(', ');
  return {
    name: `past transfers ${along}${dated ? ' dated' : ''}`,
    sql: `
WITH w AS MATERIALIZED (
  SELECT t.* FROM ledger.transfers t
   WHERE t.partition = $1::text::integer AND ${ACCESS[along]} AND ${range}
   ORDER BY ${by('t', '')} LIMIT $7::text::bigint)
SELECT e.seen::text, ${microsOf(`z.${dated ? 'effective_time' : 'time'}`)} AS seen_time, z.log_offset::text AS seen_offset, f.*
  FROM (SELECT count(*) AS seen FROM w) e
  LEFT JOIN LATERAL (SELECT w.* FROM w ORDER BY ${by('w', ' DESC')} LIMIT 1) z ON true
  LEFT JOIN LATERAL (
    SELECT ${COLUMNS}
      FROM (SELECT t.* FROM w t WHERE ${FILTERS} ORDER BY ${by('t', '')} LIMIT $8::text::bigint) t
      ${JOINS}) f ON true`,
  };
}

const STATEMENTS = new Map<string, PastStatement>();
for (const along of ['all', 'debit', 'credit', 'ids'] as const) {
  for (const dated of [false, true]) STATEMENTS.set(`${along} ${dated}`, statementOf({ along, dated }));
}

/** Bounds of a walk: behind `after`, up to `until`. */
export interface Bounds {
  readonly after: ListPlace;
  /** The last offset; of a dated walk the time that is not reached any more, or none. */
  readonly until: number | undefined;
  /** The last offset that counts. */
  readonly reflected: number;
}

export interface Window {
  readonly rows: readonly TextRow[];
  /** How far it looked; undefined: to the end. */
  readonly seen: ListPlace | undefined;
}

export async function windowOf(
  database: PastDatabase,
  group: number,
  walk: Walk,
  question: TransfersQuestion,
  bounds: Bounds,
  size: { readonly look: number; readonly give: number },
): Promise<Window> {
  const statement = STATEMENTS.get(`${walk.along} ${walk.dated}`);
  if (!statement) throw new Error(`There is no statement that walks along ${walk.along}.`);
  const { account, side, ledger, kinds, results, codes, minAmount, maxAmount, by } = question;
  const json = (values: readonly unknown[] | undefined): string | null =>
    values === undefined ? null : JSON.stringify(values);
  const number = (value: number | undefined): string | null => (value === undefined ? null : String(value));
  const subject = walk.along === 'ids' ? json(question.ids ?? []) : walk.along === 'all' ? null : number(account);
  const found = await database.rows(statement, [
    ...[String(group), subject, String(bounds.after.time), String(bounds.after.offset)],
    ...[number(bounds.until), String(bounds.reflected), String(size.look), String(size.give)],
    ...[number(account), side ?? null, ledger ?? null, json(kinds), json(results), json(codes?.map(String))],
    ...[minAmount ?? null, maxAmount ?? null, by === 'posting' || walk.dated ? 'all' : 'undated'],
  ]);
  const first = found[0];
  if (!first) throw new Error('A window of transfers was answered without a row.');
  const rows = found.filter((row) => (row['log_offset'] ?? null) !== null);
  if (whole(first['seen']) < size.look) return { rows, seen: cutShort(rows, size.give, by, undefined) };
  const seen = { time: by === 'posting' ? 0 : whole(first['seen_time']), offset: whole(first['seen_offset']) };
  return { rows, seen: cutShort(rows, size.give, by, seen) };
}

/** Where not all that passed was given, it is as if the window had ended with the last one that was. */
function cutShort(
  rows: readonly TextRow[],
  give: number,
  by: TransfersQuestion['by'],
  seen: ListPlace | undefined,
): ListPlace | undefined {
  const last = rows.at(-1);
  return rows.length < give || !last ? seen : placeOf(last, by);
}

/** Of a row in the order of a list. */
export function placeOf(row: TextRow, by: TransfersQuestion['by']): ListPlace {
  const time = by === 'posting' ? 0 : whole(row['effective_time'] ?? row['time']);
  return { time, offset: whole(row['log_offset']) };
}
