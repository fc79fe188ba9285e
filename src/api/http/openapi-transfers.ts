/** The calls about transfers and transactions in openapi.ts. */
import { listTransfers } from './openapi-past';
import { consistency, content, error, json, path, POSITION, unavailable, UUID } from './openapi-parts';

const OTHER_UUID = 'b0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11';
const TIMESTAMP = 1700000000000000;

export function transferPaths(): Record<string, object> {
  return {
    '/api/v1/transfers': { get: listTransfers(), post: createTransfer() },
    '/api/v1/transfers/{request_id}': { get: getTransfer() },
    '/api/v1/transfers/{request_id}/post': { post: follow('postTransfer', 'Post a hold, all of it or a part', 'post') },
    '/api/v1/transfers/{request_id}/void': { post: follow('voidTransfer', 'Let go of a hold', 'void') },
    '/api/v1/transfers/{request_id}/reverse': {
      post: follow('reverseTransfer', 'Send back what a transfer moved, all of it or a part', 'reversal'),
    },
    '/api/v1/transactions': { post: createTransaction() },
  };
}

/** A transfer as the longer answers show it. */
function done(id: string, kind: string, moved: string): object {
  const names = { from: 'Alice', to: 'Bob', ledger: 'USD' };
  const amounts = { amount_moved: moved, amount_held: '0.00' };
  return { request_id: id, kind, result: 'ok', ...names, ...amounts, offset: 41, timestamp: TIMESTAMP };
}

/** `Idempotency-Replayed`. */
const REPLAYED = {
  'Idempotency-Replayed': {
    description: '`true` where the same request was done before: nothing moved now.',
    schema: { type: 'string', enum: ['true'] },
  },
};

function createTransfer(): object {
  const body = { from: 'Alice', to: 'Bob', amount: '0.5', request_id: UUID };
  const answer = { request_id: UUID, from: 'Alice', amount: '0.50', to: 'Bob' };
  return {
    operationId: 'createTransfer',
    summary: 'Move money from one account to another, once per request_id',
    requestBody: { required: true, content: content('TransferRequest', body) },
    responses: {
      201: {
        ...json('Transfer', 'Done, now or by the same request before.', answer),
        headers: REPLAYED,
      },
      400: json(
        'Error',
        'The request has a fault; nothing was recorded.',
        error('from_required', 'transfer sender account is required'),
      ),
      409: json(
        'Error',
        'The request_id belongs to another transfer.',
        error('exists_with_different_amount', 'This already exists with another amount; nothing was changed.'),
      ),
      413: json(
        'Error',
        'The body is too large.',
        error('body_too_large', 'A request body has at most 1048576 bytes.'),
      ),
      422: json(
        'Error',
        'Refused by the rules of money.',
        error('insufficient_funds', 'The debit account has less available than the amount of the transfer.'),
      ),
      ...unavailable(),
    },
  };
}

function getTransfer(): object {
  const transfer = {
    request_id: UUID,
    from: 'Alice',
    amount: '0.50',
    to: 'Bob',
    ledger: 'USD',
    result: 'ok',
    kind: 'plain',
    balancing: false,
    amount_moved: '0.50',
    code: 0,
    user_data: '0',
    metadata: '',
    offset: 41,
    timestamp: TIMESTAMP,
    effective_time: null,
    imported_time: null,
    timeout_ms: null,
    pending_id: null,
    reverses: null,
    reversed_by: [OTHER_UUID],
    transaction: null,
    hold: null,
    as_of: POSITION,
  };
  return {
    operationId: 'getTransfer',
    summary: 'A transfer that was done, or was refused for good',
    parameters: [path('request_id', 'The UUID, in any spelling.', UUID), ...consistency()],
    responses: {
      200: json('TransferView', 'The transfer.', transfer),
      400: json('Error', 'The path holds no id.', error('id_invalid', 'The id must be a UUID or another text.')),
      404: json(
        'Error',
        'No such transfer.',
        error('transfer_not_found', 'No transfer with this id was done or refused for good.'),
      ),
      ...unavailable(),
    },
  };
}

