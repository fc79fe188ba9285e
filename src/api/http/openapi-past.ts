/** Balances of the past, statements and lists of transfers as the description of the API has them. */
import { consistency, error, json, noAccount, path, POSITION, query, unavailable, UUID } from './openapi-parts';

const TEXT = { type: 'string' };
const BALANCE = {
  ...{ posted: '9.50', available: '9.50', debits_posted: '0.50', credits_posted: '10.00' },
  ...{ debits_pending: '0.00', credits_pending: '0.00' },
};
const OPENING = {
  ...{ posted: '10.00', available: '10.00', debits_posted: '0.00', credits_posted: '10.00' },
  ...{ debits_pending: '0.00', credits_pending: '0.00' },
};
const TIMESTAMP = 1700000000000000;
const ENTRY = { side: 'debit', other_account: 'Bob', change: '-0.50', pending_change: '0.00', balance: '9.50' };
const FAULT = 'A parameter cannot be read, or asks for what has not come yet.';

export const BY = query('by', 'The order, and what times are about.', {
  type: 'string',
  enum: ['posting', 'effective'],
  default: 'posting',
});

export function pastBalanceParameters(): object[] {
  const at = 'A balance of the past: an offset, a day or a time. Only then are the totals in the answer.';
  return [query('at', at, TEXT), BY];
}

function range(): object[] {
  return [
    query('from', 'From here on: an offset, a day or a time.', TEXT),
    query('to', 'Before there.', TEXT),
    BY,
    query('page_size', 'At most 1,000; 100 if left out.', { type: 'integer', maximum: 1000 }, 100),
    query('page_token', '`next_page_token` of the answer before.', TEXT),
    ...consistency(),
  ];
}

function refusals(): object {
  const message = 'There is no record at offset 99 yet; the last one is at 41.';
  return { 400: json('Error', FAULT, error('offset_not_reached', message)), ...unavailable() };
}

export function getStatement(): object {
  const names = { request_id: UUID, kind: 'plain' };
  const entry = { offset: 41, timestamp: TIMESTAMP, effective_time: TIMESTAMP, ...names, ...ENTRY };
  const page = {
    ...{ account: 'Alice', ledger: 'USD', opening: OPENING, closing: BALANCE },
    ...{ entries: [{ ...entry, code: 0, user_data: '0' }], next_page_token: '', ...POSITION },
  };
  const statement = json('Statement', 'One page.', page) as { content: object };
  const head = 'offset,time,effective_time,id,kind,side,other_account,change,pending_change,balance,code,user_data\r\n';
  return {
    operationId: 'getStatement',
    summary: 'What moved on an account, with its balance before, after each and at the end',
    parameters: [
      path('name', 'The name, percent-encoded.', 'Alice'),
      ...range(),
      query('format', 'csv: `Ledger-Next-Page-Token`, `Ledger-Offset` and `Ledger-Token` are headers.', {
        type: 'string',
        enum: ['json', 'csv'],
        default: 'json',
      }),
    ],
    responses: {
      200: { ...statement, content: { ...statement.content, 'text/csv': { schema: TEXT, example: head } } },
      404: noAccount(),
      ...refusals(),
    },
  };
}

export function listTransfers(): object {
  const names = { from: 'Alice', amount: '0.50', to: 'Bob', ledger: 'USD', kind: 'plain', balancing: false };
  const rest = { code: 0, user_data: '0', metadata: '', offset: 41, timestamp: TIMESTAMP, effective_time: null };
  const none = {
    imported_time: null,
    timeout_ms: null,
    pending_id: null,
    reverses: null,
    transaction: null,
    hold: null,
  };
  const transfer = {
    request_id: UUID,
    ...names,
    result: 'ok',
    amount_moved: '0.50',
    ...rest,
    ...none,
    reversed_by: [],
  };
  const several = { schema: { type: 'array', items: TEXT }, style: 'form', explode: true };
  const repeated = (name: string, description: string): object => ({
    ...{ name, in: 'query', required: false, description },
    ...several,
  });
  return {
    operationId: 'listTransfers',
    summary: 'Transfers that pass some filters, in pages that stay as they are while others are made',
    parameters: [
      query('account', 'Only what it pays or receives.', TEXT),
      query('side', 'With an account.', { type: 'string', enum: ['debit', 'credit'] }),
      query('ledger', "Only this ledger's.", TEXT),
      repeated('id', 'Any of these; at most 1,000.'),
      repeated('kind', 'plain, pending, post, void, reversal, expiry.'),
      repeated('result', 'Names of results, or `any`; `ok` if left out.'),
      repeated('code', 'Any of these.'),
      query('min_amount', 'Inclusive.', TEXT),
      query('max_amount', 'Inclusive.', TEXT),
      ...range(),
    ],
    responses: {
      200: json('TransferPage', 'One page.', { transfers: [transfer], next_page_token: '', ...POSITION }),
      404: noAccount(),
      ...refusals(),
    },
  };
}
