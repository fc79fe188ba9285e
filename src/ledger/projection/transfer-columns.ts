/** The columns of `ledger.transfers` in the order in which they are copied (see table-rows.ts). */
import { type AccountRef, type ReferringCommand, type TransferCommand } from '../command-codec';
import { formatId } from '../identifiers';
import { type CopyRows } from './copy-rows';
import { type Effect, type KnownAccount } from './known-account';
import { type KnownLedger } from './known-ledgers';
import { type AskedAmount } from './transfer-amounts';

/** What a row has beyond the columns that nearly every row has. */
export interface TransferRest {
  readonly balancing: boolean;
  readonly debit: AccountRef | undefined;
  readonly credit: AccountRef | undefined;
  readonly payer: KnownAccount | undefined;
  readonly payee: KnownAccount | undefined;
  readonly ledger: KnownLedger | undefined;
  readonly asked: AskedAmount;
  readonly effect: Effect;
  /** Number of the hold; 0: none. */
  readonly hold: number;
  /** Microseconds since the Unix epoch. */
  readonly expiresAt: number | undefined;
}

/** What of {@link TransferRest} a plain packed transfer has: nothing. */
const COLUMNS_OF_REST = 14;

/** The totals of an account after the record; all null where there is no such account. */
export function writeTotals(rows: CopyRows, account: KnownAccount | undefined): void {
  if (account === undefined) {
    rows.nulls(4);
    return;
  }
  const { debits, credits, debitsPending, creditsPending } = account;
  const { scale } = account.ledger;
  rows.numeric(debits, scale);
  rows.numeric(credits, scale);
  // Nearly always zero, and a null costs no room in the row.
  if (debitsPending === 0) rows.nulls(1);
  else rows.numeric(debitsPending, scale);
  if (creditsPending === 0) rows.nulls(1);
  else rows.numeric(creditsPending, scale);
}

export function writeNoRest(rows: CopyRows): void {
  rows.bool(false);
  rows.nulls(COLUMNS_OF_REST);
}

export function writeRest(rows: CopyRows, command: TransferCommand | ReferringCommand, rest: TransferRest): void {
  const { asked, effect, ledger } = rest;
  const scale = ledger?.scale ?? 0;
  rows.bool(rest.balancing);
  unknownName(rows, rest.payer, rest.debit);
  unknownName(rows, rest.payee, rest.credit);
  if (asked && 'unscaled' in asked) rows.numeric(asked.unscaled, 0);
  else rows.null();
  if (effect.held === 0) rows.null();
  else rows.numeric(effect.held, scale);
  if (effect.released === 0) rows.null();
  else rows.numeric(effect.released, scale);
  if (rest.hold === 0) rows.null();
  else rows.int8(rest.hold);
  timeOrNull(rows, rest.expiresAt);
  if (command.metadata.length > 0) rows.bytes(command.metadata);
  else rows.null();
  timeOrNull(rows, command.effectiveTime);
  timeOrNull(rows, command.importedTime);
  if (command.kind === 'refer') rows.text(formatId(command.to));
  else rows.null();
  const { group } = command;
  if (group === undefined) {
    rows.nulls(3);
  } else {
    rows.text(formatId(group.id));
    rows.int4(group.index);
    rows.int4(group.size);
  }
}

/** What the command called an account that there is not; nothing where it left the account to another transfer. */
function unknownName(rows: CopyRows, account: KnownAccount | undefined, named: AccountRef | undefined): void {
  if (account !== undefined || named === undefined) rows.null();
  else rows.text('name' in named ? named.name : `#${named.handle}`);
}

/** A time that is no exact number of microseconds is so far away (the year 2255 and later) that no books know it. */
function timeOrNull(rows: CopyRows, micros: number | undefined): void {
  if (micros === undefined) rows.null();
  else if (Number.isSafeInteger(micros)) rows.timestamptz(micros);
  else rows.infinity();
}
