/** `/openapi.json`: what this server takes and gives, for tools. OpenAPI 3.1. */
import { NO_PARAMETERS } from './query';
import { endpoint, type Methods } from './router';
import { ok } from './reply';
import { consistency, content, error, json, noAccount, path, POSITION, query, unavailable } from './openapi-parts';
import { eventPaths } from './openapi-events';
import { ledgerPaths } from './openapi-ledgers';
import { getStatement, pastBalanceParameters } from './openapi-past';
import { proofPaths } from './openapi-proofs';
import { SCHEMAS } from './openapi-schemas';
import { transferPaths } from './openapi-transfers';

export function openApiRoutes(version: string): Record<string, Methods> {
  const description = document(version);
  return { '/openapi.json': { GET: endpoint(NO_PARAMETERS, () => ok(description)) } };
}

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
  imported_time: null,
};

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
      ...transferPaths(),
      ...ledgerPaths(),
      '/api/v1/accounts': { get: listAccounts(), post: openAccount() },
      '/api/v1/accounts/{name}': { get: getAccount(), patch: updateAccount() },
      '/api/v1/accounts/{name}/balance': { get: getBalance() },
      '/api/v1/balances': { get: getBalances() },
      '/api/v1/accounts/{name}/statement': { get: getStatement() },
      ...proofPaths(),
      ...eventPaths(),
      ...operations(),
    },
    components: {
      schemas: SCHEMAS,
      responses: { Error: json('Error', 'Refused.', error('no_leader', 'Why, for people.')) },
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
      query('prefix', 'Only names that begin with it; a page may then be short.', { type: 'string' }, 'users:'),
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

function updateAccount(): object {
  const violated = error('limit_violated', 'The balance of the account, with its holds, is outside the new limits.');
  return {
    operationId: 'updateAccount',
    summary: 'Close an account, open it again, give it other limits; what is not named stays',
    parameters: [path('name', 'The name, percent-encoded.', 'Alice')],
    requestBody: { required: true, content: content('AccountUpdate', { closed: true, max_balance: null }) },
    responses: {
      200: json('Account', 'The account.', { ...ACCOUNT, closed: true, ...POSITION }),
      400: json(
        'Error',
        'The request has a fault.',
        error('change_empty', 'Say what is to be different: a limit, or whether the account is closed.'),
      ),
      422: json('Error', 'No such account, or its balance is outside the new limits.', violated),
      ...unavailable(),
    },
  };
}

function getBalance(): object {
  const balance = { account: 'Alice', ledger: 'USD', posted: '9.50', available: '9.50', ...POSITION };
  return {
    operationId: 'getBalance',
    summary: 'The balance of an account',
    parameters: [path('name', 'The name, percent-encoded.', 'Alice'), ...pastBalanceParameters(), ...consistency()],
    responses: {
      200: json('Balance', 'The balance.', balance),
      400: json(
        'Error',
        'The point in time cannot be read, or has not come.',
        error('offset_not_reached', 'There is no record at offset 99 yet; the last one is at 41.'),
      ),
      404: noAccount(),
      ...unavailable(),
    },
  };
}

function getBalances(): object {
  const accounts = query('account', 'The names; at most 1,000.', { type: 'array', items: { type: 'string' } }, [
    'Alice',
  ]);
  const balances = [{ account: 'Alice', ledger: 'USD', ...BALANCE }];
  return {
    operationId: 'getBalances',
    summary: 'The balances of several accounts, all of one state',
    parameters: [{ ...accounts, required: true, style: 'form', explode: true }, ...consistency()],
    responses: {
      200: json('Balances', 'The balances.', { balances, ...POSITION }),
      400: json(
        'Error',
        'The request has a fault.',
        error('query_invalid', 'Name the accounts: ?account=Alice&account=Bob.'),
      ),
      ...unavailable(),
    },
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
