/** Lists of the past as a caller asks for them, made into questions. */
import { type Moment, type TimeBasis, type TransfersQuestion } from '../ledger/history';
import { normaliseAmount } from '../ledger/amounts';
import { formatId, isLedgerCode, normaliseId } from '../ledger/identifiers';
import { type LedgerReader } from '../ledger/reader';
import { resultCodeByName } from '../ledger/result-codes';
import { type Fault, faultOfResult, invalid, refusalInfo } from './errors';
import { DEFAULT_PAGE_ITEMS, type Limits } from './limits';
import { pastPageToken, placeIn } from './past-page-token';
import { accountNamed, type AccountState } from './reads';

export const PAST_KINDS = ['plain', 'pending', 'post', 'void', 'reversal', 'expiry'] as const;
/** Instead of the name of a result: every one. */
const ANY_RESULT = 'any';
const SIDES: readonly string[] = ['debit', 'credit'];

/** What is not said is empty, or undefined. */
export interface TransfersAsked {
  readonly account: string;
  readonly side: string;
  readonly ids: readonly string[];
  readonly ledger: string;
  readonly kinds: readonly string[];
  readonly results: readonly string[];
  readonly codes: readonly number[];
  readonly minAmount: string;
  readonly maxAmount: string;
  readonly by: TimeBasis;
  readonly fromOffset: number | undefined;
  readonly toOffset: number | undefined;
  readonly fromTime: number | undefined;
  readonly toTime: number | undefined;
  /** 0: the default. */
  readonly pageSize: number;
  readonly pageToken: string;
}

/** A question that has no fault of its own; which account it is about only the state can say. */
export interface CheckedTransfers {
  readonly isFirstPage: boolean;
  question(reader: LedgerReader): { readonly question: TransfersQuestion; readonly account: AccountState | undefined };
  /** The token of the page behind this one. */
  nextToken(asOf: { index: number; offset: number }, next: { time: number; offset: number } | undefined): string;
}

export function checkTransfers(asked: TransfersAsked, limits: Limits): CheckedTransfers {
  if (asked.pageSize > limits.pageItems) {
    const message = `A page has at most ${limits.pageItems} items, not ${asked.pageSize}.`;
    throw invalid('page_size', 'PAGE_TOO_LARGE', message);
  }
  const filters = { ...filtersOf(asked, limits), ...rangeOf(asked), by: asked.by };
  const subject = JSON.stringify({ ...filters, account: asked.account });
  const after = asked.pageToken === '' ? undefined : placeIn(asked.pageToken, subject);
  const limit = asked.pageSize === 0 ? Math.min(DEFAULT_PAGE_ITEMS, limits.pageItems) : asked.pageSize;
  return {
    isFirstPage: after === undefined,
    question: (reader) => {
      const account = asked.account === '' ? undefined : accountNamed(reader, asked.account, 'account');
      const about = account && { account: account.account.handle };
      return { account, question: { kind: 'transfers', ...filters, ...about, limit, ...(after && { after }) } };
    },
    nextToken: (asOf, next) => (next === undefined ? '' : pastPageToken({ asOf, place: next }, subject)),
  };
}

type Filters = Pick<
  TransfersQuestion,
  'side' | 'ids' | 'ledger' | 'kinds' | 'results' | 'codes' | 'minAmount' | 'maxAmount'
>;

function filtersOf(asked: TransfersAsked, limits: Limits): Filters {
  const { side, ids, ledger, kinds, results, codes } = asked;
  if (side !== '' && (asked.account === '' || !SIDES.includes(side))) {
    throw filterFault('side', 'side is debit or credit, and goes with an account.');
  }
  if (ids.length > limits.pageItems) {
    throw invalid('ids', 'PAGE_TOO_LARGE', `At most ${limits.pageItems} ids can be asked for at once.`);
  }
  if (ledger !== '' && !isLedgerCode(ledger)) throw faultOfResult(refusalInfo('ledger_code_invalid'), 'ledger');
  const strange = kinds.find((kind) => !(PAST_KINDS as readonly string[]).includes(kind));
  if (strange !== undefined) throw filterFault('kinds', `A kind is one of ${PAST_KINDS.join(', ')}, not "${strange}".`);
  if (codes.length > limits.pageItems) throw filterFault('codes', `At most ${limits.pageItems} codes can be named.`);
  const minAmount = amountIn(asked.minAmount, 'min_amount');
  const maxAmount = amountIn(asked.maxAmount, 'max_amount');
  const wanted = resultsIn(results);
  return {
    ...(side !== '' && { side: side as 'debit' | 'credit' }),
    ...(ids.length > 0 && { ids: ids.map(idIn) }),
    ...(ledger !== '' && { ledger }),
    ...(kinds.length > 0 && { kinds: [...kinds] }),
    ...(wanted && { results: wanted }),
    ...(codes.length > 0 && { codes: [...codes] }),
    ...(minAmount !== undefined && { minAmount }),
    ...(maxAmount !== undefined && { maxAmount }),
  };
}

function idIn(text: string): string {
  const id = normaliseId(text);
  if (id === undefined) throw faultOfResult(refusalInfo('id_invalid'), 'ids');
  return formatId(id);
}

/** Transfers that were done, where nothing is said. */
function resultsIn(results: readonly string[]): string[] | undefined {
  if (results.length === 0) return ['ok'];
  if (results.includes(ANY_RESULT)) return undefined;
  const strange = results.find((name) => resultCodeByName(name) === undefined);
  if (strange !== undefined) throw filterFault('results', `"${strange}" is no result; "${ANY_RESULT}" stands for all.`);
  return [...results];
}

function amountIn(text: string, field: string): string | undefined {
  if (text === '') return undefined;
  const normal = normaliseAmount(text);
  if (!('error' in normal)) return normal.text;
  if (normal.error === 'amount_must_not_be_zero') return '0';
  throw faultOfResult(refusalInfo(normal.error), field);
}

function rangeOf(asked: TransfersAsked): Pick<TransfersQuestion, 'fromOffset' | 'toOffset' | 'fromTime' | 'toTime'> {
  const { by, fromOffset, toOffset, fromTime, toTime } = asked;
  const hasOffsets = fromOffset !== undefined || toOffset !== undefined;
  if (hasOffsets && by === 'effective') {
    throw filterFault('by', 'Offsets are in the order of posting: name times, or order by posting.');
  }
  return {
    ...(fromOffset !== undefined && { fromOffset }),
    ...(toOffset !== undefined && { toOffset }),
    ...(fromTime !== undefined && { fromTime }),
    ...(toTime !== undefined && { toTime }),
  };
}

/** @param by a point in time that is an offset has no other order than posting */
export function momentOf(offset: number | undefined, time: number | undefined, by: TimeBasis): Moment {
  if ((offset === undefined) === (time === undefined)) {
    throw invalid('at', 'MOMENT_INVALID', 'A point in time is an offset or a time: exactly one of the two.');
  }
  if (offset !== undefined && by === 'effective') {
    throw invalid('at', 'MOMENT_INVALID', 'An offset is in the order of posting; name a time.');
  }
  return offset === undefined ? { time: time ?? 0, by } : { offset };
}

function filterFault(field: string, message: string): Fault {
  return invalid(field, 'FILTER_INVALID', message);
}
