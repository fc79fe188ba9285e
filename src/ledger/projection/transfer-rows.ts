import { type AccountRef, type ReferringCommand, type TransferCommand } from '../command-codec';
import { formatId } from '../identifiers';
import { DONE_WORD, type OutcomeRow } from '../outcome-row';
import { burnsId, ResultCode, resultName } from '../result-codes';
import { TransferFlag } from '../transfer-fields';
import { type AccountRows } from './account-rows';
import { type ChangedAccounts } from './changed-accounts';
import { type ChangedHolds, type HoldEnd } from './changed-holds';
import { type CopyRows } from './copy-rows';
import { type DatedTotals } from './dated-totals';
import { narrowed } from './exact-sum';
import { type Effect, type KnownAccount } from './known-account';
import { type KnownAccounts } from './known-accounts';
import { type KnownLedger, type KnownLedgers } from './known-ledgers';
import { type Place } from './place';
import { askedAmount } from './transfer-amounts';
import { writeNoRest, writeRest, writeTotals } from './transfer-columns';

const OK = resultName(ResultCode.OK);
const TWO_TO_32 = 2 ** 32;
/** Below it, the upper word of an amount makes a safe integer. */
const SAFE_HIGH = 2 ** 21;
const MICROS_PER_MILLI = 1000;

type AnyTransfer = TransferCommand | ReferringCommand;

/** What the rows of a transaction go to, and what is known before them. */
export interface TransferRowsParts {
  readonly transfers: CopyRows;
  /** Of fewer columns, which are those of nearly all rows. */
  readonly usual: CopyRows;
  readonly ledgers: KnownLedgers;
  readonly accounts: KnownAccounts;
  readonly changed: ChangedAccounts;
  readonly holds: ChangedHolds;
  readonly dated: DatedTotals;
  readonly accountRows: AccountRows;
}

/** Turns one transfer, or the expiry of a hold, into rows. Decides nothing about money: the outcome has done that. */
export class TransferRows {
  /** Offsets of refused members of groups that spend their id, unless an earlier row has spent it. */
  readonly undecided: number[] = [];

  constructor(private readonly parts: TransferRowsParts) {}

  /** A transfer, done or refused; not a repeat, which is no event of its own. */
  transfer(command: AnyTransfer, outcome: OutcomeRow, place: Place): void {
    const { transfers } = this.parts;
    const ledger = this.openAccounts(command, outcome, place);
    const payer = this.account(outcome.debitHandle);
    const payee = this.account(outcome.creditHandle);
    const effect = this.effectOf(outcome);
    if (outcome.result === ResultCode.OK) this.perform(effect, payer, payee, place, command.effectiveTime);
    const expiresAt = outcome.effect === 'held' ? expiryOf(command, place) : undefined;
    this.changeHold(outcome, 'voided', place.offset, expiresAt);
    const asked = askedAmount(command.amount, ledger, outcome);

    begin(transfers, place);
    if (command.id.kind === 'uuid') transfers.ascii(formatId(command.id));
    else transfers.text(command.id.text);
    transfers.ascii(kindOf(command));
    transfers.ascii(resultName(outcome.result));
    transfers.bool(this.spends(command, outcome, place));
    this.sides(outcome.debitHandle, outcome.creditHandle, ledger);
    if (asked && 'value' in asked) transfers.numeric(asked.value, asked.scale);
    else transfers.null();
    transfers.numeric(outcome.amountMoved, ledger?.scale ?? 0);
    transfers.int8(command.code);
    transfers.numeric(command.userData, 0);
    writeTotals(transfers, payer);
    writeTotals(transfers, payee);
    const balancing = command.kind === 'transfer' && (command.flags & TransferFlag.BALANCING) !== 0;
    const { debit, credit } = command;
    const { hold } = outcome;
    writeRest(transfers, command, { balancing, debit, credit, payer, payee, ledger, asked, effect, hold, expiresAt });
  }

