/**
 * Every name that the ledger gives to an outcome, with what each door makes of it: data only, no rule.
 *
 * `ResultCode` equals `ledger.v1.ResultCode` in proto/ledger/v1/record.proto and is what the log and the outcome rows hold.
 * Shape errors are found before the log and have a name but no number.
 */
import { burned, exists, notFound, refused, type ResultInfo, shape } from './result-info';
import {
  ACCOUNTS_MUST_BE_DIFFERENT,
  AMOUNT_MUST_NOT_BE_ZERO,
  AMOUNT_PRECISION,
  AMOUNT_TOO_LARGE,
  ID_MUST_CARRY_TIME,
  SHAPE_ERRORS,
} from './shape-errors';

export { type ResultGrpcCode, type ResultInfo } from './result-info';
export { SHAPE_ERRORS, type ShapeError } from './shape-errors';

export enum ResultCode {
  OK = 0,
  DEBIT_ACCOUNT_NOT_FOUND = 1,
  CREDIT_ACCOUNT_NOT_FOUND = 2,
  ACCOUNTS_MUST_HAVE_THE_SAME_LEDGER = 3,
  DEBIT_ACCOUNT_CLOSED = 4,
  CREDIT_ACCOUNT_CLOSED = 5,
  INSUFFICIENT_FUNDS = 6,
  EXCEEDS_MAX_BALANCE = 7,
  OVERFLOW = 8,
  EXISTS_WITH_DIFFERENT_DEBIT_ACCOUNT = 9,
  EXISTS_WITH_DIFFERENT_CREDIT_ACCOUNT = 10,
  EXISTS_WITH_DIFFERENT_AMOUNT = 11,
  EXISTS_WITH_DIFFERENT_CODE = 12,
  EXISTS_WITH_DIFFERENT_USER_DATA = 13,
  EXISTS_WITH_DIFFERENT_METADATA = 14,
  EXISTS_WITH_DIFFERENT_FLAGS = 15,
  LEDGER_NOT_FOUND = 16,
  EXISTS_WITH_DIFFERENT_LEDGER = 17,
  EXISTS_WITH_DIFFERENT_LIMITS = 18,
  EXISTS_WITH_DIFFERENT_SCALE = 19,
  EXISTS_WITH_DIFFERENT_OPTIONS = 20,
  MALFORMED_RECORD = 21,
  AMOUNT_PRECISION = 22,
  AMOUNT_MUST_NOT_BE_ZERO = 23,
  AMOUNT_TOO_LARGE = 24,
  ACCOUNTS_MUST_BE_DIFFERENT = 25,
  PENDING_TRANSFER_NOT_FOUND = 26,
  PENDING_TRANSFER_NOT_PENDING = 27,
  PENDING_TRANSFER_HAS_DIFFERENT_ACCOUNTS = 28,
  PENDING_TRANSFER_AMOUNT_EXCEEDED = 29,
  PENDING_TRANSFER_ALREADY_POSTED = 30,
  PENDING_TRANSFER_ALREADY_VOIDED = 31,
  PENDING_TRANSFER_EXPIRED = 32,
  LINKED_TRANSFER_FAILED = 33,
  LIMIT_VIOLATED = 34,
  ID_EXPIRED = 35,
  ACCOUNT_NOT_FOUND = 36,
  REVERSED_TRANSFER_NOT_FOUND = 37,
  REVERSED_TRANSFER_NOT_POSTED = 38,
  REVERSED_TRANSFER_HAS_DIFFERENT_ACCOUNTS = 39,
  REVERSED_TRANSFER_AMOUNT_EXCEEDED = 40,
  EXISTS = 41,
  EXISTS_WITH_DIFFERENT_PENDING_ID = 42,
  EXISTS_WITH_DIFFERENT_REVERSES = 43,
  EXISTS_WITH_DIFFERENT_TIMEOUT = 44,
  EXISTS_WITH_DIFFERENT_EFFECTIVE_TIME = 45,
  EXISTS_WITH_DIFFERENT_IMPORTED_TIME = 46,
  EXISTS_WITH_DIFFERENT_TRANSFERS = 47,
  ID_MUST_CARRY_TIME = 48,
  IMPORTED_TIME_IN_FUTURE = 49,
}

/** One more than the largest `ResultCode`: the length of an array indexed by result. */
export const RESULT_CODE_COUNT = 50;

