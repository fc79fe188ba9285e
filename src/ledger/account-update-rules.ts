import { isAccountName, isLimitSpec, readLimit } from './account-rules';
import { type ApplyContext } from './apply-context';
import { type AccountRef, type LimitSpec, type UpdateAccountCommand } from './commands';
import { type LedgerEntry } from './ledger-table';
import { ResultCode } from './result-codes';
import { type Tables } from './tables';

/**
 * Closing accounts, opening them again, and other limits. A change says what is to be, so saying it again changes nothing
 * and is `ok` as well.
 */
export class AccountUpdateRules {
  constructor(private readonly tables: Tables) {}

  apply(command: UpdateAccountCommand, context: ApplyContext): void {
    const { accounts, ledgers, limits } = this.tables;
    if (!isUpdate(command)) {
      context.write(ResultCode.MALFORMED_RECORD, 0, 0, 0, undefined);
      return;
    }
    const handle = this.find(command.account);
    if (handle === 0) {
      context.write(ResultCode.ACCOUNT_NOT_FOUND, 0, 0, 0, undefined);
      return;
    }
    const ledger = ledgers.byNumber(accounts.ledgerOf(handle)) as LedgerEntry;
    const present = accounts.limitsOf(handle);
    const min = this.limitOf(command.min, 'min', ledger, limits.minimum(present));
    const max = this.limitOf(command.max, 'max', ledger, limits.maximum(present));
    if (typeof min === 'number' || typeof max === 'number') {
      context.write(typeof min === 'number' ? min : (max as ResultCode), 0, 0, handle, ledger);
      return;
    }
    const isChanged = min !== limits.minimum(present) || max !== limits.maximum(present);
    if (isChanged && !this.isWithin(handle, min, max)) {
      context.write(ResultCode.LIMIT_VIOLATED, 0, 0, handle, ledger);
      return;
    }
    if (isChanged) accounts.setLimits(handle, this.limitRow(min, max, ledger));
    if (command.closed !== undefined) accounts.setClosed(handle, command.closed);
    context.write(ResultCode.OK, 0, 0, handle, ledger);
  }

  private find(account: AccountRef): number {
    const { accounts } = this.tables;
    if ('name' in account) {
      const name = Buffer.from(account.name, 'utf8');
      return accounts.findName(name, 0, name.length);
    }
    return account.handle <= accounts.count ? account.handle : 0;
  }

  private limitOf(
    spec: LimitSpec | undefined,
    side: 'min' | 'max',
    ledger: LedgerEntry,
    present: bigint | undefined,
  ): bigint | undefined | ResultCode {
    const { limits } = this.tables;
    if (spec === undefined) return present;
    const byDefault = side === 'min' ? limits.minimum(ledger.defaultLimits) : limits.maximum(ledger.defaultLimits);
    return readLimit(spec, side, ledger.scale, byDefault);
  }

  /** Whether the balance is within limits, with holds counted as if they were posted. */
  private isWithin(handle: number, min: bigint | undefined, max: bigint | undefined): boolean {
    const { accounts } = this.tables;
    const posted = accounts.creditsPosted(handle) - accounts.debitsPosted(handle);
    const isAbove = min === undefined || posted - accounts.debitsPending(handle) >= min;
    return isAbove && (max === undefined || posted + accounts.creditsPending(handle) <= max);
  }

  private limitRow(min: bigint | undefined, max: bigint | undefined, ledger: LedgerEntry): number {
    const { limits } = this.tables;
    const { defaultLimits } = ledger;
    const isDefault = min === limits.minimum(defaultLimits) && max === limits.maximum(defaultLimits);
    return isDefault ? defaultLimits : limits.add(min, max);
  }
}

function isUpdate({ account, min, max }: UpdateAccountCommand): boolean {
  if ('name' in account) {
    const name = Buffer.from(account.name, 'utf8');
    if (!isAccountName(name, 0, name.length)) return false;
  }
  return (min === undefined || isLimitSpec(min, 'min')) && (max === undefined || isLimitSpec(max, 'max'));
}
