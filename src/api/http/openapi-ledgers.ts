/** The making of ledgers as the description of the API has it. */
import { content, error, json, POSITION, unavailable } from './openapi-parts';
import { DECIMAL_OR_NULL, MICROSECONDS, object, OFFSET, request, TEXT, TOKEN } from './openapi-types';

const ROUNDING = { type: 'string', enum: ['reject', 'half_up'], default: 'reject' };
const SCALE = { type: 'integer', minimum: 0, maximum: 18, description: 'Digits after the decimal point.' };
const AUTO_OPEN = { type: 'boolean', default: false, description: 'Accounts appear at first use.' };
const CODE = { ...TEXT, description: '1 to 32 bytes: letters, digits, `_`, `-`, `.`.' };

export const LEDGER_SCHEMAS: Readonly<Record<string, object>> = {
  LedgerRequest: request(
    {
      code: CODE,
      scale: SCALE,
      auto_open: AUTO_OPEN,
      rounding: ROUNDING,
      default_min_balance: {
        type: ['string', 'null'],
        description: 'Of its accounts: at most zero; null: no limit. Left out: 0.',
      },
      default_no_min_balance: { type: 'boolean', default: false, description: 'As `default_min_balance: null`.' },
      default_max_balance: {
        type: ['string', 'null'],
        description: 'Of its accounts: at least zero. Null or left out: no limit.',
      },
    },
    ['code', 'scale'],
  ),
  Ledger: object({
    code: CODE,
    scale: SCALE,
    auto_open: AUTO_OPEN,
    rounding: ROUNDING,
    default_min_balance: DECIMAL_OR_NULL,
    default_max_balance: DECIMAL_OR_NULL,
    created_at: MICROSECONDS,
    offset: OFFSET,
    token: TOKEN,
  }),
};

export function ledgerPaths(): Record<string, object> {
  return { '/api/v1/ledgers': { post: createLedger() } };
}

function createLedger(): object {
  const asked = { code: 'EUR', scale: 2, rounding: 'half_up' };
  const limits = { default_min_balance: '0.00', default_max_balance: null };
  const made = { ...asked, auto_open: false, ...limits, created_at: 1700000000000000, ...POSITION };
  return {
    operationId: 'createLedger',
    summary: 'Make a ledger; the same request again gets the same ledger, and it never changes',
    requestBody: { required: true, content: content('LedgerRequest', asked) },
    responses: {
      201: json('Ledger', 'The ledger.', made),
      400: json(
        'Error',
        'The request has a fault.',
        error('scale_invalid', 'The scale of a ledger is a number from 0 to 18.'),
      ),
      409: json(
        'Error',
        'The code belongs to a ledger with other content.',
        error('exists_with_different_scale', 'This already exists with another scale; nothing was changed.'),
      ),
      ...unavailable(),
    },
  };
}