  /** A hold that was let go of because its time had come: what the ledger did by itself. */
  expiry(outcome: OutcomeRow, place: Place): void {
    const { transfers, ledgers } = this.parts;
    const ledger = ledgers.get(outcome.ledgerNumber);
    const payer = this.account(outcome.debitHandle);
    const payee = this.account(outcome.creditHandle);
    const effect = this.effectOf(outcome);
    this.perform(effect, payer, payee, place);
    this.changeHold(outcome, 'expired', place.offset);
    begin(transfers, place);
    transfers.null();
    transfers.ascii('expiry');
    transfers.ascii(OK);
    transfers.bool(false);
    this.sides(outcome.debitHandle, outcome.creditHandle, ledger);
    transfers.numeric(outcome.amount, ledger.scale);
    transfers.numeric(0, ledger.scale);
    transfers.int8(0);
    transfers.numeric(0, 0);
    writeTotals(transfers, payer);
    writeTotals(transfers, payee);
    transfers.bool(false);
    transfers.nulls(4);
    transfers.numeric(effect.released, ledger.scale);
    transfers.int8(outcome.hold);
    transfers.nulls(8);
  }

  /**
   * The usual case at a third of the cost: a plain packed transfer that was done, of an amount that a double holds
   * exactly. The row is the one that {@link transfer} would write.
   * @param outcomes with the record's row at `at`
   * @returns false, and nothing is done, where it is not that case
   */
  packedDone(row: Buffer, outcomes: Buffer, at: number, place: Place): boolean {
    const amountTop = outcomes.readUInt32LE(at + 40) | outcomes.readUInt32LE(at + 44);
    const amountHigh = outcomes.readUInt32LE(at + 36);
    const isPlain = outcomes.readUInt32LE(at) === DONE_WORD && row.readUInt32LE(60) === 0;
    if (!isPlain || amountTop !== 0 || amountHigh >= SAFE_HIGH) return false;
    const { accounts, changed } = this.parts;
    const amount = amountHigh * TWO_TO_32 + outcomes.readUInt32LE(at + 32);
    const debit = outcomes.readUInt32LE(at + 12) * TWO_TO_32 + outcomes.readUInt32LE(at + 8);
    const credit = outcomes.readUInt32LE(at + 20) * TWO_TO_32 + outcomes.readUInt32LE(at + 16);
    const payer = accounts.get(debit);
    const payee = accounts.get(credit);
    const { ledger } = payer;
    changed.touch(payer);
    changed.touch(payee);
    payer.pay(amount, place.offset);
    payee.receive(amount, place.offset);
    const { scale } = ledger;
    const isUsual = hasNoHolds(payer) && hasNoHolds(payee);
    const rows = isUsual ? this.parts.usual : this.parts.transfers;
    begin(rows, place);
    rows.uuid(row, 0);
    if (!isUsual) {
      rows.ascii('plain');
      rows.ascii(OK);
      rows.bool(true);
    }
    rows.int8(debit);
    rows.int8(credit);
    rows.ascii(ledger.code);
    rows.numeric(amount, scale);
    rows.numeric(amount, scale);
    rows.int8(row.readUInt32LE(56));
    const hasUserData = (row.readUInt32LE(48) | row.readUInt32LE(52)) !== 0;
    rows.numeric(hasUserData ? row.readBigUInt64LE(48) : 0, 0);
    if (isUsual) {
      rows.numeric(payer.debits, scale);
      rows.numeric(payer.credits, scale);
      rows.numeric(payee.debits, scale);
      rows.numeric(payee.credits, scale);
    } else {
      writeTotals(rows, payer);
      writeTotals(rows, payee);
      writeNoRest(rows);
    }
    return true;
  }

  private sides(debit: number, credit: number, ledger: KnownLedger | undefined): void {
    const { transfers } = this.parts;
    if (debit === 0) transfers.null();
    else transfers.int8(debit);
    if (credit === 0) transfers.null();
    else transfers.int8(credit);
    if (ledger) transfers.ascii(ledger.code);
    else transfers.null();
  }

