import { AmountForm, IdKind, type TransferFields } from './transfer-fields';
import { type WireReader, WireType } from './wire';

/** Field numbers of ledger.v1.TransferCommand. */
const Field = {
  ID: 1,
  TEXT_ID: 2,
  DEBIT_ACCOUNT: 3,
  CREDIT_ACCOUNT: 4,
  DEBIT_HANDLE: 5,
  CREDIT_HANDLE: 6,
  AMOUNT: 7,
  AMOUNT_MINOR: 8,
  LEDGER: 9,
  CODE: 10,
  USER_DATA: 11,
  METADATA: 12,
  FLAGS: 13,
} as const;

const LAST_FIELD = Field.FLAGS;
/** Bit n is set where field n is a VARINT; the others are BYTES. */
const VARINT_FIELDS =
  (1 << Field.DEBIT_HANDLE) |
  (1 << Field.CREDIT_HANDLE) |
  (1 << Field.CODE) |
  (1 << Field.USER_DATA) |
  (1 << Field.FLAGS);

/**
 * Decodes the TransferCommand in `bytes[start, end)` in place. False when it is malformed: bytes that are no message, a
 * field of another wire type, an id or an amount that is not 16 bytes, a code or flags beyond 32 bits, or something given
 * both ways or neither (id and text id, an account's name and handle, amount and minor units).
 */
export function decodeTransfer(
  reader: WireReader,
  fields: TransferFields,
  bytes: Uint8Array,
  start: number,
  end: number,
): boolean {
  fields.clear(bytes);
  reader.reset(bytes, start, end);
  let idForms = 0;
  let amountForms = 0;
  while (reader.next()) {
    const field = reader.field;
    if (field > LAST_FIELD) continue;
    if (((VARINT_FIELDS >>> field) & 1) !== 0) {
      if (reader.type !== WireType.VARINT || !takeNumber(fields, reader)) return false;
    } else {
      if (reader.type !== WireType.BYTES) return false;
      // Proto3 does not tell an empty field from an absent one.
      if (reader.length === 0) continue;
      if (field === Field.ID || field === Field.TEXT_ID) idForms |= field;
      if (field === Field.AMOUNT || field === Field.AMOUNT_MINOR) amountForms |= field;
      if (!takeBytes(fields, reader)) return false;
    }
  }
  return (
    !reader.malformed &&
    idForms !== (Field.ID | Field.TEXT_ID) &&
    amountForms !== (Field.AMOUNT | Field.AMOUNT_MINOR) &&
    fields.idKind !== IdKind.NONE &&
    fields.amountForm !== AmountForm.NONE &&
    fields.debit.hasName !== fields.debit.hasHandle &&
    fields.credit.hasName !== fields.credit.hasHandle
  );
}

function takeNumber(fields: TransferFields, reader: WireReader): boolean {
  const { low, high } = reader;
  switch (reader.field) {
    case Field.DEBIT_HANDLE:
      fields.debit.handleLow = low;
      fields.debit.handleHigh = high;
      return true;
    case Field.CREDIT_HANDLE:
      fields.credit.handleLow = low;
      fields.credit.handleHigh = high;
      return true;
    case Field.USER_DATA:
      fields.userDataLow = low;
      fields.userDataHigh = high;
      return true;
    case Field.CODE:
      fields.code = low;
      return high === 0;
    default:
      fields.flags = low;
      return high === 0;
  }
}

function takeBytes(fields: TransferFields, reader: WireReader): boolean {
  const { start, length } = reader;
  switch (reader.field) {
    case Field.ID:
      fields.idKind = IdKind.UUID;
      return readWords(reader.bytes, start, length, fields.id);
    case Field.TEXT_ID:
      fields.idKind = IdKind.TEXT;
      fields.textIdStart = start;
      fields.textIdLength = length;
      return true;
    case Field.DEBIT_ACCOUNT:
      fields.debit.nameStart = start;
      fields.debit.nameLength = length;
      return true;
    case Field.CREDIT_ACCOUNT:
      fields.credit.nameStart = start;
      fields.credit.nameLength = length;
      return true;
    case Field.AMOUNT:
      fields.amountForm = AmountForm.TEXT;
      fields.amountStart = start;
      fields.amountLength = length;
      return true;
    case Field.AMOUNT_MINOR:
      fields.amountForm = AmountForm.MINOR;
      return readWords(reader.bytes, start, length, fields.amount);
    case Field.LEDGER:
      fields.ledgerStart = start;
      fields.ledgerLength = length;
      return true;
    default:
      fields.metadataStart = start;
      fields.metadataLength = length;
      return true;
  }
}

function readWords(bytes: Uint8Array, start: number, length: number, target: Uint32Array): boolean {
  if (length !== 16) return false;
  for (let i = 0; i < 4; i++) {
    const at = start + 4 * i;
    target[i] =
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24);
  }
  return true;
}
