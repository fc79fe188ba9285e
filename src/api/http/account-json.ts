/** Accounts and balances as JSON. */
import { formatMinor } from '../../ledger/amounts';
import { type AccountState } from '../reads';

export interface BalanceJson {
  readonly posted: string;
  /** Null where the account has no lower limit. */
  readonly available: string | null;
  readonly debits_posted: string;
  readonly credits_posted: string;
  readonly debits_pending: string;
  readonly credits_pending: string;
  readonly version: number;
}

export function balanceJson({ account, balance }: AccountState): BalanceJson {
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

/** With the names of the account and its ledger, where several stand in one answer. */
export function namedBalanceJson(state: AccountState): object {
  return { account: state.account.name, ledger: state.account.ledger.code, ...balanceJson(state) };
}

export function accountJson(state: AccountState): object {
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
    imported_time: account.importedTime ?? null,
  };
}
