/** Transfers as `ledger.v1.TransferCommand`: written for the log, and read back for those who want objects. */
import { u128FromBytes, u128ToBytes } from './amounts';
import { type AccountRef, type AmountSpec, type ReferringCommand, type TransferCommand } from './commands';
import { type TransferId } from './identifiers';
import { decodeTransfer, Field } from './transfer-codec';
import {
  type AccountFields,
  AmountForm,
  type IdFields,
  IdKind,
  RESOLVING_FLAGS,
  TransferFields,
  TransferFlag,
} from './transfer-fields';
import { joinWords } from './words';
import { WireReader, WireWriter } from './wire';

export function transferBytes(command: TransferCommand | ReferringCommand): Buffer {
  const out = new WireWriter();
  id(out, Field.ID, Field.TEXT_ID, command.id);
  const { debit, credit, amount, group } = command;
  if (debit !== undefined && 'name' in debit) out.string(Field.DEBIT_ACCOUNT, debit.name);
  if (credit !== undefined && 'name' in credit) out.string(Field.CREDIT_ACCOUNT, credit.name);
  if (debit !== undefined && 'handle' in debit) out.uint(Field.DEBIT_HANDLE, debit.handle);
  if (credit !== undefined && 'handle' in credit) out.uint(Field.CREDIT_HANDLE, credit.handle);
  if (amount !== undefined && 'text' in amount) out.string(Field.AMOUNT, amount.text);
  if (amount !== undefined && 'minor' in amount) out.bytes(Field.AMOUNT_MINOR, u128ToBytes(amount.minor));
  out.string(Field.LEDGER, command.ledger);
  out.uint(Field.CODE, command.code);
  out.uint(Field.USER_DATA, command.userData);
  out.bytes(Field.METADATA, command.metadata);
  if (command.kind === 'transfer') {
    out.uint(Field.FLAGS, command.flags);
    out.uint(Field.TIMEOUT_MS, command.timeoutMs ?? 0);
  } else if (command.action === 'reverse') id(out, Field.REVERSES, Field.REVERSES_TEXT_ID, command.to);
  else {
    out.uint(Field.FLAGS, command.action === 'post' ? TransferFlag.POST : TransferFlag.VOID);
    id(out, Field.PENDING_ID, Field.PENDING_TEXT_ID, command.to);
  }
  out.uint(Field.EFFECTIVE_TIME, command.effectiveTime ?? 0);
  out.uint(Field.IMPORTED_TIME, command.importedTime ?? 0);
  if (group !== undefined) {
    id(out, Field.GROUP_ID, Field.GROUP_TEXT_ID, group.id);
    out.uint(Field.GROUP_INDEX, group.index);
    out.uint(Field.GROUP_SIZE, group.size);
  }
  return out.finish();
}

function id(out: WireWriter, uuidField: number, textField: number, value: TransferId): void {
  if (value.kind === 'uuid') out.bytes(uuidField, value.bytes);
  else out.string(textField, value.text);
}

/** Undefined where it is malformed, or lacks an account or an amount that no other transfer gives it. */
export function decodeTransferCommand(
  bytes: Uint8Array,
  start: number,
  end: number,
): TransferCommand | ReferringCommand | undefined {
  const fields = new TransferFields();
  if (!decodeTransfer(new WireReader(), fields, bytes, start, end)) return undefined;
  const { flags } = fields;
  const own = idOf(fields, fields.id);
  const debit = accountRef(fields, fields.debit);
  const credit = accountRef(fields, fields.credit);
  const amount = amountOf(fields);
  const to = idOf(fields, fields.reference);
  if (own === undefined) return undefined;
  const rest = { id: own, ...restOf(fields) };
  if (fields.refers) {
    if (to === undefined) return undefined;
    const resolving = (flags & TransferFlag.POST) !== 0 ? 'post' : 'void';
    const action = (flags & RESOLVING_FLAGS) !== 0 ? resolving : 'reverse';
    return { kind: 'refer', action, to, debit, credit, amount, ...rest };
  }
  if (debit === undefined || credit === undefined || amount === undefined) return undefined;
  const timeout = fields.timeout === 0 ? {} : { timeoutMs: fields.timeout };
  return { kind: 'transfer', debit, credit, amount, flags, ...timeout, ...rest };
}

function restOf(
  fields: TransferFields,
): Omit<ReferringCommand, 'kind' | 'action' | 'to' | 'id' | 'debit' | 'credit' | 'amount'> {
  const { code, metadataStart, metadataLength } = fields;
  const effectiveTime = joinWords(fields.effectiveLow, fields.effectiveHigh);
  const importedTime = joinWords(fields.importedLow, fields.importedHigh);
  const group = idOf(fields, fields.group);
  return {
    ledger: fields.text(fields.ledgerStart, fields.ledgerLength),
    code,
    userData: (BigInt(fields.userDataHigh) << 32n) | BigInt(fields.userDataLow),
    metadata: Buffer.from(fields.source.subarray(metadataStart, metadataStart + metadataLength)),
    ...(effectiveTime === 0 ? {} : { effectiveTime }),
    ...(importedTime === 0 ? {} : { importedTime }),
    ...(group === undefined ? {} : { group: { id: group, index: fields.groupIndex, size: fields.groupSize } }),
  };
}

function idOf(fields: TransferFields, given: IdFields): TransferId | undefined {
  if (given.kind === IdKind.NONE) return undefined;
  if (given.kind === IdKind.TEXT) return { kind: 'text', text: fields.text(given.textStart, given.textLength) };
  return { kind: 'uuid', bytes: Buffer.from(given.words.slice().buffer) };
}

function accountRef(fields: TransferFields, account: AccountFields): AccountRef | undefined {
  if (account.hasName) return { name: fields.text(account.nameStart, account.nameLength) };
  return account.hasHandle ? { handle: Number(account.handle) } : undefined;
}

function amountOf(fields: TransferFields): AmountSpec | undefined {
  if (fields.amountForm === AmountForm.NONE) return undefined;
  if (fields.amountForm === AmountForm.MINOR) return { minor: u128FromBytes(Buffer.from(fields.amount.buffer)) };
  return { text: fields.text(fields.amountStart, fields.amountLength) };
}
