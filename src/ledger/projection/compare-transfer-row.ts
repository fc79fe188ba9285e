/**
 * What a row of `ledger.transfers` has to say, column by column: from the command as it is in the log, the outcome of a replay
 * and the state after it. It shares nothing with what writes the rows (transfer-rows.ts), so that a fault there shows.
 */
import { formatMinor, minorFromText } from '../amounts';
import { type AccountRef, type AmountSpec } from '../command-codec';
import { formatId, formatUuid } from '../identifiers';
import { type OutcomeRow } from '../outcome-row';
import { type LedgerReader, type LedgerView } from '../reader';
import { burnsId, ResultCode, resultName } from '../result-codes';
import { TransferFlag } from '../transfer-fields';
import { type AnyTransfer, type DecidedRecord } from './compare-records';
import { type ComparedTable } from './compare-table';
import { amountOrNull, bytesText, type Expected, numberOrNull, timeOrNull } from './compare-text';
import { type SideTotals } from './compare-totals';

const OF_TRANSFER = [
  ...['partition', 'time', 'id', 'kind', 'result', 'spends_id', 'debit_account', 'credit_account', 'ledger', 'amount'],
  ...['amount_moved', 'code', 'user_data', 'balancing', 'unknown_debit', 'unknown_credit', 'unscaled_amount'],
  ...[
    'amount_held',
    'amount_released',
    'hold',
    'expires_at',
    'metadata',
    'effective_time',
    'imported_time',
    'refers_to',
  ],
  ...['group_id', 'group_index', 'group_size', 'payer_debits', 'payer_credits', 'payer_debits_pending'],
  ...['payer_credits_pending', 'payee_debits', 'payee_credits', 'payee_debits_pending', 'payee_credits_pending'],
];
/** Of the hold that it made, or put an end to. */
const OF_HOLD = ['log_offset', 'debit_account', 'credit_account', 'ended_offset'];

export const TRANSFER_TABLE: ComparedTable = {
  what: 'transfer',
  name: 'compared_transfers',
  columns: [...OF_TRANSFER, ...OF_HOLD.map((column) => `holds.${column}`)],
  select: `SELECT t.log_offset, ${OF_TRANSFER.map((column) => `t.${column}`).join(', ')}, ${OF_HOLD.map((column) => `h.${column}`).join(', ')}
             FROM ledger.transfers t LEFT JOIN ledger.holds h ON h.partition = t.partition AND h.number = t.hold`,
  partition: 't.partition',
  offset: 't.log_offset',
};

/** Longer text of an amount is kept nowhere: nothing that was ever accepted has it. */
const LONGEST_AMOUNT = 128;

/** Where and when a record stands. */
export interface RecordPlace {
  readonly group: number;
  /** Of its batch, as Postgres prints it. */
  readonly time: string;
}

/** @param totals of both accounts after the record; undefined: there is no such account */
export function transferColumns(
  { offset, outcome }: DecidedRecord,
  transfer: AnyTransfer | 'expiry',
  { group, time }: RecordPlace,
  reader: LedgerReader,
  totals: readonly [SideTotals | undefined, SideTotals | undefined],
): Expected[] {
  const ledger = outcome.ledgerNumber === 0 ? undefined : reader.ledgerByNumber(outcome.ledgerNumber);
  const scale = ledger?.scale ?? 0;
  const [debit, credit] = [numberOrNull(outcome.debitHandle), numberOrNull(outcome.creditHandle)];
  const asked =
    transfer === 'expiry' ? formatMinor(outcome.amount, scale) : askedAmount(transfer.amount, ledger, outcome);
  return [
    ...[String(group), time],
    ...identity(transfer, outcome.result, () => spends(transfer, offset, outcome, reader)),
    ...[debit, credit, ledger?.code ?? null],
    ...[typeof asked === 'string' ? asked : null, formatMinor(outcome.amountMoved, scale)],
    ...described(transfer, outcome),
    typeof asked === 'bigint' ? String(asked) : null,
    ...holding(outcome, scale, reader),
    ...(transfer === 'expiry' ? NOTHING_MORE : saidBeside(transfer)),
    ...totalsOf(totals[0]),
    ...totalsOf(totals[1]),
    ...holdsRow(outcome, String(offset), debit, credit),
  ];
}

/** id, kind, result, spends_id */
function identity(transfer: AnyTransfer | 'expiry', result: ResultCode, isSpent: () => boolean): Expected[] {
  if (transfer === 'expiry') return [null, 'expiry', 'ok', 'f'];
  const id = transfer.id.kind === 'uuid' ? formatUuid(transfer.id.bytes) : transfer.id.text;
  return [id, kindOf(transfer), resultName(result), isSpent() ? 't' : 'f'];
}

