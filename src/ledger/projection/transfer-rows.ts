import { type AccountRef, type ReferringCommand, type TransferCommand } from '../command-codec';
import { formatId, formatUuid } from '../identifiers';
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
import { type NewRows } from './table-rows';
import { writeNoRest, writeRest, writeTotals } from './transfer-columns';
import { type UsualTransfer } from './usual-rows';

const OK = resultName(ResultCode.OK);
const TWO_TO_32 = 2 ** 32;
/** Below it, the upper word of an amount makes a safe integer. */
const SAFE_HIGH = 2 ** 21;
const MICROS_PER_MILLI = 1000;
const UUID_BYTES = 16;

type AnyTransfer = TransferCommand | ReferringCommand;

/** What the rows of a transaction go to, and what is known before them. */
export interface TransferRowsParts {
  readonly rows: NewRows;
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
    const transfers = this.parts.rows.transfersAt(place.offset).any;
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
    this.sides(transfers, outcome.debitHandle, outcome.creditHandle, ledger);
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
    const { rows, ledgers } = this.parts;
    const transfers = rows.transfersAt(place.offset).any;
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
    this.sides(transfers, outcome.debitHandle, outcome.creditHandle, ledger);
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
   * The usual case at a fraction of the cost: a plain packed transfer that was done, of an amount that a double holds
   * exactly. The row is the one that {@link transfer} would write.
   * @param source with the packed row at `from`
   * @param outcomes with the record's row at `at`
   * @returns false, and nothing is done, where it is not that case
   */
  packedDone(source: Buffer, from: number, outcomes: Buffer, at: number, place: Place): boolean {
    const amountHigh = word(outcomes, at + 36);
    if (word(outcomes, at) !== DONE_WORD || word(source, from + 60) !== 0) return false;
    if ((word(outcomes, at + 40) | word(outcomes, at + 44)) !== 0 || amountHigh >= SAFE_HIGH) return false;
    const { accounts, changed } = this.parts;
    const amount = amountHigh * TWO_TO_32 + word(outcomes, at + 32);
    const payer = accounts.get(word(outcomes, at + 12) * TWO_TO_32 + word(outcomes, at + 8));
    const payee = accounts.get(word(outcomes, at + 20) * TWO_TO_32 + word(outcomes, at + 16));
    changed.touch(payer);
    changed.touch(payee);
    payer.pay(amount, place.offset);
    payee.receive(amount, place.offset);
    const userData = userDataOf(source, from);
    const code = word(source, from + 56);
    const rows = this.parts.rows.transfersAt(place.offset);
    const transfer = { source, at: from, amount, code, userData };
    if (!hasNoHolds(payer) || !hasNoHolds(payee)) this.packedBesideHolds(rows.any, transfer, place, payer, payee);
    else if (userData === 0) rows.usual.add(transfer, place, payer, payee);
    else rows.usualWithUserData.add(transfer, place, payer, payee);
    return true;
  }

  private packedBesideHolds(
    rows: CopyRows,
    { source, at, amount, code, userData }: UsualTransfer,
    place: Place,
    payer: KnownAccount,
    payee: KnownAccount,
  ): void {
    const { scale } = payer.ledger;
    begin(rows, place);
    rows.ascii(formatUuid(source.subarray(at, at + UUID_BYTES)));
    rows.ascii('plain');
    rows.ascii(OK);
    rows.bool(true);
    this.sides(rows, payer.handle, payee.handle, payer.ledger);
    rows.numeric(amount, scale);
    rows.numeric(amount, scale);
    rows.int8(code);
    rows.numeric(userData, 0);
    writeTotals(rows, payer);
    writeTotals(rows, payee);
    writeNoRest(rows);
  }

  private sides(transfers: CopyRows, debit: number, credit: number, ledger: KnownLedger | undefined): void {
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

/** 32 bits, little-endian: read byte by byte, since Buffer's method checks its arguments each time. */
function word(bytes: Uint8Array, at: number): number {
  const low = (bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16);
  return (low | ((bytes[at + 3] as number) << 24)) >>> 0;
}

/** A number where it is 0, as nearly always. */
function userDataOf(source: Buffer, from: number): number | bigint {
  if ((word(source, from + 48) | word(source, from + 52)) === 0) return 0;
  return source.readBigUInt64LE(from + 48);
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
