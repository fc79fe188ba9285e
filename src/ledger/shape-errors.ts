import { type ResultInfo, shape } from './result-info';

export const ACCOUNTS_MUST_BE_DIFFERENT = shape(
  'accounts_must_be_different',
  'The debit and the credit account must be two different accounts.',
);
export const AMOUNT_MUST_NOT_BE_ZERO = shape(
  'amount_must_not_be_zero',
  "The amount, at the ledger's scale, must be above zero.",
);
export const AMOUNT_TOO_LARGE = shape(
  'amount_too_large',
  "The amount, at the ledger's scale, has more than 38 digits.",
);
export const AMOUNT_PRECISION = shape(
  'amount_precision',
  'The amount has more digits after the point than the ledger keeps.',
);
export const ID_MUST_CARRY_TIME = shape(
  'id_must_carry_time',
  'Ids are remembered for a bounded time here, so an id must say when it was made: a UUIDv7, a ULID or a KSUID.',
);

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
  flags_invalid: shape(
    'flags_invalid',
    'The transfer has a kind or a flag that this version does not know, or that does not fit its form.',
  ),
  id_must_carry_time: ID_MUST_CARRY_TIME,
  pending_id_invalid: shape(
    'pending_id_invalid',
    'The pending id belongs to a post or a void, and is an id as any other.',
  ),
  reverses_invalid: shape(
    'reverses_invalid',
    'What is reversed is named by an id, in a transfer that neither holds, posts nor voids.',
  ),
  timeout_invalid: shape(
    'timeout_invalid',
    'A timeout is at most 100 years, of a pending transfer that is not imported.',
  ),
  amount_not_allowed: shape('amount_not_allowed', 'A void lets go of all that is held; it has no amount.'),
  balancing_not_allowed: shape('balancing_not_allowed', 'Only a plain or a pending transfer can be balancing.'),
  time_invalid: shape('time_invalid', 'A time is in microseconds since the Unix epoch, below 2^53.'),
  group_invalid: shape(
    'group_invalid',
    'A linked group has an id, and its transfers, 1 to 8,190, follow one another in one call.',
  ),
  metadata_too_large: shape('metadata_too_large', 'Metadata is at most 1,024 bytes.'),
  ledger_code_invalid: shape('ledger_code_invalid', 'A ledger code is 1 to 32 letters, digits, "_", "-" or ".".'),
  scale_invalid: shape('scale_invalid', 'A scale is a whole number from 0 to 18.'),
  rounding_invalid: shape('rounding_invalid', 'Rounding is ROUNDING_REJECT or ROUNDING_HALF_UP.'),
  limits_invalid: shape(
    'limits_invalid',
    'A minimum is a decimal of at most zero, a maximum of at least zero, 38 digits each.',
  ),
  change_empty: shape('change_empty', 'Say what is to be different: a limit, or whether the account is closed.'),
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
