/** The messages of proto/ledger/v1 as the client's own types, and back. */
import * as wire from '../proto/ledger-v1';
import { ConsistencyLevel } from '../proto/ledger-v1';
import { type Int64 } from '../proto/log-v1';
import { checkedUInt32, checkedUInt64, kindNumber } from './batch-codec';
import { invalidArgument, LedgerError } from './errors';
import {
  type AccountChange,
  type AccountHandle,
  type AccountInput,
  type AccountView,
  type BalanceView,
  type HoldView,
  type ItemOutcome,
  type LedgerInput,
  type OpenAccountOutcome,
  type ReadConsistency,
  type ReadPosition,
  type TransactionOutcome,
  type TransferInput,
  type TransferView,
} from './types';

export type ConsistencyOut = Partial<wire.Consistency<Int64>>;

/** @param newestToken of what this client has seen; empty where it has seen nothing */
export function consistencyOut(consistency: ReadConsistency | undefined, newestToken: string): ConsistencyOut {
  if (consistency === undefined || consistency === 'linearizable') return { level: ConsistencyLevel.LINEARIZABLE };
  if (consistency === 'stale') return { level: ConsistencyLevel.STALE };
  if (consistency === 'at-least') {
    // Whoever has seen nothing yet is content with anything; the server wants a token all the same.
    if (newestToken === '') return { level: ConsistencyLevel.STALE };
    return { level: ConsistencyLevel.AT_LEAST, token: newestToken };
  }
  if ('atLeast' in consistency) return { level: ConsistencyLevel.AT_LEAST, token: consistency.atLeast };
  const { maxStalenessMs } = consistency;
  if (!Number.isSafeInteger(maxStalenessMs) || maxStalenessMs < 1) {
    throw invalidArgument(`maxStalenessMs must be a whole number above zero, not ${maxStalenessMs}.`);
  }
  return { level: ConsistencyLevel.STALE, max_staleness_ms: maxStalenessMs };
}

export function ledgerOut(ledger: LedgerInput): Partial<wire.LedgerSpec> {
  const { code, scale, autoOpen = false, rounding = 'reject', defaultMinBalance, defaultMaxBalance } = ledger;
  return {
    ...{ code, scale: checkedUInt32(scale, 'scale'), auto_open: autoOpen, rounding: rounding === 'half_up' ? 1 : 0 },
    default_no_min_balance: defaultMinBalance === null,
    ...(typeof defaultMinBalance === 'string' ? { default_min_balance: defaultMinBalance } : {}),
    ...(defaultMaxBalance === undefined ? {} : { default_max_balance: defaultMaxBalance }),
  };
}

export function accountSpecOut(account: AccountInput): wire.AccountSpecOut {
  const { name, ledger, minBalance, maxBalance, userData = 0, metadata, importedTime = 0 } = account;
  return {
    ...{ name, ledger, user_data: String(checkedUInt64(userData, 'userData')), no_min_balance: minBalance === null },
    ...(typeof minBalance === 'string' ? { min_balance: minBalance } : {}),
    ...(maxBalance === undefined ? {} : { max_balance: maxBalance }),
    ...(metadata === undefined ? {} : { metadata: Buffer.from(metadata) }),
    imported_time: String(checkedUInt64(importedTime, 'importedTime')),
  };
}

export function accountUpdateOut(change: AccountChange): wire.AccountUpdateOut {
  const { account = '', handle = 0, minBalance, maxBalance, closed } = change;
  return {
    ...{ account, handle: String(checkedUInt64(handle, 'handle')) },
    ...{ min_change: changeOf(minBalance), min_balance: textOf(minBalance) },
    ...{ max_change: changeOf(maxBalance), max_balance: textOf(maxBalance) },
    ...(closed === undefined ? {} : { closed }),
  };
}

function changeOf(limit: string | null | undefined): number {
  if (limit === undefined) return wire.LimitChange.KEEP;
  if (limit === null) return wire.LimitChange.NONE;
  return limit === 'default' ? wire.LimitChange.LEDGER_DEFAULT : wire.LimitChange.SET;
}

function textOf(limit: string | null | undefined): string {
  return changeOf(limit) === wire.LimitChange.SET ? (limit ?? '') : '';
}

/** On the wire an empty id is none: what is to be done whole or not at all would be done one by one. */
export function refuseEmptyGroup(id: string | undefined): void {
  if (id === '') throw invalidArgument('The id of a transaction has 1 to 64 bytes; this one is empty.');
}

