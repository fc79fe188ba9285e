/** The schemas of openapi-past.ts. */
import { TRANSFER_SCHEMAS } from './openapi-transfer-schemas';
import {
  DECIMAL,
  DECIMAL_OR_NULL,
  MICROSECONDS,
  NUMBER,
  object,
  OFFSET,
  ref,
  TEXT,
  TOKEN,
  USER_DATA,
} from './openapi-types';

const NULL_BY_EFFECT = { type: ['string', 'null'], description: 'Decimal text; null by effective time.' };

export const PAST_BALANCE = {
  posted: DECIMAL,
  available: DECIMAL_OR_NULL,
  debits_posted: DECIMAL,
  credits_posted: DECIMAL,
  debits_pending: NULL_BY_EFFECT,
  credits_pending: NULL_BY_EFFECT,
};

const ENTRY = {
  side: { type: 'string', enum: ['debit', 'credit'] },
  other_account: TEXT,
  change: { ...DECIMAL, description: 'Of the posted balance.' },
  pending_change: { ...DECIMAL, description: 'Of what is pending on that side.' },
  balance: { type: ['string', 'null'], description: 'Posted, after it; null where filters leave something out.' },
};
const NEXT = { type: 'string', description: 'Empty on the last page; a short page may have a next one.' };
const ENDS = { opening: ref('PastBalance'), closing: ref('PastBalance') };

function listedTransfer(): object {
  const { as_of: _, ...fields } = (TRANSFER_SCHEMAS['TransferView'] as { properties: Record<string, object> })
    .properties;
  return object({ ...fields, entry: object(ENTRY) }, Object.keys(fields));
}

export const PAST_SCHEMAS: Readonly<Record<string, object>> = {
  PastBalance: object(PAST_BALANCE),
  Statement: object(
    {
      ...{ account: TEXT, ledger: TEXT, ...ENDS },
      entries: {
        type: 'array',
        items: object({
          ...{ offset: NUMBER, timestamp: MICROSECONDS, effective_time: MICROSECONDS },
          request_id: { type: ['string', 'null'], description: 'Null: an expiry of a hold.' },
          ...{ kind: TEXT, ...ENTRY, code: NUMBER, user_data: USER_DATA },
        }),
      },
      ...{ next_page_token: NEXT, offset: OFFSET, token: TOKEN },
    },
    ['account', 'ledger', 'entries', 'next_page_token', 'offset', 'token'],
  ),
  TransferPage: object(
    {
      transfers: { type: 'array', items: listedTransfer() },
      ...{ ...ENDS, next_page_token: NEXT, offset: OFFSET, token: TOKEN },
    },
    ['transfers', 'next_page_token', 'offset', 'token'],
  ),
};
