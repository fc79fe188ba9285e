/** `/openapi.json`: what this server takes and gives, for tools. OpenAPI 3.1. */
import { type Methods } from './router';
import { ok } from './reply';
import { SCHEMAS } from './openapi-schemas';

export function openApiRoutes(version: string): Record<string, Methods> {
  const description = document(version);
  return { '/openapi.json': { GET: () => ok(description) } };
}

const UUID = 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11';
const TOKEN = 'opaque-token-of-an-earlier-answer';

const BALANCE = {
  posted: '9.50',
  available: '9.50',
  debits_posted: '0.50',
  credits_posted: '10.00',
  debits_pending: '0.00',
  credits_pending: '0.00',
  version: 2,
};

const ACCOUNT = {
  name: 'Alice',
  ledger: 'USD',
  handle: '1',
  balance: BALANCE,
  min_balance: '0.00',
  max_balance: null,
  closed: false,
  user_data: '0',
  metadata: '',
  opened_at: 1700000000000000,
};

const POSITION = { offset: 41, token: TOKEN };

function document(version: string): object {
  return {
    openapi: '3.1.0',
    info: {
      title: 'ledger-node',
      version,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      description: 'Accounts and transfers of a replicated ledger. Amounts are decimal text, never floating point.',
    },
    servers: [{ url: '/' }],
    paths: {
      '/api/v1/transfers': { post: createTransfer() },
      '/api/v1/transfers/{request_id}': { get: getTransfer() },
      '/api/v1/accounts': { get: listAccounts(), post: openAccount() },
      '/api/v1/accounts/{name}': { get: getAccount() },
      '/api/v1/accounts/{name}/balance': { get: getBalance() },
      '/api/v1/accounts/{name}/statement': { get: getStatement() },
      ...operations(),
    },
    components: {
      schemas: SCHEMAS,
      responses: { Error: json('Error', 'Refused.', error('no_leader', 'Why, for people.')) },
    },
  };
}

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
        headers: {
          'Idempotency-Replayed': {
            description: '`true` where the same request was done before: nothing moved now.',
            schema: { type: 'string', enum: ['true'] },
          },
        },
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
    amount_moved: '0.50',
    code: 0,
    user_data: '0',
    metadata: '',
    offset: 41,
    timestamp: 1700000000000000,
    as_of: POSITION,
  };
  return {
    operationId: 'getTransfer',
    summary: 'A transfer that was done, or was refused for good',
    parameters: [path('request_id', 'The UUID, in any spelling.', UUID), ...consistency()],
    responses: {
      200: json('TransferView', 'The transfer.', transfer),
      404: json(
        'Error',
        'No such transfer.',
        error('transfer_not_found', 'No transfer with this id was done or refused for good.'),
      ),
      ...unavailable(),
    },
  };
}

function openAccount(): object {
  return {
    operationId: 'openAccount',
    summary: 'Open an account; the same request again gets the same account',
    requestBody: {
      required: true,
      content: content('AccountRequest', { name: 'Alice', ledger: 'USD', min_balance: '-100.00' }),
    },
    responses: {
      201: json('Account', 'The account.', { ...ACCOUNT, ...POSITION }),
      400: json(
        'Error',
        'The request has a fault.',
        error('account_name_invalid', 'An account name is 1 to 128 bytes of valid text without U+0000.'),
      ),
      409: json(
        'Error',
        'The name belongs to an account with other content.',
        error('exists_with_different_limits', 'This already exists with other limits; nothing was changed.'),
      ),
      422: json('Error', 'There is no such ledger.', error('ledger_not_found', 'The ledger does not exist.')),
      ...unavailable(),
    },
  };
}

function listAccounts(): object {
  return {
    operationId: 'listAccounts',
    summary: 'Accounts in the order in which they were opened',
    parameters: [
      query('page_size', 'At most 1,000; 100 if left out.', { type: 'integer', maximum: 1000 }, 100),
      query('page_token', '`next_page_token` of the answer before.', { type: 'string' }),
      query('ledger', "Only this ledger's.", { type: 'string' }, 'USD'),
      ...consistency(),
    ],
    responses: {
      200: json('AccountPage', 'One page.', { accounts: [ACCOUNT], next_page_token: '', ...POSITION }),
      ...unavailable(),
    },
  };
}

