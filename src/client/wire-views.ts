/** The messages of proto/ledger/v1 as the client's own types, and back. */
import { ConsistencyLevel } from '../proto/ledger-v1';
import type * as wire from '../proto/ledger-v1';
import { type Int64 } from '../proto/log-v1';
import { checkedUInt64 } from './batch-codec';
import { invalidArgument, LedgerError } from './errors';
import {
  type AccountInput,
  type AccountView,
  type BalanceView,
  type ItemOutcome,
  type LedgerInput,
  type OpenAccountOutcome,
  type ReadConsistency,
  type ReadPosition,
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
    ...{ code, scale, auto_open: autoOpen, rounding: rounding === 'half_up' ? 1 : 0 },
    default_no_min_balance: defaultMinBalance === null,
    ...(typeof defaultMinBalance === 'string' ? { default_min_balance: defaultMinBalance } : {}),
    ...(defaultMaxBalance === undefined ? {} : { default_max_balance: defaultMaxBalance }),
  };
}

export function accountSpecOut(account: AccountInput): wire.AccountSpecOut {
  const { name, ledger, minBalance, maxBalance, userData = 0, metadata } = account;
  return {
    ...{ name, ledger, user_data: String(checkedUInt64(userData, 'userData')), no_min_balance: minBalance === null },
    ...(typeof minBalance === 'string' ? { min_balance: minBalance } : {}),
    ...(maxBalance === undefined ? {} : { max_balance: maxBalance }),
    ...(metadata === undefined ? {} : { metadata: Buffer.from(metadata) }),
  };
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
  const { name, handle, ledger, min_balance, max_balance, closed, user_data, metadata, opened_at } = present(
    account,
    'account',
  );
  return {
    ...{ name, handle: BigInt(handle), ledger, minBalance: min_balance, maxBalance: max_balance, closed },
    ...{ userData: BigInt(user_data), metadata, openedAt: Number(opened_at) },
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

export function transferView(transfer: wire.TransferView | null): TransferView {
  const t = present(transfer, 'transfer');
  return {
    ...{ id: t.id, debitAccount: t.debit_account, creditAccount: t.credit_account, ledger: t.ledger },
    ...{ amount: t.amount, amountMoved: t.amount_moved, code: t.code, userData: BigInt(t.user_data) },
    ...{ metadata: t.metadata, offset: Number(t.offset), timestamp: Number(t.timestamp), result: t.result },
  };
}

function present<T>(value: T | null, what: string): T {
  if (value !== null) return value;
  throw new LedgerError('INTERNAL', 'MALFORMED_ANSWER', `The server's answer holds no ${what}.`);
}
