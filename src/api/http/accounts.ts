/** `/api/v1/accounts`: opening them, listing them, their balances. */
import { formatMinor } from '../../ledger/amounts';
import { ResultCode, resultInfo } from '../../ledger/result-codes';
import { type AccountSpec } from '../../proto/ledger-v1';
import { openAccountCommand } from '../account-item';
import { accountPage, checkPage } from '../account-pages';
import { faultOfResult } from '../errors';
import { ItemFault } from '../item-fault';
import { type Limits } from '../limits';
import { type NodePort } from '../node-port';
import { accountNamed, type AccountState, readAt } from '../reads';
import { submitItems } from '../submit-items';
import { type JsonObject, notTheJson, optionalFlag, optionalText, parseObject } from './body';
import { consistencyOf, refuseUnbuilt, unbuilt, wholeNumber } from './query';
import { ok, type Reply } from './reply';
import { type HttpRequest, type Methods } from './router';
import { DEFAULT_LEDGER } from './transfers';

export function accountRoutes(port: NodePort, limits: Limits): Record<string, Methods> {
  return {
    '/api/v1/accounts': {
      GET: (request) => listAccounts(port, limits, request),
      POST: (request) => openAccount(port, limits, request),
    },
    '/api/v1/accounts/{name}': { GET: (request) => getAccount(port, request) },
    '/api/v1/accounts/{name}/balance': { GET: (request) => getBalance(port, request) },
    '/api/v1/accounts/{name}/statement': {
      GET: () => {
        throw unbuilt('The statement of an account');
      },
    },
  };
}

async function openAccount(port: NodePort, limits: Limits, request: HttpRequest): Promise<Reply> {
  const command = openAccountCommand(specIn(parseObject(request.body)), port.ledger);
  if (command instanceof ItemFault) throw faultOfResult(command.info, command.field);
  const { outcomes, position } = await submitItems(port, limits, [command], 'account', request.budget);
  const outcome = outcomes[0];
  if (outcome === undefined || outcome instanceof ItemFault)
    throw new Error('An account was answered without an outcome.');
  if (outcome.result !== ResultCode.OK) throw faultOfResult(resultInfo(outcome.result));
  // The account was opened by the leader; this node is to have it before it shows it.
  const { value, position: at } = await readAt(
    port,
    { level: 'AT_LEAST', token: position.token },
    request.budget,
    (reader) => accountNamed(reader, command.name, 'name'),
  );
  return ok({ ...accountJson(value), ...at }, 201, outcome.replayed ? { 'Idempotency-Replayed': 'true' } : {});
}

function specIn(body: JsonObject): AccountSpec {
  const min = optionalText(body, 'min_balance');
  const max = optionalText(body, 'max_balance');
  return {
    name: optionalText(body, 'name') ?? '',
    ledger: optionalText(body, 'ledger') ?? DEFAULT_LEDGER,
    ...(min === undefined ? {} : { min_balance: min }),
    no_min_balance: optionalFlag(body, 'no_min_balance'),
    ...(max === undefined ? {} : { max_balance: max }),
    user_data: userDataIn(body),
    metadata: metadataIn(body),
  };
}

/** 64 bits without a sign, as text: JSON's numbers are not exact beyond 2^53. */
function userDataIn(body: JsonObject): string {
  const text = optionalText(body, 'user_data') ?? '0';
  if (!/^\d{1,20}$/.test(text) || BigInt(text) >= 1n << 64n) throw notTheJson();
  return text;
}

function metadataIn(body: JsonObject): Buffer {
  const text = optionalText(body, 'metadata') ?? '';
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text)) throw notTheJson();
  return Buffer.from(text, 'base64');
}

async function listAccounts(port: NodePort, limits: Limits, request: HttpRequest): Promise<Reply> {
  const { query, budget } = request;
  const page = {
    size: wholeNumber(query, 'page_size'),
    token: query.get('page_token') ?? '',
    ledger: query.get('ledger') ?? '',
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
  refuseUnbuilt(request.query, 'at');
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

interface BalanceJson {
  readonly posted: string;
  /** Null where the account has no lower limit. */
  readonly available: string | null;
  readonly debits_posted: string;
  readonly credits_posted: string;
  readonly debits_pending: string;
  readonly credits_pending: string;
  readonly version: number;
}

function balanceJson({ account, balance }: AccountState): BalanceJson {
  const text = (minor: bigint): string => formatMinor(minor, account.ledger.scale);
  return {
    posted: text(balance.posted),
    available: balance.available === undefined ? null : text(balance.available),
    debits_posted: text(balance.debitsPosted),
    credits_posted: text(balance.creditsPosted),
    debits_pending: text(balance.debitsPending),
    credits_pending: text(balance.creditsPending),
    version: balance.version,
  };
}

function accountJson(state: AccountState): object {
  const { account } = state;
  const limit = (minor: bigint | undefined): string | null =>
    minor === undefined ? null : formatMinor(minor, account.ledger.scale);
  return {
    name: account.name,
    ledger: account.ledger.code,
    handle: String(account.handle),
    balance: balanceJson(state),
    min_balance: limit(account.minBalance),
    max_balance: limit(account.maxBalance),
    closed: account.closed,
    user_data: account.userData.toString(),
    metadata: account.metadata.toString('base64'),
    opened_at: account.openedAt,
  };
}