function getAccount(): object {
  return {
    operationId: 'getAccount',
    summary: 'An account with its balance',
    parameters: [path('name', 'The name, percent-encoded.', 'Alice'), ...consistency()],
    responses: {
      200: json('Account', 'The account.', { ...ACCOUNT, ...POSITION }),
      404: noAccount(),
      ...unavailable(),
    },
  };
}

function getBalance(): object {
  const balance = { account: 'Alice', ledger: 'USD', posted: '9.50', available: '9.50', ...POSITION };
  return {
    operationId: 'getBalance',
    summary: 'The balance of an account',
    parameters: [path('name', 'The name, percent-encoded.', 'Alice'), ...consistency()],
    responses: { 200: json('Balance', 'The balance.', balance), 404: noAccount(), ...unavailable() },
  };
}

function getStatement(): object {
  const answer = error('unimplemented', 'The statement of an account is not available in this version.');
  return {
    operationId: 'getStatement',
    summary: 'Not available in this version',
    parameters: [path('name', 'The name, percent-encoded.', 'Alice')],
    responses: { 501: json('Error', 'Not available in this version.', answer) },
  };
}

function operations(): object {
  const metrics = '# TYPE ledger_raft_term gauge\nledger_raft_term{group="0"} 1\n';
  const notReady = { status: 'unavailable', message: 'No leader is known.', code: 'not_ready' };
  return {
    '/api/v1/cluster': {
      get: {
        operationId: 'getCluster',
        summary: 'Members and state',
        responses: { 200: json('Cluster', 'The cluster as this node sees it.') },
      },
    },
    '/healthz': {
      get: {
        operationId: 'getHealth',
        summary: 'Alive',
        responses: { 200: json('Status', 'Alive.', { status: 'ok' }) },
      },
    },
    '/readyz': {
      get: {
        operationId: 'getReadiness',
        summary: 'Ready to serve',
        responses: { 200: json('Status', 'Ready.', { status: 'ok' }), 503: json('Status', 'Not ready.', notReady) },
      },
    },
    '/metrics': {
      get: {
        operationId: 'getMetrics',
        summary: 'Metrics in the Prometheus text format',
        responses: {
          200: { description: 'Metrics.', content: { 'text/plain': { schema: { type: 'string' }, example: metrics } } },
        },
      },
    },
  };
}

function content(schema: string, example?: object): object {
  return { 'application/json': { schema: { $ref: `#/components/schemas/${schema}` }, ...(example && { example }) } };
}

function json(schema: string, description: string, example?: object): object {
  return { description, content: content(schema, example) };
}

function error(code: string, message: string): object {
  return { message, code };
}

function noAccount(): object {
  return json('Error', 'No such account.', error('account_not_found', 'There is no account "Alice".'));
}

function unavailable(): object {
  const response = { $ref: '#/components/responses/Error' };
  return { 403: response, 429: response, 503: response, 504: response };
}

function path(name: string, description: string, example: string): object {
  return { name, in: 'path', required: true, description, schema: { type: 'string' }, example };
}

function query(name: string, description: string, schema: object, example?: unknown): object {
  return { name, in: 'query', required: false, description, schema, ...(example === undefined ? {} : { example }) };
}

function consistency(): object[] {
  const levels = { type: 'string', enum: ['linearizable', 'at_least', 'stale'], default: 'linearizable' };
  return [
    query('consistency', 'How new the answer must be.', levels, 'linearizable'),
    query('token', 'For at_least: the token of an earlier answer.', { type: 'string' }),
    query(
      'max_staleness_ms',
      'For stale: refuse when the leader was heard of longer ago; 0: no bound.',
      { type: 'integer' },
      0,
    ),
  ];
}
