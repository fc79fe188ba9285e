import { MAX_MINOR, MAX_SCALE, minorFromLimit, minorFromText } from '../amounts';
import {
  type AccountRef,
  type CreateLedgerCommand,
  type LimitSpec,
  type OpenAccountCommand,
  type TransferCommand,
} from '../command-codec';
import { formatId, isLedgerCode } from '../identifiers';
import { OutcomeFlag, type OutcomeRow } from '../outcome-row';
import { burnsId, ResultCode, resultName } from '../result-codes';
import { type BalanceSums } from './balance-sums';
import { type CopyRows } from './copy-rows';
import { type KnownLedger, type KnownLedgers } from './known-ledgers';
import { type NewRows } from './table-rows';

/** The first word of an outcome row: result OK, and of the flags only that the row is set. */
const DONE = ((OutcomeFlag.ROW_IS_SET << 16) | ResultCode.OK) >>> 0;
const OK = resultName(ResultCode.OK);
const TWO_TO_32 = 2 ** 32;
/** Below it, the upper word of an amount makes less than 2^52. */
const SMALL_HIGH = 2 ** 20;

/** Where a record stands: its partition, its offset (-1: it has none), the time of its batch in microseconds. */
export interface Place {
  readonly group: number;
  readonly offset: number;
  readonly time: number;
}

/** Turns one record with its outcome into rows. Decides nothing about money: the outcome has done that. */
export class RecordRows {
  constructor(
    private readonly rows: NewRows,
    private readonly sums: BalanceSums,
    private readonly ledgers: KnownLedgers,
  ) {}

  malformed(bytes: Uint8Array, { group, offset, time }: Place): void {
    const { malformed } = this.rows;
    malformed.row();
    malformed.int4(group);
    malformed.int8(offset);
    malformed.timestamptz(time);
    malformed.bytes(bytes);
  }

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
  openedAccount(command: OpenAccountCommand, outcome: OutcomeRow, place: Place): void {
    const ledger = this.ledgers.get(outcome.ledgerNumber);
    const min = limitOf(command.min, 'min', ledger);
    const max = limitOf(command.max, 'max', ledger);
    this.account(outcome.creditHandle, command.name, ledger, { ...command, min, max }, place);
  }

  /** A transfer, done or refused; not a repeat, which is no event of its own. */
  transfer(command: TransferCommand, outcome: OutcomeRow, place: Place): void {
    const { debitHandle, creditHandle, amountMoved } = outcome;
    const ledger = outcome.ledgerNumber === 0 ? undefined : this.ledgers.get(outcome.ledgerNumber);
    if (ledger && outcome.openedDebit) this.openedByTransfer(command.debit, debitHandle, ledger, place);
    if (ledger && outcome.openedCredit) this.openedByTransfer(command.credit, creditHandle, ledger, place);
    if (outcome.result === ResultCode.OK) {
      this.sums.move(debitHandle, creditHandle, amountMoved, outcome.scale, place.offset);
    }
    const { transfers } = this.rows;
    transfers.row();
    transfers.int4(place.group);
    transfers.int8(place.offset);
    transfers.timestamptz(place.time);
    if (command.id.kind === 'uuid') transfers.ascii(formatId(command.id));
    else transfers.text(command.id.text);
    handleOrNull(transfers, debitHandle);
    handleOrNull(transfers, creditHandle);
    nameOrNull(transfers, debitHandle, command.debit);
    nameOrNull(transfers, creditHandle, command.credit);
    if (ledger) transfers.ascii(ledger.code);
    else transfers.null();
    amounts(transfers, command.amount, ledger, isReadAtScale(outcome.result));
    transfers.numeric(amountMoved, ledger?.scale ?? 0);
    transfers.int8(command.code);
    transfers.numeric(command.userData, 0);
    if (command.metadata.length > 0) transfers.bytes(command.metadata);
    else transfers.null();
    transfers.ascii(resultName(outcome.result));
    transfers.bool(outcome.result === ResultCode.OK || burnsId(outcome.result));
  }

  /**
   * The usual case at a third of the cost: a packed transfer that was done, of an amount that a double holds exactly. The
   * row is the one that {@link transfer} would write.
   * @param outcomes with the record's row at `at`
   * @returns false, and nothing is done, where it is not that case
   */
  packedDone(row: Buffer, outcomes: Buffer, at: number, { group, offset, time }: Place): boolean {
    const amountTop = outcomes.readUInt32LE(at + 40) | outcomes.readUInt32LE(at + 44);
    const amountHigh = outcomes.readUInt32LE(at + 36);
    if (outcomes.readUInt32LE(at) !== DONE || amountTop !== 0 || amountHigh >= SMALL_HIGH) return false;
    const amount = amountHigh * TWO_TO_32 + outcomes.readUInt32LE(at + 32);
    const ledger = this.ledgers.get(outcomes.readUInt32LE(at + 4));
    const debit = outcomes.readUInt32LE(at + 12) * TWO_TO_32 + outcomes.readUInt32LE(at + 8);
    const credit = outcomes.readUInt32LE(at + 20) * TWO_TO_32 + outcomes.readUInt32LE(at + 16);
    this.sums.move(debit, credit, amount, ledger.scale, offset);
    const { transfers } = this.rows;
    transfers.row();
    transfers.int4(group);
    transfers.int8(offset);
    transfers.timestamptz(time);
    transfers.uuid(row, 0);
    transfers.int8(debit);
    transfers.int8(credit);
    transfers.null();
    transfers.null();
    transfers.ascii(ledger.code);
    transfers.numeric(amount, ledger.scale);
    transfers.null();
    transfers.numeric(amount, ledger.scale);
    transfers.int8(row.readUInt32LE(56));
    const hasUserData = (row.readUInt32LE(48) | row.readUInt32LE(52)) !== 0;
    transfers.numeric(hasUserData ? row.readBigUInt64LE(48) : 0, 0);
    transfers.null();
    transfers.ascii(OK);
    transfers.bool(true);
    return true;
  }