function follow(operationId: string, summary: string, kind: string): object {
  const request = { request_id: OTHER_UUID, ...(kind === 'void' ? {} : { amount: '0.30' }) };
  const moved = kind === 'void' ? '0.00' : '0.30';
  const refused =
    {
      post: error('pending_transfer_expired', 'The hold has expired.'),
      void: error('pending_transfer_already_posted', 'The hold was posted before.'),
    }[kind] ?? error('reversed_transfer_not_found', 'There is no transfer under the id that is to be reversed.');
  return {
    operationId,
    summary,
    parameters: [path('request_id', 'The id of the transfer that this is about.', UUID)],
    requestBody: { required: true, content: content('FollowRequest', request) },
    responses: {
      201: {
        ...json('DoneTransfer', 'Done, now or by the same request before.', {
          ...done(OTHER_UUID, kind, moved),
          token: POSITION.token,
        }),
        headers: REPLAYED,
      },
      400: json('Error', 'The request has a fault.', error('id_invalid', 'The id must be a UUID or another text.')),
      409: json(
        'Error',
        'The request_id belongs to another transfer.',
        error('exists_with_different_flags', 'This already exists with other flags; nothing was changed.'),
      ),
      422: json('Error', 'Refused by the rules of money.', refused),
      ...unavailable(),
    },
  };
}

/** The answer to a dry run. */
function wouldBe(): object {
  const ok = { result: 'ok', message: '' };
  const totals = { debits_posted: '10.00', credits_posted: '10.00', debits_pending: '0.00', credits_pending: '0.00' };
  return {
    ...{ id: 'sale-1', dry_run: true, ...ok, replayed: false },
    transfers: [{ request_id: UUID, ...ok, amount_moved: '10.00', amount_held: '0.00' }],
    balances: [{ account: 'Alice', ledger: 'USD', posted: '0.00', available: '0.00', ...totals, version: 2 }],
    ...POSITION,
  };
}

function createTransaction(): object {
  const transfers = [
    { request_id: UUID, from: 'Alice', to: 'Shop', amount: '10', ledger: 'USD' },
    { request_id: OTHER_UUID, from: 'Shop', to: 'Fees', amount: '0.30', ledger: 'USD' },
  ];
  const answers = [done(UUID, 'plain', '10.00'), done(OTHER_UUID, 'plain', '0.30')];
  const failed = {
    ...error('insufficient_funds', 'The debit account has less available than the amount of the transfer.'),
    id: 'sale-1',
    transfers: [
      { request_id: UUID, result: 'insufficient_funds', message: 'The debit account has less available.' },
      { request_id: OTHER_UUID, result: 'linked_transfer_failed', message: 'Another transfer of the group failed.' },
    ],
  };
  return {
    operationId: 'createTransaction',
    summary: 'Several transfers, of any kind: all of them are done or none',
    requestBody: { required: true, content: content('TransactionRequest', { id: 'sale-1', transfers }) },
    responses: {
      200: json('TransactionDryRun', 'With `dry_run`: what it would come to. Nothing was done.', wouldBe()),
      201: {
        ...json('Transaction', 'Done, now or by the same request before.', {
          id: 'sale-1',
          result: 'ok',
          transfers: answers,
          ...POSITION,
        }),
        headers: REPLAYED,
      },
      400: json('TransactionError', 'The request has a fault.', error('json_invalid', 'problems parsing JSON')),
      409: json(
        'TransactionError',
        'The id, or that of a transfer, belongs to something else.',
        error(
          'exists_with_different_transfers',
          'This already exists with other transfers in the group, or in another order; nothing was changed.',
        ),
      ),
      422: json('TransactionError', 'Refused by the rules of money.', failed),
      ...unavailable(),
    },
  };
}
