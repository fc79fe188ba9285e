/** `/api/v1/balances`: those of several accounts, all of one state. */
import { normaliseName } from '../../ledger/identifiers';
import { faultOfResult, invalid, refusalInfo } from '../errors';
import { type Limits } from '../limits';
import { type NodePort } from '../node-port';
import { readAt, stateOf } from '../reads';
import { namedBalanceJson } from './account-json';
import { CONSISTENCY, consistencyOf } from './query';
import { ok, type Reply } from './reply';
import { endpoint, type HttpRequest, type Methods } from './router';

export function balanceRoutes(port: NodePort, limits: Limits): Record<string, Methods> {
  const parameters = { once: CONSISTENCY, lists: ['account'] };
  return { '/api/v1/balances': { GET: endpoint(parameters, (request) => getBalances(port, limits, request)) } };
}

async function getBalances(port: NodePort, limits: Limits, { query, budget }: HttpRequest): Promise<Reply> {
  const names = namesIn(query, limits);
  const { value, position } = await readAt(port, consistencyOf(query), budget, (reader) =>
    names.map((name) => {
      const account = reader.account(name);
      return account === undefined ? { account: name, ...NO_BALANCE } : namedBalanceJson(stateOf(reader, account));
    }),
  );
  return ok({ balances: value, ...position });
}

/** What stands in the place of an account that does not exist. */
const NO_BALANCE = {
  ...{ ledger: null, posted: null, available: null, debits_posted: null, credits_posted: null },
  ...{ debits_pending: null, credits_pending: null, version: 0 },
};

function namesIn(query: URLSearchParams, limits: Limits): string[] {
  const asked = query.getAll('account');
  if (asked.length === 0) throw invalid('account', 'QUERY_INVALID', 'Name the accounts: ?account=Alice&account=Bob.');
  if (asked.length > limits.pageItems) {
    const message = `At most ${limits.pageItems} accounts can be asked for at once, not ${asked.length}.`;
    throw invalid('account', 'PAGE_TOO_LARGE', message);
  }
  return asked.map((text) => {
    const name = normaliseName(text);
    if (name === undefined) throw faultOfResult(refusalInfo('account_name_invalid'), 'account');
    return name;
  });
}
