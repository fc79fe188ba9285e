/** Reading at a stated consistency: wait until the state is new enough, then look at it in one turn. */
import { normaliseName } from '../ledger/identifiers';
import { type AccountView, type BalanceView, type LedgerReader } from '../ledger/reader';
import { type Budget, within } from './deadline';
import { faultOfResult, invalid, notFound, refusalInfo } from './errors';
import { type Consistency, type NodePort } from './node-port';

export interface ReadPosition {
  readonly token: string;
  readonly offset: number;
}

export interface Read<T> {
  readonly value: T;
  readonly position: ReadPosition;
}

/** `look` is called once, synchronously with taking the position: what it returns is one state. */
export async function readAt<T>(
  port: NodePort,
  consistency: Consistency,
  budget: Budget,
  look: (reader: LedgerReader) => T,
): Promise<Read<T>> {
  await within(port.barrier(consistency, budget.workMs), budget.patienceMs, 'read');
  const { token, offset } = port.position();
  return { value: look(port.ledger), position: { token, offset } };
}

/** Longest token that is looked at. */
const MAX_TOKEN = 256;

export function atLeast(token: string): Consistency {
  if (token === '')
    throw invalid('consistency.token', 'TOKEN_REQUIRED', 'AT_LEAST needs the token of an earlier answer.');
  if (token.length > MAX_TOKEN) throw invalid('consistency.token', 'TOKEN_INVALID', 'This is no token of an answer.');
  return { level: 'AT_LEAST', token };
}

export interface AccountState {
  readonly account: AccountView;
  readonly balance: BalanceView;
}

/** The account of that name. Throws INVALID_ARGUMENT for what is no name and NOT_FOUND where there is none. */
export function accountNamed(reader: LedgerReader, name: string, field: string): AccountState {
  const normal = normaliseName(name);
  if (normal === undefined) throw faultOfResult(refusalInfo('account_name_invalid'), field);
  const account = reader.account(normal);
  if (account === undefined) throw notFound('ACCOUNT_NOT_FOUND', `There is no account ${JSON.stringify(normal)}.`);
  return stateOf(reader, account);
}

export function stateOf(reader: LedgerReader, account: AccountView): AccountState {
  const balance = reader.balance(account.handle);
  if (balance === undefined) throw new Error(`Account ${account.handle} has no balance: the ledger's state is broken.`);
  return { account, balance };
}