const BY_CODE: Record<ResultCode, ResultInfo> = {
  [ResultCode.OK]: { name: 'ok', message: '', grpc: 'OK', http: 201, burns: false },
  [ResultCode.DEBIT_ACCOUNT_NOT_FOUND]: notFound('debit_account_not_found', 'The debit account does not exist.', true),
  [ResultCode.CREDIT_ACCOUNT_NOT_FOUND]: notFound(
    'credit_account_not_found',
    'The credit account does not exist.',
    true,
  ),
  [ResultCode.ACCOUNTS_MUST_HAVE_THE_SAME_LEDGER]: refused(
    'accounts_must_have_the_same_ledger',
    'Both accounts, and the ledger where one is named, must be of the same ledger.',
  ),
  [ResultCode.DEBIT_ACCOUNT_CLOSED]: burned('debit_account_closed', 'The debit account is closed.'),
  [ResultCode.CREDIT_ACCOUNT_CLOSED]: burned('credit_account_closed', 'The credit account is closed.'),
  [ResultCode.INSUFFICIENT_FUNDS]: burned(
    'insufficient_funds',
    'The debit account has less available than the amount of the transfer.',
  ),
  [ResultCode.EXCEEDS_MAX_BALANCE]: burned(
    'exceeds_max_balance',
    'The transfer would take the credit account above its maximum balance.',
  ),
  [ResultCode.OVERFLOW]: refused('overflow', 'The sum of all debits or credits of an account would exceed 38 digits.'),
  [ResultCode.EXISTS_WITH_DIFFERENT_DEBIT_ACCOUNT]: exists('debit_account', 'another debit account'),
  [ResultCode.EXISTS_WITH_DIFFERENT_CREDIT_ACCOUNT]: exists('credit_account', 'another credit account'),
  [ResultCode.EXISTS_WITH_DIFFERENT_AMOUNT]: exists('amount', 'another amount'),
  [ResultCode.EXISTS_WITH_DIFFERENT_CODE]: exists('code', 'another code'),
  [ResultCode.EXISTS_WITH_DIFFERENT_USER_DATA]: exists('user_data', 'other user data'),
  [ResultCode.EXISTS_WITH_DIFFERENT_METADATA]: exists('metadata', 'other metadata'),
  [ResultCode.EXISTS_WITH_DIFFERENT_FLAGS]: exists('flags', 'other flags'),
  [ResultCode.LEDGER_NOT_FOUND]: notFound('ledger_not_found', 'The ledger does not exist.', false),
  [ResultCode.EXISTS_WITH_DIFFERENT_LEDGER]: exists('ledger', 'another ledger'),
  [ResultCode.EXISTS_WITH_DIFFERENT_LIMITS]: exists('limits', 'other limits'),
  [ResultCode.EXISTS_WITH_DIFFERENT_SCALE]: exists('scale', 'another scale'),
  [ResultCode.EXISTS_WITH_DIFFERENT_OPTIONS]: exists('options', 'another auto_open or rounding'),
  [ResultCode.MALFORMED_RECORD]: shape(
    'malformed_record',
    'The record in the log could not be decoded; it changed nothing.',
  ),
  [ResultCode.AMOUNT_PRECISION]: AMOUNT_PRECISION,
  [ResultCode.AMOUNT_MUST_NOT_BE_ZERO]: AMOUNT_MUST_NOT_BE_ZERO,
  [ResultCode.AMOUNT_TOO_LARGE]: AMOUNT_TOO_LARGE,
  [ResultCode.ACCOUNTS_MUST_BE_DIFFERENT]: ACCOUNTS_MUST_BE_DIFFERENT,
  [ResultCode.PENDING_TRANSFER_NOT_FOUND]: refused(
    'pending_transfer_not_found',
    'There is no hold under the pending id: no transfer, or one that was refused.',
  ),
  [ResultCode.PENDING_TRANSFER_NOT_PENDING]: refused(
    'pending_transfer_not_pending',
    'The transfer under the pending id is not one that holds.',
  ),
  [ResultCode.PENDING_TRANSFER_HAS_DIFFERENT_ACCOUNTS]: refused(
    'pending_transfer_has_different_accounts',
    'The hold is between other accounts.',
  ),
  [ResultCode.PENDING_TRANSFER_AMOUNT_EXCEEDED]: refused(
    'pending_transfer_amount_exceeded',
    'More than what is held cannot be posted.',
  ),
  [ResultCode.PENDING_TRANSFER_ALREADY_POSTED]: refused(
    'pending_transfer_already_posted',
    'The hold was posted before.',
  ),
  [ResultCode.PENDING_TRANSFER_ALREADY_VOIDED]: refused(
    'pending_transfer_already_voided',
    'The hold was voided before.',
  ),
  [ResultCode.PENDING_TRANSFER_EXPIRED]: refused('pending_transfer_expired', 'The hold has expired.'),
  [ResultCode.LINKED_TRANSFER_FAILED]: refused(
    'linked_transfer_failed',
    'Another transfer of the group failed, so nothing of the group was done.',
  ),
  [ResultCode.LIMIT_VIOLATED]: refused(
    'limit_violated',
    'The balance of the account, with its holds, is outside the new limits.',
  ),
  [ResultCode.ID_EXPIRED]: refused(
    'id_expired',
    'The id is older than ids are remembered, so it may have been done before.',
  ),
  [ResultCode.ACCOUNT_NOT_FOUND]: notFound('account_not_found', 'The account does not exist.', false),
  [ResultCode.REVERSED_TRANSFER_NOT_FOUND]: refused(
    'reversed_transfer_not_found',
    'There is no transfer under the id that is to be reversed.',
  ),
  [ResultCode.REVERSED_TRANSFER_NOT_POSTED]: refused(
    'reversed_transfer_not_posted',
    'The transfer that is to be reversed moved nothing: it was refused, holds, or voids.',
  ),
  [ResultCode.REVERSED_TRANSFER_HAS_DIFFERENT_ACCOUNTS]: refused(
    'reversed_transfer_has_different_accounts',
    'A reversal goes from the payee of the transfer that it reverses to its payer.',
  ),
  [ResultCode.REVERSED_TRANSFER_AMOUNT_EXCEEDED]: refused(
    'reversed_transfer_amount_exceeded',
    'The reversals of a transfer, together, cannot be more than what it moved.',
  ),
  [ResultCode.EXISTS]: {
    ...exists('', ''),
    name: 'exists',
    message: 'A transfer with this id was done before, on its own or in another group; nothing of this group was done.',
  },
  [ResultCode.EXISTS_WITH_DIFFERENT_PENDING_ID]: exists('pending_id', 'another pending id'),
  [ResultCode.EXISTS_WITH_DIFFERENT_REVERSES]: exists('reverses', 'another transfer to reverse'),
  [ResultCode.EXISTS_WITH_DIFFERENT_TIMEOUT]: exists('timeout', 'another timeout'),
  [ResultCode.EXISTS_WITH_DIFFERENT_EFFECTIVE_TIME]: exists('effective_time', 'another effective time'),
  [ResultCode.EXISTS_WITH_DIFFERENT_IMPORTED_TIME]: exists('imported_time', 'another imported time'),
  [ResultCode.EXISTS_WITH_DIFFERENT_TRANSFERS]: exists(
    'transfers',
    'other transfers in the group, or in another order',
  ),
  [ResultCode.ID_MUST_CARRY_TIME]: ID_MUST_CARRY_TIME,
  [ResultCode.IMPORTED_TIME_IN_FUTURE]: refused(
    'imported_time_in_future',
    'Imported history cannot be later than the time of the ledger.',
  ),
};

