/** Transfers of every kind between JSON and what the ledger takes and gives (docs/api-http.md). */
import { formatMinor } from '../../ledger/amounts';
import { formatId } from '../../ledger/identifiers';
import { type OutcomeRow } from '../../ledger/outcome-row';
import { type HoldView, type LedgerReader, type LedgerView, type TransferView } from '../../ledger/reader';
import { type ResultInfo, resultInfo, resultName } from '../../ledger/result-codes';
import { TransferFlag } from '../../ledger/transfer-fields';
import { type Transfer, TransferKind } from '../../proto/ledger-v1';
import { faultOfResult, refusalInfo } from '../errors';
import { ItemFault } from '../item-fault';
import { type TransferItem } from '../transfer-item';
import {
  base64Bytes,
  type JsonObject,
  notTheJson,
  optionalFlag,
  optionalInteger,
  optionalText,
  refuseUnknownFields,
  uint64Text,
} from './body';

const KINDS: ReadonlyMap<string, number> = new Map([
  ['plain', TransferKind.PLAIN],
  ['pending', TransferKind.PENDING],
  ['post', TransferKind.POST],
  ['void', TransferKind.VOID],
]);

/** What the ledger keeps beside the money. */
const KEPT_FIELDS = ['code', 'user_data', 'metadata', 'effective_time', 'imported_time'];
/** What a payment may have beside the fields of the service that it comes from. */
const FURTHER_FIELDS = ['kind', 'timeout_ms', 'balancing', ...KEPT_FIELDS];
const PARTIES = ['request_id', 'from', 'to', 'amount', 'ledger'];
export const TRANSFER_FIELDS: readonly string[] = [...PARTIES, ...FURTHER_FIELDS, 'pending_id', 'reverses'];
/** Of one that follows on the transfer in the path: what it does, and to which, stands there. */
export const FOLLOWING_FIELDS: readonly string[] = [...PARTIES, ...KEPT_FIELDS];
const MAX_U32 = 0xffff_ffff;

/** Whether a payment says more than the four fields of the service that it comes from, and so gets the longer answer. */
export function saysMore(body: JsonObject): boolean {
  return FURTHER_FIELDS.some((field) => Object.hasOwn(body, field) && body[field] !== null);
}

/** Whether it posts, voids or reverses another transfer, and so may leave accounts, ledger and amount to that one. */
export function refersToAnother({ kind, reverses }: Transfer): boolean {
  return kind === TransferKind.POST || kind === TransferKind.VOID || reverses !== '';
}

/**
 * A transfer as it stands in the body of a request. Throws the fault of JSON that is not as expected, and after that of a
 * field that is not known.
 *
 * @param where it stands, for people: `in transfers[1]`
 */
export function transferIn(body: JsonObject, known = TRANSFER_FIELDS, where?: string): Transfer {
  const transfer = fieldsIn(body);
  refuseUnknownFields(body, known, where);
  // An empty text is no id, and must not pass for none: a reversal of nothing would be a payment.
  if (body['reverses'] === '') throw faultOfResult(refusalInfo('reverses_invalid'), 'reverses');
  if (body['pending_id'] === '') throw faultOfResult(refusalInfo('pending_id_invalid'), 'pending_id');
  return transfer;
}

function fieldsIn(body: JsonObject): Transfer {
  const text = (field: string): string => optionalText(body, field) ?? '';
  const number = (field: string): string => String(optionalInteger(body, field) ?? 0);
  return {
    id: text('request_id'),
    debit_account: text('from'),
    credit_account: text('to'),
    debit_handle: '0',
    credit_handle: '0',
    amount: text('amount'),
    ledger: text('ledger'),
    code: codeIn(body),
    user_data: uint64Text(body, 'user_data'),
    metadata: base64Bytes(body, 'metadata'),
    kind: kindIn(body),
    pending_id: text('pending_id'),
    timeout_ms: number('timeout_ms'),
    balancing: optionalFlag(body, 'balancing'),
    reverses: text('reverses'),
    effective_time: number('effective_time'),
    imported_time: number('imported_time'),
  };
}

function codeIn(body: JsonObject): number {
  const code = optionalInteger(body, 'code') ?? 0;
  if (code > MAX_U32) throw notTheJson();
  return code;
}

function kindIn(body: JsonObject): number {
  const kind = KINDS.get(optionalText(body, 'kind') ?? 'plain');
  if (kind === undefined) throw notTheJson();
  return kind;
}

/** The row of what became of a transfer. */
export function infoOf(outcome: OutcomeRow | ItemFault): ResultInfo {
  return outcome instanceof ItemFault ? outcome.info : resultInfo(outcome.result);
}

/** What was done. The same for a repeat, but for the token. */
export function doneJson(command: TransferItem, outcome: OutcomeRow, reader: LedgerReader): object {
  const { amount, amountMoved, debitHandle, creditHandle, effect, offset, scale, timestamp } = outcome;
  const name = (handle: number): string | null => reader.accountByHandle(handle)?.name ?? null;
  return {
    request_id: formatId(command.id),
    kind: kindOf(command),
    result: resultName(outcome.result),
    from: name(debitHandle),
    to: name(creditHandle),
    ledger: reader.ledgerByNumber(outcome.ledgerNumber)?.code ?? null,
    amount_moved: formatMinor(amountMoved, scale),
    amount_held: formatMinor(effect === 'held' ? amount : 0n, scale),
    offset,
    timestamp,
  };
}

function kindOf(command: TransferItem): TransferView['kind'] {
  if (command.kind === 'refer') return command.action === 'reverse' ? 'reversal' : command.action;
  return (command.flags & TransferFlag.PENDING) === 0 ? 'plain' : 'pending';
}

/** A transfer that is looked up. */
export function viewJson(view: TransferView): object {
  const { kind, ledger, refersTo = null } = view;
  return {
    request_id: view.id,
    from: view.debitAccount,
    amount: view.amount,
    to: view.creditAccount,
    ledger: ledger?.code ?? null,
    kind,
    balancing: view.balancing,
    result: resultName(view.result),
    amount_moved: ledger === undefined ? null : formatMinor(view.moved, ledger.scale),
    code: view.code,
    user_data: view.userData.toString(),
    metadata: view.metadata.toString('base64'),
    offset: view.offset,
    timestamp: view.timestamp,
    effective_time: view.effectiveTime ?? null,
    imported_time: view.importedTime ?? null,
    timeout_ms: view.timeoutMs === 0 ? null : view.timeoutMs,
    pending_id: kind === 'reversal' ? null : refersTo,
    reverses: kind === 'reversal' ? refersTo : null,
    reversed_by: view.reversedBy,
    transaction: view.group ?? null,
    hold: view.hold === undefined ? null : holdJson(view.hold, ledger),
  };
}

function holdJson(hold: HoldView, ledger: LedgerView | undefined): object {
  return {
    amount: formatMinor(hold.amount, ledger?.scale ?? 0),
    status: hold.status,
    expires_at: hold.expiresAt ?? null,
    resolved_by: hold.resolvedBy ?? null,
  };
}
