/** What the query of a question about the past says. */
import { type Moment, type TimeBasis } from '../../ledger/history';
import { calendarMicros } from '../calendar-time';
import { invalid } from '../errors';
import { momentOf, type TransfersAsked } from '../past-questions';
import { CONSISTENCY, type QueryNames, wholeNumber } from './query';

const MOST_CODE = 0xffff_ffff;
const PAGES = ['page_size', 'page_token', 'from', 'to', 'by', ...CONSISTENCY];
export const BALANCE_PARAMETERS: QueryNames = { once: ['at', 'by', ...CONSISTENCY] };
export const STATEMENT_PARAMETERS: QueryNames = { once: [...PAGES, 'format'] };
export const LIST_PARAMETERS: QueryNames = {
  once: [...PAGES, 'account', 'side', 'ledger', 'min_amount', 'max_amount'],
  lists: ['id', 'kind', 'result', 'code'],
};

export function basisOf(query: URLSearchParams): TimeBasis {
  const by = query.get('by') ?? 'posting';
  if (by === 'posting' || by === 'effective') return by;
  throw invalid('by', 'QUERY_INVALID', `by is posting or effective, not ${JSON.stringify(by)}.`);
}

/** `at`: an offset, a day or a time; undefined where it is absent, and the question is about now. */
export function momentIn(query: URLSearchParams): Moment | undefined {
  const by = basisOf(query);
  const { offset, time } = pointIn(query, 'at');
  if (query.has('at')) return momentOf(offset, time, by);
  if (by === 'posting') return undefined;
  throw invalid('by', 'MOMENT_INVALID', 'The balance by effective time is one of a moment: name it with at.');
}

/** @param account of a statement; a list may name one itself */
export function askedIn(query: URLSearchParams, account: string | undefined): TransfersAsked {
  const from = pointIn(query, 'from');
  const to = pointIn(query, 'to');
  const text = (name: string): string => query.get(name) ?? '';
  return {
    ...{ account: account ?? text('account'), side: text('side'), ids: query.getAll('id'), ledger: text('ledger') },
    ...{ kinds: query.getAll('kind'), results: query.getAll('result'), codes: query.getAll('code').map(codeOf) },
    ...{ minAmount: text('min_amount'), maxAmount: text('max_amount'), by: basisOf(query) },
    ...{ fromOffset: from.offset, fromTime: from.time, toOffset: to.offset, toTime: to.time },
    ...{ pageSize: wholeNumber(query, 'page_size'), pageToken: text('page_token') },
  };
}

function codeOf(text: string): number {
  const code = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (code <= MOST_CODE) return code;
  throw invalid('code', 'QUERY_INVALID', `A code is a whole number of 32 bits, not ${JSON.stringify(text)}.`);
}

interface Point {
  readonly offset: number | undefined;
  /** Microseconds since the Unix epoch. */
  readonly time: number | undefined;
}

function pointIn(query: URLSearchParams, name: string): Point {
  const text = query.get(name);
  if (text === null) return { offset: undefined, time: undefined };
  if (/^\d{1,15}$/.test(text)) return { offset: Number(text), time: undefined };
  const time = calendarMicros(text);
  if (time !== undefined && time >= 0) return { offset: undefined, time };
  const message = `${name} is an offset (digits), a day (2024-05-31) or a time (2024-05-31T12:00:00Z), not ${JSON.stringify(text)}.`;
  throw invalid(name, 'MOMENT_INVALID', message);
}
