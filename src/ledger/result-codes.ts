/**
 * Every name that the ledger gives to an outcome, with what each door makes of it: data only, no rule.
 *
 * `ResultCode` equals `ledger.v1.ResultCode` in proto/ledger/v1/record.proto and is what the log and the outcome rows hold.
 * Shape errors are found before the log and have a name but no number.
 */

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
}

/** One more than the largest `ResultCode`: the length of an array indexed by result. */
export const RESULT_CODE_COUNT = 26;

/** Canonical gRPC code names that a result of the ledger maps to. */
export type ResultGrpcCode = 'OK' | 'INVALID_ARGUMENT' | 'ALREADY_EXISTS' | 'NOT_FOUND' | 'FAILED_PRECONDITION';

export interface ResultInfo {
  /** Lower snake case; the same on every door. `ErrorInfo.reason` is this in upper case. */
  readonly name: string;
  /** One sentence for people; empty for `ok`. */
  readonly message: string;
  readonly grpc: ResultGrpcCode;
  readonly http: number;
  /** The refusal is remembered: the same id is answered with it for ever. */
  readonly burns: boolean;
}

const refused = (name: string, message: string): ResultInfo => ({
  name,
  message,
  grpc: 'FAILED_PRECONDITION',
  http: 422,
  burns: false,
});
const burned = (name: string, message: string): ResultInfo => ({ ...refused(name, message), burns: true });
const notFound = (name: string, message: string, burns: boolean): ResultInfo => ({
  name,
  message,
  grpc: 'NOT_FOUND',
  http: 422,
  burns,
});
const exists = (field: string, what: string): ResultInfo => ({
  name: `exists_with_different_${field}`,
  message: `This already exists with ${what}; nothing was changed.`,
  grpc: 'ALREADY_EXISTS',
  http: 409,
  burns: false,
});
const shape = (name: string, message: string): ResultInfo => ({
  name,
  message,
  grpc: 'INVALID_ARGUMENT',
  http: 400,
  burns: false,
});

const ACCOUNTS_MUST_BE_DIFFERENT = shape(
  'accounts_must_be_different',
  'The debit and the credit account must be two different accounts.',
);
const AMOUNT_MUST_NOT_BE_ZERO = shape(
  'amount_must_not_be_zero',
  "The amount, at the ledger's scale, must be above zero.",
);
const AMOUNT_TOO_LARGE = shape('amount_too_large', "The amount, at the ledger's scale, has more than 38 digits.");
const AMOUNT_PRECISION = shape('amount_precision', 'The amount has more digits after the point than the ledger keeps.');

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
};

/** Faults of shape: found without any state, refused before the log with INVALID_ARGUMENT or 400. */
export const SHAPE_ERRORS = {
  id_invalid: shape('id_invalid', 'The id must be a UUID (not all zeros or ones) or another text of 1 to 64 bytes.'),
  account_name_invalid: shape(
    'account_name_invalid',
    'An account name is 1 to 128 bytes of valid text without U+0000.',
  ),
  debit_account_required: shape('debit_account_required', 'Name the debit account by name or by handle, not by both.'),
  debit_account_invalid: shape('debit_account_invalid', 'The debit account is not a valid account name.'),
  credit_account_required: shape(
    'credit_account_required',
    'Name the credit account by name or by handle, not by both.',
  ),
  credit_account_invalid: shape('credit_account_invalid', 'The credit account is not a valid account name.'),
  amount_invalid: shape('amount_invalid', 'The amount must be a plain decimal: digits, or digits, a point and digits.'),
  amount_must_not_be_zero: AMOUNT_MUST_NOT_BE_ZERO,
  amount_too_large: AMOUNT_TOO_LARGE,
  amount_precision: AMOUNT_PRECISION,
  accounts_must_be_different: ACCOUNTS_MUST_BE_DIFFERENT,
  flags_invalid: shape('flags_invalid', 'The transfer has a flag that this version does not know.'),
  metadata_too_large: shape('metadata_too_large', 'Metadata is at most 1,024 bytes.'),
  ledger_code_invalid: shape('ledger_code_invalid', 'A ledger code is 1 to 32 letters, digits, "_", "-" or ".".'),
  scale_invalid: shape('scale_invalid', 'A scale is a whole number from 0 to 18.'),
  rounding_invalid: shape('rounding_invalid', 'Rounding is ROUNDING_REJECT or ROUNDING_HALF_UP.'),
  limits_invalid: shape(
    'limits_invalid',
    'A minimum is a decimal of at most zero, a maximum of at least zero, 38 digits each.',
  ),
  rows_length_invalid: shape('rows_length_invalid', 'Packed rows are whole rows of 64 bytes, one or more.'),
  batch_empty: shape('batch_empty', 'A batch has at least one item.'),
  batch_too_large: shape('batch_too_large', 'A batch has at most 8,190 items.'),
  // The names that the REST endpoint of transfers uses for the same faults, with its own sentences.
  request_id_invalid: shape('request_id_invalid', 'transfer request ID must be valid UUID'),
  from_required: shape('from_required', 'transfer sender account is required'),
  to_required: shape('to_required', 'transfer recipient account is required'),
  amount_lt_min: shape('amount_lt_min', 'The amount is below the smallest unit of the ledger.'),
} as const satisfies Record<string, ResultInfo>;

export type ShapeError = keyof typeof SHAPE_ERRORS;

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
