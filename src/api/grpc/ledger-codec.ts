/** The ledger's views and outcomes as the messages of ledger.proto. */
import { formatMinor } from '../../ledger/amounts';
import { type OutcomeRow } from '../../ledger/outcome-row';
import { type HoldView, type LedgerView, type TransferView } from '../../ledger/reader';
import { ResultCode, resultInfo, resultName } from '../../ledger/result-codes';
import {
  type Account,
  type Balance,
  type Consistency as ConsistencyMessage,
  ConsistencyLevel,
  type GroupResult,
  HoldStatus,
  type ItemResult,
  type OpenAccountResult,
  TransferKind,
  type TransferResult,
  type TransferView as TransferMessage,
} from '../../proto/ledger-v1';
import { type Int64 } from '../../proto/log-v1';
import { invalid } from '../errors';
import { ItemFault } from '../item-fault';
import { type Consistency } from '../node-port';
import { atLeast, type AccountState } from '../reads';
import { decidingMember, type GroupRun } from '../transfer-batch';

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

export function openAccountResult(outcome: OutcomeRow | ItemFault): OpenAccountResult<Int64> {
  return { result: itemResult(outcome), handle: outcome instanceof ItemFault ? 0 : outcome.creditHandle };
}

export function transferResult(outcome: OutcomeRow | ItemFault): TransferResult<Int64> {
  const isHeld = !(outcome instanceof ItemFault) && outcome.effect === 'held';
  return {
    result: itemResult(outcome),
    amount_moved: amountMoved(outcome),
    amount_held: isHeld ? formatMinor(outcome.amount, outcome.scale) : '',
  };
}

export function groupResult(group: GroupRun, outcomes: readonly (OutcomeRow | ItemFault)[]): GroupResult<Int64> {
  const { id, first, count } = group;
  const deciding = decidingMember(group, outcomes);
  const outcome = outcomes[deciding];
  if (outcome === undefined) throw new Error('A linked group was answered without outcomes.');
  const isDone = !(outcome instanceof ItemFault) && outcome.result === ResultCode.OK;
  return { group: id, result: itemResult(outcome), first, count, failed: isDone ? -1 : deciding };
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
    imported_time: account.importedTime ?? 0,
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
    handle: account.handle,
  };
}

/** What stands in the place of an account that does not exist. */
export function noBalance(name: string): Balance<Int64> {
  const none = { debits_posted: '', credits_posted: '', debits_pending: '', credits_pending: '', posted: '' };
  return { account: name, ledger: '', ...none, version: 0 };
}

const KINDS: Record<TransferView['kind'], number> = {
  plain: TransferKind.PLAIN,
  reversal: TransferKind.PLAIN,
  pending: TransferKind.PENDING,
  post: TransferKind.POST,
  void: TransferKind.VOID,
  expiry: TransferKind.EXPIRY,
};

const HOLD_STATUSES: Record<HoldView['status'], number> = {
  pending: HoldStatus.PENDING,
  posted: HoldStatus.POSTED,
  voided: HoldStatus.VOIDED,
  expired: HoldStatus.EXPIRED,
};

export function transferOut(view: TransferView): TransferMessage<Int64> {
  const { kind, ledger, hold, refersTo = '' } = view;
  return {
    id: view.id,
    debit_account: view.debitAccount,
    credit_account: view.creditAccount,
    ledger: ledger?.code ?? '',
    amount: view.amount,
    amount_moved: ledger === undefined ? '' : formatMinor(view.moved, ledger.scale),
    code: view.code,
    user_data: view.userData.toString(),
    metadata: view.metadata,
    offset: view.offset,
    timestamp: view.timestamp,
    result: resultName(view.result),
    kind: KINDS[kind],
    balancing: view.balancing,
    pending_id: kind === 'reversal' ? '' : refersTo,
    reverses: kind === 'reversal' ? refersTo : '',
    timeout_ms: view.timeoutMs,
    effective_time: view.effectiveTime ?? 0,
    imported_time: view.importedTime ?? 0,
    group: view.group ?? '',
    hold: hold === undefined ? null : holdOut(hold, ledger),
    reversed_by: [...view.reversedBy],
  };
}

function holdOut(hold: HoldView, ledger: LedgerView | undefined): TransferMessage<Int64>['hold'] {
  return {
    number: hold.number,
    amount: formatMinor(hold.amount, ledger?.scale ?? 0),
    status: HOLD_STATUSES[hold.status],
    expires_at: hold.expiresAt ?? 0,
    resolved_by: hold.resolvedBy ?? '',
  };
}