  /** @returns the ledger, where one is known */
  private openAccounts(command: AnyTransfer, outcome: OutcomeRow, place: Place): KnownLedger | undefined {
    if (outcome.ledgerNumber === 0) return undefined;
    const ledger = this.parts.ledgers.get(outcome.ledgerNumber);
    if (outcome.openedDebit) this.open(command.debit, outcome.debitHandle, ledger, place);
    if (outcome.openedCredit) this.open(command.credit, outcome.creditHandle, ledger, place);
    return ledger;
  }

  private open(named: AccountRef | undefined, handle: number, ledger: KnownLedger, place: Place): void {
    if (named === undefined || !('name' in named)) {
      throw new Error(`The transfer at offset ${place.offset} opened account ${handle} without naming it.`);
    }
    this.parts.accountRows.openedByTransfer(named.name, handle, ledger, place);
  }

  private account(handle: number): KnownAccount | undefined {
    return handle === 0 ? undefined : this.parts.accounts.get(handle);
  }

  private effectOf(outcome: OutcomeRow): Effect {
    const amount = narrowed(outcome.amount);
    switch (outcome.effect) {
      case 'held':
        return { moved: 0, held: amount, released: 0 };
      case 'posted':
        return { moved: amount, held: 0, released: amount };
      case 'posted_part':
        return { moved: amount, held: 0, released: this.parts.holds.amountOf(outcome.hold) };
      case 'released':
        return { moved: 0, held: 0, released: amount };
      default:
        return { moved: amount, held: 0, released: 0 };
    }
  }

  private perform(
    effect: Effect,
    payer: KnownAccount | undefined,
    payee: KnownAccount | undefined,
    { offset, time }: Place,
    effectiveTime?: number,
  ): void {
    if (!payer || !payee) throw new Error(`The record at offset ${offset} was done without two accounts.`);
    const { changed } = this.parts;
    changed.touch(payer);
    changed.touch(payee);
    payer.payAs(effect, offset);
    payee.receiveAs(effect, offset);
    if (effectiveTime === undefined || effect.moved === 0) return;
    this.parts.dated.move(payer, payee, effect.moved, effectiveTime, time);
  }

  /** @param end what a transfer or a record that lets go of the hold means for it */
  private changeHold(outcome: OutcomeRow, end: HoldEnd, offset: number, expiresAt?: number): void {
    const { holds } = this.parts;
    const { amount, creditHandle: credit, debitHandle: debit, effect, hold: number, scale } = outcome;
    if (effect === 'none') return;
    if (effect === 'held') holds.make({ number, offset, debit, credit, amount: narrowed(amount), scale, expiresAt });
    else holds.end(number, effect === 'released' ? end : 'posted', offset);
  }

  private spends(command: AnyTransfer, outcome: OutcomeRow, { offset }: Place): boolean {
    if (outcome.result === ResultCode.OK) return true;
    if (!burnsId(outcome.result)) return false;
    if (command.group === undefined) return true;
    // Its group may have failed for a refusal of this id that was there before.
    this.undecided.push(offset);
    return false;
  }
}

function begin(rows: CopyRows, { group, offset, time }: Place): void {
  rows.row();
  rows.int4(group);
  rows.int8(offset);
  rows.timestamptz(time);
}

function hasNoHolds({ debitsPending, creditsPending }: KnownAccount): boolean {
  return debitsPending === 0 && creditsPending === 0;
}

function kindOf(command: AnyTransfer): string {
  if (command.kind === 'refer') return command.action === 'reverse' ? 'reversal' : command.action;
  return (command.flags & TransferFlag.PENDING) !== 0 ? 'pending' : 'plain';
}

function expiryOf(command: AnyTransfer, { time }: Place): number | undefined {
  if (command.kind === 'refer' || command.timeoutMs === undefined) return undefined;
  return time + command.timeoutMs * MICROS_PER_MILLI;
}
