/** The schemas of transfers and transactions in openapi.ts. */
import {
  DECIMAL,
  METADATA,
  MICROSECONDS,
  MICROSECONDS_OR_NULL,
  NUMBER,
  object,
  OFFSET,
  ref,
  request,
  TEXT,
  TOKEN,
  USER_DATA,
  UUID,
} from './openapi-types';

const TEXT_OR_NULL = { type: ['string', 'null'] };
const ID = { type: 'string', description: 'A UUID in any spelling, or another text of 1 to 64 bytes.' };
const AMOUNT = { type: 'string', description: 'Decimal text, never a JSON number.' };
const KIND = { type: 'string', enum: ['plain', 'pending', 'post', 'void'], default: 'plain' };
const PAYMENT = { request_id: UUID, from: TEXT, amount: DECIMAL, to: TEXT };

/** What the ledger keeps beside the money. */
const KEPT = {
  code: { type: 'integer', description: '32 bits without a sign.', default: 0 },
  user_data: USER_DATA,
  metadata: METADATA,
  effective_time: {
    ...MICROSECONDS,
    description: 'When it counts as having happened, in microseconds since the Unix epoch.',
  },
  imported_time: { ...MICROSECONDS, description: 'Import of history: when it happened in other books.' },
};

const NEW = {
  timeout_ms: {
    type: 'integer',
    description: 'Of a pending one: it expires so many milliseconds after its timestamp.',
  },
  balancing: { type: 'boolean', default: false, description: 'Move, or hold, what the payer has, up to the amount.' },
};

const DONE = {
  request_id: ID,
  kind: { type: 'string', enum: ['plain', 'pending', 'post', 'void', 'reversal'] },
  result: { type: 'string', enum: ['ok'] },
  from: TEXT_OR_NULL,
  to: TEXT_OR_NULL,
  ledger: TEXT_OR_NULL,
  amount_moved: DECIMAL,
  amount_held: DECIMAL,
  offset: { type: 'integer', description: "The transfer's own offset in the log." },
  timestamp: MICROSECONDS,
};

const HOLD = {
  ...object({
    amount: DECIMAL,
    status: { type: 'string', enum: ['pending', 'posted', 'voided', 'expired'] },
    expires_at: {
      type: ['integer', 'null'],
      description: 'From then on it cannot be posted, whatever its status says yet.',
    },
    resolved_by: { type: ['string', 'null'], description: 'The transfer that posted or voided it.' },
  }),
  type: ['object', 'null'],
};

/** The transfer that another one is about. */
const REFERS = {
  pending_id: { ...ID, description: 'Of a post or a void: the pending transfer.' },
  reverses: { ...ID, description: 'The transfer that is reversed.' },
};

export const TRANSFER_SCHEMAS: Readonly<Record<string, object>> = {
  TransferRequest: {
    ...request(
      {
        request_id: { type: 'string', description: 'A UUID in any spelling; makes the request safe to repeat.' },
        from: { type: 'string', description: 'Name of the account that pays.' },
        to: { type: 'string', description: 'Name of the account that is paid.' },
        amount: AMOUNT,
        ledger: {
          type: 'string',
          description: 'USD if left out; of a post, a void or a reversal that of the other one.',
        },
        kind: KIND,
        ...REFERS,
        ...NEW,
        ...KEPT,
      },
      ['request_id'],
    ),
    description:
      'from, to and amount are required, but of a transfer that posts, voids or reverses another one: it has that one’s where they are left out.',
  },
  Payment: object(PAYMENT),
  DoneTransfer: object({ ...DONE, token: TOKEN }),
  Transfer: { anyOf: [ref('Payment'), ref('DoneTransfer')] },
  FollowRequest: request(
    {
      request_id: ID,
      amount: { ...AMOUNT, description: 'Part of it; left out: all of it.' },
      from: TEXT,
      to: TEXT,
      ledger: TEXT,
      ...KEPT,
    },
    ['request_id'],
  ),
  TransactionRequest: request(
    {
      id: ID,
      transfers: { type: 'array', items: ref('TransactionMember') },
      dry_run: { type: 'boolean', default: false, description: 'Say what it would come to, and do nothing.' },
    },
    ['id', 'transfers'],
  ),
  TransactionMember: request(
    {
      request_id: ID,
      kind: KIND,
      from: TEXT,
      to: TEXT,
      amount: AMOUNT,
      ledger: { type: 'string', description: 'Needed where the transfer is to open an account.' },
      ...REFERS,
      ...NEW,
      ...KEPT,
    },
    ['request_id'],
  ),
  Transaction: object({
    id: ID,
    result: { type: 'string', enum: ['ok'] },
    transfers: { type: 'array', items: object(DONE) },
    offset: OFFSET,
    token: TOKEN,
  }),
  TransactionDryRun: object({
    id: ID,
    dry_run: { type: 'boolean', enum: [true] },
    result: { type: 'string', description: 'What the transaction would say: `ok`, or the `code` of its refusal.' },
    message: TEXT,
    replayed: { type: 'boolean', description: 'It was decided before: nothing would happen now.' },
    transfers: {
      type: 'array',
      items: object({
        ...{ request_id: TEXT, result: TEXT, message: TEXT },
        ...{ amount_moved: TEXT_OR_NULL, amount_held: TEXT_OR_NULL },
      }),
    },
    balances: {
      type: 'array',
      items: ref('NamedBalance'),
      description: 'Of every account that is named and would be there afterwards, as it would be afterwards.',
    },
    offset: OFFSET,
    token: TOKEN,
  }),
  TransactionError: object(
    {
      message: { type: 'string', description: 'One sentence for people.' },
      code: { type: 'string', description: 'The result of the transfer that failed it, lower snake case.' },
      id: ID,
      transfers: { type: 'array', items: object({ request_id: TEXT, result: TEXT, message: TEXT }) },
    },
    ['message', 'code'],
  ),
  TransferView: object({
    ...PAYMENT,
    ledger: TEXT_OR_NULL,
    kind: DONE.kind,
    balancing: { type: 'boolean' },
    result: TEXT,
    amount_moved: TEXT_OR_NULL,
    code: NUMBER,
    user_data: USER_DATA,
    metadata: METADATA,
    offset: DONE.offset,
    timestamp: MICROSECONDS,
    effective_time: MICROSECONDS_OR_NULL,
    imported_time: MICROSECONDS_OR_NULL,
    timeout_ms: { type: ['integer', 'null'] },
    pending_id: { ...TEXT_OR_NULL, description: 'Of a post or a void: the pending transfer.' },
    reverses: { ...TEXT_OR_NULL, description: 'The transfer that it reverses.' },
    reversed_by: { type: 'array', items: TEXT, description: 'The transfers that reverse it, in the order of the log.' },
    transaction: { ...TEXT_OR_NULL, description: 'The transaction that it came in.' },
    hold: HOLD,
    as_of: object({ token: TOKEN, offset: OFFSET }),
  }),
};
