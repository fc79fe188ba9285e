/** `/api/v1/accounts`: opening them, listing them, their balances. */
import { type OpenAccountCommand, type UpdateAccountCommand } from '../../ledger/command-codec';
import { ResultCode, resultInfo } from '../../ledger/result-codes';
import { type AccountSpec, type AccountUpdate, LimitChange } from '../../proto/ledger-v1';
import { openAccountCommand, updateAccountCommand } from '../account-item';
import { accountPage, checkPage } from '../account-pages';
import { type Budget } from '../deadline';
import { faultOfResult, invalid } from '../errors';
import { ItemFault } from '../item-fault';
import { type Limits } from '../limits';
import { type NodePort } from '../node-port';
import { accountNamed, type AccountState, readAt } from '../reads';
import { submitItems } from '../submit-items';
import { accountJson, balanceJson } from './account-json';
import {
  base64Bytes,
  isNull,
  type JsonObject,
  notTheJson,
  optionalFlag,
  optionalInteger,
  optionalText,
  parseObject,
  refuseUnknownFields,
  uint64Text,
} from './body';
import { getPastBalance, getStatement } from './past';
import { BALANCE_PARAMETERS, momentIn, STATEMENT_PARAMETERS } from './past-query';
import { CONSISTENCY, CONSISTENCY_ONLY, consistencyOf, NO_PARAMETERS, type QueryNames, wholeNumber } from './query';
import { ok, type Reply } from './reply';
import { endpoint, type HttpRequest, type Methods } from './router';
import { DEFAULT_LEDGER } from './transfers';

const PAGE_PARAMETERS: QueryNames = { once: ['page_size', 'page_token', 'ledger', 'prefix', ...CONSISTENCY] };
const OPENING_FIELDS = [
  ...['name', 'ledger', 'min_balance', 'no_min_balance', 'max_balance', 'user_data', 'metadata', 'imported_time'],
];
const CHANGE_FIELDS = ['closed', 'min_balance', 'max_balance'];

export function accountRoutes(port: NodePort, limits: Limits): Record<string, Methods> {
  return {
    '/api/v1/accounts': {
      GET: endpoint(PAGE_PARAMETERS, (request) => listAccounts(port, limits, request)),
      POST: endpoint(NO_PARAMETERS, (request) => openAccount(port, limits, request)),
    },
    '/api/v1/accounts/{name}': {
      GET: endpoint(CONSISTENCY_ONLY, (request) => getAccount(port, request)),
      PATCH: endpoint(NO_PARAMETERS, (request) => updateAccount(port, limits, request)),
    },
    '/api/v1/accounts/{name}/balance': { GET: endpoint(BALANCE_PARAMETERS, (request) => getBalance(port, request)) },
    '/api/v1/accounts/{name}/statement': {
      GET: endpoint(STATEMENT_PARAMETERS, (request) => getStatement(port, limits, request)),
    },
  };
}

async function openAccount(port: NodePort, limits: Limits, request: HttpRequest): Promise<Reply> {
  const body = parseObject(request.body);
  const opening = openAccountCommand(specIn(body), port.ledger);
  if (opening instanceof ItemFault) throw faultOfResult(opening.info, opening.field);
  const command = isNull(body, 'max_balance') ? { ...opening, max: { kind: 'none' } as const } : opening;
  return writeAccount(port, limits, request.budget, command, command.name);
}

async function updateAccount(port: NodePort, limits: Limits, request: HttpRequest): Promise<Reply> {
  const command = updateAccountCommand(updateIn(parseObject(request.body), request.params['name'] ?? ''), port.ledger);
  if (command instanceof ItemFault) throw faultOfResult(command.info, command.field);
  return writeAccount(port, limits, request.budget, command, request.params['name'] ?? '');
}