const BY_NAME = new Map<string, ResultInfo>(
  [...Object.values(SHAPE_ERRORS), ...Object.values(BY_CODE)].map((info) => [info.name, info]),
);
const CODE_BY_NAME = new Map<string, ResultCode>(
  Object.entries(BY_CODE).map(([code, info]) => [info.name, Number(code) as ResultCode]),
);

/** The row of a result; throws on a number that is no result, which only a program's fault can bring here. */
export function resultInfo(code: ResultCode): ResultInfo {
  const info = BY_CODE[code] as ResultInfo | undefined;
  if (info === undefined) throw new RangeError(`There is no result with the number ${String(code)}.`);
  return info;
}

/** `insufficient_funds` for `ResultCode.INSUFFICIENT_FUNDS`. */
export function resultName(code: ResultCode): string {
  return resultInfo(code).name;
}

/** The number of a result's name; undefined for a shape error and for a name that does not exist. */
export function resultCodeByName(name: string): ResultCode | undefined {
  return CODE_BY_NAME.get(name);
}

/** What a name means, results and shape errors alike; undefined for a name that does not exist. */
export function resultInfoByName(name: string): ResultInfo | undefined {
  return BY_NAME.get(name);
}

/** Whether the id stays bound to this refusal for ever. */
export function burnsId(code: ResultCode): boolean {
  return BY_CODE[code].burns;
}