function kindOf(transfer: AnyTransfer): string {
  if (transfer.kind === 'transfer') return (transfer.flags & TransferFlag.PENDING) === 0 ? 'plain' : 'pending';
  return transfer.action === 'reverse' ? 'reversal' : transfer.action;
}

/** The state answers with the very record that spent the id. */
function spends(
  transfer: AnyTransfer | 'expiry',
  offset: number,
  { result }: OutcomeRow,
  reader: LedgerReader,
): boolean {
  if (transfer === 'expiry') return false;
  if (result === ResultCode.OK) return true;
  return burnsId(result) && reader.transferById(transfer.id)?.offset === offset;
}

/** code, user_data, balancing, unknown_debit, unknown_credit */
function described(transfer: AnyTransfer | 'expiry', { creditHandle, debitHandle }: OutcomeRow): Expected[] {
  if (transfer === 'expiry') return ['0', '0', 'f', null, null];
  const { code, credit, debit, kind, userData } = transfer;
  const isBalancing = kind === 'transfer' && (transfer.flags & TransferFlag.BALANCING) !== 0;
  const unknown = (handle: number, named: AccountRef | undefined): string | null =>
    handle !== 0 || named === undefined ? null : 'name' in named ? named.name : `#${named.handle}`;
  return [
    ...[String(code), String(userData), isBalancing ? 't' : 'f'],
    ...[unknown(debitHandle, debit), unknown(creditHandle, credit)],
  ];
}

/** Text at a scale; minor units where no ledger, and so no scale, is known; undefined where the column is empty. */
function askedAmount(
  asked: AmountSpec | undefined,
  ledger: LedgerView | undefined,
  { amount, result }: OutcomeRow,
): string | bigint | undefined {
  if (asked === undefined) return ledger && result === ResultCode.OK ? formatMinor(amount, ledger.scale) : undefined;
  if ('minor' in asked) return ledger ? formatMinor(asked.minor, ledger.scale) : asked.minor;
  if (asked.text.length > LONGEST_AMOUNT) return undefined;
  const [whole = '', fraction = ''] = asked.text.split('.');
  const accountsFound = result !== ResultCode.DEBIT_ACCOUNT_NOT_FOUND && result !== ResultCode.CREDIT_ACCOUNT_NOT_FOUND;
  if (ledger?.rounding === 'half_up' && accountsFound && fraction.length > ledger.scale) {
    const rounded = minorFromText(asked.text, ledger.scale, 'half_up');
    if ('minor' in rounded) return formatMinor(rounded.minor, ledger.scale);
  }
  const decimals = fraction.padEnd(ledger?.scale ?? 0, '0');
  return (whole.replace(/^0+(?=\d)/, '') || '0') + (decimals === '' ? '' : `.${decimals}`);
}

/** amount_held, amount_released, hold, expires_at */
function holding({ amount, effect, hold }: OutcomeRow, scale: number, reader: LedgerReader): Expected[] {
  if (effect === 'none') return [null, null, numberOrNull(hold), null];
  const made = reader.hold(hold);
  if (effect === 'held') return [amountOrNull(amount, scale), null, numberOrNull(hold), timeOrNull(made?.expiresAt)];
  return [null, amountOrNull(made?.amount ?? 0n, scale), numberOrNull(hold), null];
}

const NOTHING_MORE: readonly Expected[] = [null, null, null, null, null, null, null];

/** metadata, effective_time, imported_time, refers_to, group_id, group_index, group_size */
function saidBeside(transfer: AnyTransfer): Expected[] {
  const { effectiveTime, group, importedTime, metadata } = transfer;
  return [
    metadata.length === 0 ? null : bytesText(metadata),
    ...[timeOrNull(effectiveTime), timeOrNull(importedTime)],
    transfer.kind === 'refer' ? formatId(transfer.to) : null,
    ...(group === undefined ? [null, null, null] : [formatId(group.id), String(group.index), String(group.size)]),
  ];
}

/** debits, credits, debits_pending, credits_pending */
function totalsOf(side: SideTotals | undefined): Expected[] {
  if (side === undefined) return [null, null, null, null];
  const { credits, creditsPending, debits, debitsPending, scale } = side;
  return [
    ...[formatMinor(debits, scale), formatMinor(credits, scale)],
    ...[amountOrNull(debitsPending, scale), amountOrNull(creditsPending, scale)],
  ];
}

/** Of the row of the hold: log_offset, debit_account, credit_account, ended_offset. */
function holdsRow({ effect, hold }: OutcomeRow, offset: string, debit: Expected, credit: Expected): Expected[] {
  if (hold === 0) return [null, null, null, null];
  if (effect === 'none') return [undefined, undefined, undefined, undefined];
  return effect === 'held' ? [offset, debit, credit, undefined] : [undefined, debit, credit, offset];
}