/** Opens or changes one account, and answers with it as it is then: 201 where it may be new, 200 where it was there. */
async function writeAccount(
  port: NodePort,
  limits: Limits,
  budget: Budget,
  command: OpenAccountCommand | UpdateAccountCommand,
  name: string,
): Promise<Reply> {
  const { outcomes, position } = await submitItems(port, limits, [command], 'account', budget);
  const outcome = outcomes[0];
  if (outcome === undefined || outcome instanceof ItemFault)
    throw new Error('An account was answered without an outcome.');
  if (outcome.result !== ResultCode.OK) throw faultOfResult(resultInfo(outcome.result));
  // It was done by the leader; this node is to have it before it shows it.
  const { value, position: at } = await readAt(port, { level: 'AT_LEAST', token: position.token }, budget, (reader) =>
    accountNamed(reader, name, 'name'),
  );
  const status = command.kind === 'open_account' ? 201 : 200;
  return ok({ ...accountJson(value), ...at }, status, outcome.replayed ? { 'Idempotency-Replayed': 'true' } : {});
}

/** What a body names is to be different; what it leaves out stays. */
function updateIn(body: JsonObject, account: string): AccountUpdate {
  const min = limitIn(body, 'min_balance');
  const max = limitIn(body, 'max_balance');
  // Neither closing nor opening again is something to guess.
  if (isNull(body, 'closed'))
    throw invalid('closed', 'JSON_INVALID', 'closed is true or false, not null; left out, it stays as it is.');
  const closed = Object.hasOwn(body, 'closed') ? { closed: optionalFlag(body, 'closed') } : {};
  refuseUnknownFields(body, CHANGE_FIELDS);
  return {
    ...{ account, handle: '0', ...closed },
    ...{ min_change: min.change, min_balance: min.text, max_change: max.change, max_balance: max.text },
  };
}

/** Decimal text, `default` for the ledger's own limit, null for none. */
function limitIn(body: JsonObject, field: string): { readonly change: number; readonly text: string } {
  if (!Object.hasOwn(body, field)) return { change: LimitChange.KEEP, text: '' };
  const value = body[field];
  if (value === null) return { change: LimitChange.NONE, text: '' };
  if (typeof value !== 'string') throw notTheJson();
  return value === 'default'
    ? { change: LimitChange.LEDGER_DEFAULT, text: '' }
    : { change: LimitChange.SET, text: value };
}

/** A limit that is null is none, as where accounts are shown; one that is left out is the ledger's. */
function specIn(body: JsonObject): AccountSpec {
  const min = optionalText(body, 'min_balance');
  const max = optionalText(body, 'max_balance');
  const spec = {
    name: optionalText(body, 'name') ?? '',
    ledger: optionalText(body, 'ledger') ?? DEFAULT_LEDGER,
    ...(min === undefined ? {} : { min_balance: min }),
    no_min_balance: optionalFlag(body, 'no_min_balance') || isNull(body, 'min_balance'),
    ...(max === undefined ? {} : { max_balance: max }),
    user_data: uint64Text(body, 'user_data'),
    metadata: base64Bytes(body, 'metadata'),
    imported_time: String(optionalInteger(body, 'imported_time') ?? 0),
  };
  refuseUnknownFields(body, OPENING_FIELDS);
  return spec;
}

async function listAccounts(port: NodePort, limits: Limits, request: HttpRequest): Promise<Reply> {
  const { query, budget } = request;
  const page = {
    size: wholeNumber(query, 'page_size'),
    token: query.get('page_token') ?? '',
    ledger: query.get('ledger') ?? '',
    prefix: query.get('prefix') ?? '',
  };
  const { from, size } = checkPage(page, limits);
  const { value, position } = await readAt(port, consistencyOf(query), budget, (reader) =>
    accountPage(reader, page, from, size),
  );
  return ok({ accounts: value.accounts.map(accountJson), next_page_token: value.nextToken, ...position });
}

async function getAccount(port: NodePort, request: HttpRequest): Promise<Reply> {
  const { value, position } = await readNamed(port, request);
  return ok({ ...accountJson(value), ...position });
}

async function getBalance(port: NodePort, request: HttpRequest): Promise<Reply> {
  const at = momentIn(request.query);
  if (at !== undefined) return getPastBalance(port, request, at);
  const { value, position } = await readNamed(port, request);
  const { posted, available } = balanceJson(value);
  const { account } = value;
  const { offset, token } = position;
  return ok({ account: account.name, ledger: account.ledger.code, posted, available, offset, token });
}

function readNamed(port: NodePort, request: HttpRequest): ReturnType<typeof readAt<AccountState>> {
  return readAt(port, consistencyOf(request.query), request.budget, (reader) =>
    accountNamed(reader, request.params['name'] ?? '', 'name'),
  );
}