  private openedByTransfer(named: AccountRef, handle: number, ledger: KnownLedger, place: Place): void {
    if (!('name' in named)) {
      throw new Error(`The transfer at offset ${place.offset} opened account ${handle} without naming it.`);
    }
    const limits = { min: ledger.defaultMinBalance, max: ledger.defaultMaxBalance };
    this.account(handle, named.name, ledger, { ...limits, userData: 0n, metadata: Buffer.alloc(0) }, place);
  }

  private account(
    handle: number,
    name: string,
    { code, scale }: KnownLedger,
    extras: { min: bigint | undefined; max: bigint | undefined; userData: bigint; metadata: Buffer },
    { offset, time }: Place,
  ): void {
    const { accounts, balances } = this.rows;
    accounts.row();
    accounts.int8(handle);
    accounts.text(name);
    accounts.ascii(code);
    limitOrNull(accounts, extras.min, scale);
    limitOrNull(accounts, extras.max, scale);
    accounts.bool(false);
    accounts.numeric(extras.userData, 0);
    accounts.bytes(extras.metadata);
    accounts.timestamptz(time);
    accounts.int8(offset);
    balances.row();
    balances.int8(handle);
    for (let i = 0; i < 4; i++) balances.numeric(0, scale);
    balances.int8(0);
    balances.int8(-1);
  }
}

function limitOf(spec: LimitSpec, side: 'min' | 'max', ledger: KnownLedger): bigint | undefined {
  if (spec.kind === 'none') return undefined;
  if (spec.kind === 'default') return side === 'min' ? ledger.defaultMinBalance : ledger.defaultMaxBalance;
  const limit = minorFromLimit(spec.text, side, ledger.scale);
  if (typeof limit !== 'bigint')
    throw new Error(`An account was opened with "${spec.text}" as its ${side}, which is no limit.`);
  return limit;
}

function limitOrNull(rows: CopyRows, limit: bigint | undefined, scale: number): void {
  if (limit === undefined) rows.null();
  else rows.numeric(limit, scale);
}

function handleOrNull(rows: CopyRows, handle: number): void {
  if (handle === 0) rows.null();
  else rows.int8(handle);
}

function nameOrNull(rows: CopyRows, handle: number, named: AccountRef): void {
  if (handle !== 0) rows.null();
  else rows.text('name' in named ? named.name : `#${named.handle}`);
}

/** Nothing that was ever accepted is longer; a record that was refused for such an amount must not stop the rows. */
const LONGEST_AMOUNT = 128;

/** Whether the rules came as far as the amount: an account that is not there is found first, and the amount then kept as given. */
function isReadAtScale(result: ResultCode): boolean {
  return result !== ResultCode.DEBIT_ACCOUNT_NOT_FOUND && result !== ResultCode.CREDIT_ACCOUNT_NOT_FOUND;
}

/** The columns `amount` and `unscaled_amount`: what was asked for, at the ledger's scale where that is known. */
function amounts(
  rows: CopyRows,
  asked: TransferCommand['amount'],
  ledger: KnownLedger | undefined,
  atScale: boolean,
): void {
  if ('text' in asked && asked.text.length > LONGEST_AMOUNT) {
    rows.null();
    rows.null();
  } else if ('text' in asked) {
    const point = asked.text.indexOf('.');
    const decimals = point < 0 ? 0 : asked.text.length - point - 1;
    const rounds = atScale && ledger?.halfUp === true && decimals > ledger.scale;
    const rounded = rounds ? minorFromText(asked.text, ledger.scale, 'half_up') : undefined;
    if (ledger && rounded && 'minor' in rounded) {
      rows.numeric(rounded.minor, ledger.scale);
    } else {
      const scale = Math.max(decimals, ledger?.scale ?? 0);
      rows.numeric(BigInt(asked.text.replace('.', '')) * 10n ** BigInt(scale - decimals), scale);
    }
    rows.null();
  } else if (ledger) {
    rows.numeric(asked.minor, ledger.scale);
    rows.null();
  } else {
    rows.null();
    rows.numeric(asked.minor, 0);
  }
}
