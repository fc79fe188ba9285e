import { MAX_MINOR, MAX_SCALE, minorFromLimit } from '../amounts';
import {
  type CreateLedgerCommand,
  type LimitSpec,
  type OpenAccountCommand,
  type UpdateAccountCommand,
} from '../command-codec';
import { isLedgerCode } from '../identifiers';
import { type OutcomeRow } from '../outcome-row';
import { ResultCode, resultName } from '../result-codes';
import { type ChangedAccounts } from './changed-accounts';
import { type CopyRows } from './copy-rows';
import { type AccountTerms, KnownAccount } from './known-account';
import { type KnownAccounts } from './known-accounts';
import { type KnownLedger, type KnownLedgers } from './known-ledgers';
import { type Place } from './place';
import { type NewRows } from './table-rows';

/** What an account is opened with besides its terms. */
export interface AccountExtras {
  readonly userData: bigint;
  readonly metadata: Buffer;
  readonly importedTime?: number | undefined;
}

/** Rows of ledgers, of accounts, and of changes of accounts. Decides nothing: the outcome has done that. */
export class AccountRows {
  constructor(
    private readonly rows: NewRows,
    private readonly ledgers: KnownLedgers,
    private readonly accounts: KnownAccounts,
    private readonly changed: ChangedAccounts,
  ) {}

  /** A ledger that the record created. */
  createdLedger(command: CreateLedgerCommand, number: number, { offset, time }: Place): void {
    const { ledgers } = this.rows;
    const { code, scale, defaultMinBalance, defaultMaxBalance } = command;
    const halfUp = command.rounding === 1;
    this.ledgers.add({ number, code, scale, halfUp, defaultMinBalance, defaultMaxBalance });
    ledgers.row();
    ledgers.ascii(code);
    ledgers.int4(number);
    ledgers.int4(scale);
    ledgers.bool(command.autoOpen);
    ledgers.ascii(halfUp ? 'half_up' : 'reject');
    limitOrNull(ledgers, defaultMinBalance, scale);
    limitOrNull(ledgers, defaultMaxBalance, scale);
    ledgers.timestamptz(time);
    ledgers.int8(offset);
  }

  /**
   * A ledger that a batch of the system asks for. No outcome is kept for it, so this is the state machine's rule once
   * more: it is created unless it exists, and what is no ledger creates none. Numbers follow the order of creation.
   */
  systemLedger(command: CreateLedgerCommand, place: Place): void {
    const { code, scale, rounding, defaultMinBalance: min = 0n, defaultMaxBalance: max = 0n } = command;
    const valid =
      isLedgerCode(code) &&
      scale <= MAX_SCALE &&
      rounding <= 1 &&
      min <= 0n &&
      min >= -MAX_MINOR &&
      max >= 0n &&
      max <= MAX_MINOR;
    if (valid && !this.ledgers.find(code)) this.createdLedger(command, this.ledgers.count + 1, place);
  }

  /** An account that the record opened. */
  opened(command: OpenAccountCommand, outcome: OutcomeRow, place: Place): void {
    const ledger = this.ledgers.get(outcome.ledgerNumber);
    const min = limitOf(command.min, 'min', ledger);
    const max = limitOf(command.max, 'max', ledger);
    this.add(outcome.creditHandle, command.name, ledger, { min, max, closed: false }, command, place);
  }

  /** An account that a transfer opened, with the ledger's default limits. */
  openedByTransfer(name: string, handle: number, ledger: KnownLedger, place: Place): void {
    const terms = { min: ledger.defaultMinBalance, max: ledger.defaultMaxBalance, closed: false };
    this.add(handle, name, ledger, terms, { userData: 0n, metadata: Buffer.alloc(0) }, place);
  }

  /** A change that was done or refused: what the account was before it and is after it. */
  change(command: UpdateAccountCommand, outcome: OutcomeRow, place: Place): void {
    const account = outcome.creditHandle === 0 ? undefined : this.accounts.get(outcome.creditHandle);
    const before = account?.terms;
    if (account && outcome.result === ResultCode.OK) {
      account.terms = changedTerms(account.terms, command, account.ledger);
      this.changed.changeTerms(account);
    }
    const { changes } = this.rows;
    changes.row();
    changes.int4(place.group);
    changes.int8(place.offset);
    changes.timestamptz(place.time);
    changes.ascii(resultName(outcome.result));
    if (account) changes.int8(account.handle);
    else changes.null();
    if (account) changes.null();
    else changes.text('name' in command.account ? command.account.name : `#${command.account.handle}`);
    terms(changes, before, account?.ledger);
    terms(changes, account?.terms, account?.ledger);
  }

  private add(
    handle: number,
    name: string,
    ledger: KnownLedger,
    terms: AccountTerms,
    extras: AccountExtras,
    { offset, time }: Place,
  ): void {
    const account = new KnownAccount(handle, ledger, terms);
    this.accounts.add(account);
    this.changed.open(account);
    const { accounts } = this.rows;
    accounts.row();
    accounts.int8(handle);
    accounts.text(name);
    accounts.ascii(ledger.code);
    limitOrNull(accounts, terms.min, ledger.scale);
    limitOrNull(accounts, terms.max, ledger.scale);
    accounts.bool(terms.closed);
    accounts.numeric(extras.userData, 0);
    accounts.bytes(extras.metadata);
    accounts.timestamptz(time);
    accounts.int8(offset);
    if (extras.importedTime === undefined) accounts.null();
    else accounts.timestamptz(extras.importedTime);
  }
}

function changedTerms(
  terms: AccountTerms,
  { min, max, closed }: UpdateAccountCommand,
  ledger: KnownLedger,
): AccountTerms {
  return {
    min: min === undefined ? terms.min : limitOf(min, 'min', ledger),
    max: max === undefined ? terms.max : limitOf(max, 'max', ledger),
    closed: closed ?? terms.closed,
  };
}

function terms(rows: CopyRows, of: AccountTerms | undefined, ledger: KnownLedger | undefined): void {
  limitOrNull(rows, of?.min, ledger?.scale ?? 0);
  limitOrNull(rows, of?.max, ledger?.scale ?? 0);
  if (of === undefined) rows.null();
  else rows.bool(of.closed);
}

function limitOf(spec: LimitSpec, side: 'min' | 'max', ledger: KnownLedger): bigint | undefined {
  if (spec.kind === 'none') return undefined;
  if (spec.kind === 'default') return side === 'min' ? ledger.defaultMinBalance : ledger.defaultMaxBalance;
  const limit = minorFromLimit(spec.text, side, ledger.scale);
  if (typeof limit !== 'bigint')
    throw new Error(`An account was given "${spec.text}" as its ${side}, which is no limit.`);
  return limit;
}

function limitOrNull(rows: CopyRows, limit: bigint | undefined, scale: number): void {
  if (limit === undefined) rows.null();
  else rows.numeric(limit, scale);
}
