/** The ledger's views and outcomes as the messages of ledger.proto. */
import { formatMinor } from '../../ledger/amounts';
import { type OutcomeRow } from '../../ledger/outcome-row';
import { type TransferView } from '../../ledger/reader';
import { resultInfo, resultName } from '../../ledger/result-codes';
import {
  type Account,
  type Balance,
  type Consistency as ConsistencyMessage,
  ConsistencyLevel,
  type ItemResult,
  type TransferResult,
  type TransferView as TransferMessage,
} from '../../proto/ledger-v1';
import { type Int64 } from '../../proto/log-v1';
import { invalid } from '../errors';
import { ItemFault } from '../item-fault';
import { type Consistency } from '../node-port';
import { atLeast, type AccountState } from '../reads';

export function consistencyIn(message: ConsistencyMessage | null): Consistency {
  const level = message?.level ?? ConsistencyLevel.LINEARIZABLE;
  switch (level) {
    case ConsistencyLevel.LINEARIZABLE:
      return { level: 'LINEARIZABLE' };
    case ConsistencyLevel.AT_LEAST:
      return atLeast(message?.token ?? '');
    case ConsistencyLevel.STALE:
      return { level: 'STALE', maxStalenessMs: Number(message?.max_staleness_ms ?? '0') };
    default:
      throw invalid('consistency.level', 'CONSISTENCY_INVALID', `There is no consistency level ${level}.`);
  }
}

export function itemResult(outcome: OutcomeRow | ItemFault): ItemResult<Int64> {
  if (outcome instanceof ItemFault) {
    const { name, message } = outcome.info;
    return { result: name, message, offset: -1, timestamp: 0, replayed: false };
  }
  const { name, message } = resultInfo(outcome.result);
  const { offset, timestamp, replayed } = outcome;
  return { result: name, message, offset, timestamp, replayed };
}

export function transferResult(outcome: OutcomeRow | ItemFault): TransferResult<Int64> {
  return { result: itemResult(outcome), amount_moved: amountMoved(outcome) };
}

function amountMoved(outcome: OutcomeRow | ItemFault): string {
  if (outcome instanceof ItemFault || outcome.ledgerNumber === 0) return '';
  return formatMinor(outcome.amountMoved, outcome.scale);
}

export function accountOut({ account }: AccountState): Account<Int64> {
  const { scale } = account.ledger;
  return {
    name: account.name,
    handle: account.handle,
    ledger: account.ledger.code,
    ...(account.minBalance === undefined ? {} : { min_balance: formatMinor(account.minBalance, scale) }),
    ...(account.maxBalance === undefined ? {} : { max_balance: formatMinor(account.maxBalance, scale) }),
    closed: account.closed,
    user_data: account.userData.toString(),
    metadata: account.metadata,
    opened_at: account.openedAt,
  };
}

export function balanceOut({ account, balance }: AccountState): Balance<Int64> {
  const text = (minor: bigint): string => formatMinor(minor, account.ledger.scale);
  return {
    account: account.name,
    ledger: account.ledger.code,
    debits_posted: text(balance.debitsPosted),
    credits_posted: text(balance.creditsPosted),
    debits_pending: text(balance.debitsPending),
    credits_pending: text(balance.creditsPending),
    posted: text(balance.posted),
    ...(balance.available === undefined ? {} : { available: text(balance.available) }),
    version: balance.version,
  };
}

/** What stands in the place of an account that does not exist. */
export function noBalance(name: string): Balance<Int64> {
  const none = { debits_posted: '', credits_posted: '', debits_pending: '', credits_pending: '', posted: '' };
  return { account: name, ledger: '', ...none, version: 0 };
}

export function transferOut(view: TransferView): TransferMessage<Int64> {
  return {
    id: view.id,
    debit_account: view.debitAccount,
    credit_account: view.creditAccount,
    ledger: view.ledger?.code ?? '',
    amount: view.amount,
    amount_moved: view.ledger === undefined ? '' : formatMinor(view.moved, view.ledger.scale),
    code: view.code,
    user_data: view.userData.toString(),
    metadata: view.metadata,
    offset: view.offset,
    timestamp: view.timestamp,
    result: resultName(view.result),
  };
}