/** @param group id of the transaction that it is in */
export function transferOut(id: string, transfer: TransferInput, group: string): wire.TransferOut {
  return {
    ...{ id, group, debit_account: transfer.debitAccount ?? '', credit_account: transfer.creditAccount ?? '' },
    debit_handle: String(checkedUInt64(transfer.debitHandle ?? 0, 'debitHandle')),
    credit_handle: String(checkedUInt64(transfer.creditHandle ?? 0, 'creditHandle')),
    ...{ amount: transfer.amount ?? '', ledger: transfer.ledger ?? '' },
    code: checkedUInt32(transfer.code ?? 0, 'code'),
    user_data: String(checkedUInt64(transfer.userData ?? 0, 'userData')),
    ...(transfer.metadata === undefined ? {} : { metadata: Buffer.from(transfer.metadata) }),
    ...{ kind: kindNumber(transfer.kind ?? 'plain'), pending_id: transfer.pendingId ?? '' },
    timeout_ms: String(checkedUInt64(transfer.timeoutMs ?? 0, 'timeoutMs')),
    ...{ balancing: transfer.balancing ?? false, reverses: transfer.reverses ?? '' },
    effective_time: String(checkedUInt64(transfer.effectiveTime ?? 0, 'effectiveTime')),
    imported_time: String(checkedUInt64(transfer.importedTime ?? 0, 'importedTime')),
  };
}

/** @param ids of the transfers, as they were sent */
export function transactionOutcome(
  response: wire.CreateTransfersResponse,
  id: string,
  ids: readonly string[],
): TransactionOutcome {
  const { token } = positionOf(response.position);
  const group = present(response.groups[0] ?? null, 'group');
  const transfers = response.results.map((result, i) => ({
    ...{ id: ids[i] ?? '', ...itemOutcome(result.result) },
    ...{ amountMoved: result.amount_moved, amountHeld: result.amount_held, token },
  }));
  return { id, ...itemOutcome(group.result), failed: group.failed < 0 ? undefined : group.failed, transfers, token };
}

export function itemOutcome(result: wire.ItemResult | null): ItemOutcome {
  const { result: name, message, offset, timestamp, replayed } = present(result, 'result');
  return { result: name, message, offset: Number(offset), timestamp: Number(timestamp), replayed };
}

export function openAccountOutcome(result: wire.OpenAccountResult): OpenAccountOutcome {
  return { ...itemOutcome(result.result), handle: BigInt(result.handle) };
}

export function positionOf(position: wire.ReadPosition | null): ReadPosition {
  const { token, offset } = present(position, 'position');
  return { token, offset: Number(offset) };
}

export function accountView(account: wire.Account | null): AccountView {
  const { name, handle, ledger, min_balance, max_balance, closed, user_data, metadata, opened_at, imported_time } =
    present(account, 'account');
  return {
    ...{ name, handle: BigInt(handle), ledger, minBalance: min_balance, maxBalance: max_balance, closed },
    ...{ userData: BigInt(user_data), metadata, openedAt: Number(opened_at) },
    importedTime: Number(imported_time),
  };
}

export function balanceView(balance: wire.Balance | null): BalanceView {
  const b = present(balance, 'balance');
  return {
    ...{ account: b.account, ledger: b.ledger, debitsPosted: b.debits_posted, creditsPosted: b.credits_posted },
    ...{ debitsPending: b.debits_pending, creditsPending: b.credits_pending, posted: b.posted, available: b.available },
    version: Number(b.version),
  };
}

/** None where the account does not exist, or the server is of a version that does not tell handles here. */
export function accountHandle(balance: wire.Balance, name: string): AccountHandle[] {
  const handle = BigInt(balance.handle ?? 0);
  if (handle === 0n) return [];
  // Amounts are written with all digits of the scale.
  const scale = balance.posted.includes('.') ? balance.posted.length - 1 - balance.posted.indexOf('.') : 0;
  return [{ name, handle, ledger: balance.ledger, scale }];
}

export function transferView(transfer: wire.TransferView | null): TransferView {
  const t = present(transfer, 'transfer');
  return {
    ...{ id: t.id, debitAccount: t.debit_account, creditAccount: t.credit_account, ledger: t.ledger },
    ...{ amount: t.amount, amountMoved: t.amount_moved, code: t.code, userData: BigInt(t.user_data) },
    ...{ metadata: t.metadata, offset: Number(t.offset), timestamp: Number(t.timestamp), result: t.result },
    ...{ kind: KIND_NAMES[t.kind] ?? 'plain', balancing: t.balancing, pendingId: t.pending_id, reverses: t.reverses },
    ...{ reversedBy: t.reversed_by, timeoutMs: Number(t.timeout_ms), transaction: t.group },
    ...{ effectiveTime: Number(t.effective_time), importedTime: Number(t.imported_time) },
    hold: t.hold === null ? undefined : holdView(t.hold),
  };
}

const KIND_NAMES = ['plain', 'pending', 'post', 'void', 'expiry'] as const;
const HOLD_STATUSES = ['pending', 'posted', 'voided', 'expired'] as const;

function holdView({ amount, status, expires_at, resolved_by }: wire.Hold): HoldView {
  return {
    ...{ amount, status: HOLD_STATUSES[status] ?? 'pending' },
    ...{ expiresAt: Number(expires_at), resolvedBy: resolved_by },
  };
}

function present<T>(value: T | null, what: string): T {
  if (value !== null) return value;
  throw new LedgerError('INTERNAL', 'MALFORMED_ANSWER', `The server's answer holds no ${what}.`);
}
