import { AmountForm, IdKind, type IdFields, type TransferFields } from './transfer-fields';
import { type WireReader, WireType } from './wire';

/** Field numbers of ledger.v1.TransferCommand. */
export const Field = {
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
  TIMEOUT_MS: 14,
  PENDING_ID: 15,
  PENDING_TEXT_ID: 16,
  REVERSES: 17,
  REVERSES_TEXT_ID: 18,
  EFFECTIVE_TIME: 19,
  IMPORTED_TIME: 20,
  GROUP_ID: 21,
  GROUP_TEXT_ID: 22,
  GROUP_INDEX: 23,
  GROUP_SIZE: 24,
} as const;

const LAST_FIELD = Field.GROUP_SIZE;
/** Bit n is set where field n is a VARINT; the others are BYTES. */
const VARINT_FIELDS =
  (1 << Field.DEBIT_HANDLE) |
  (1 << Field.CREDIT_HANDLE) |
  (1 << Field.CODE) |
  (1 << Field.USER_DATA) |
  (1 << Field.FLAGS) |
  (1 << Field.TIMEOUT_MS) |
  (1 << Field.EFFECTIVE_TIME) |
  (1 << Field.IMPORTED_TIME) |
  (1 << Field.GROUP_INDEX) |
  (1 << Field.GROUP_SIZE);
/** Of these pairs a command gives at most one. */
const EITHER = [
  (1 << Field.ID) | (1 << Field.TEXT_ID),
  (1 << Field.AMOUNT) | (1 << Field.AMOUNT_MINOR),
  (1 << Field.PENDING_ID) | (1 << Field.PENDING_TEXT_ID),
  (1 << Field.REVERSES) | (1 << Field.REVERSES_TEXT_ID),
  (1 << Field.GROUP_ID) | (1 << Field.GROUP_TEXT_ID),
];
/** Upper words from here on belong to numbers that a double does not hold exactly. */
const UNSAFE_HIGH = 1 << 21;

/**
 * Decodes the TransferCommand in `bytes[start, end)` in place. False when it is malformed: bytes that are no message, a
 * field that this version does not know or that has another wire type, an id or minor units that are not 16 bytes, a code,
 * flags or a place in a group beyond 32 bits, a time beyond 2^53, no id, a group in part, or something given both ways (an
 * id and a text id, an account's name and handle, amount and minor units).
 *
 * What is not known is refused and not skipped: a newer version means something by it, and a node that did the rest of the
 * command would be in another state than one that knows it.
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
  let given = 0;
  while (reader.next()) {
    const field = reader.field;
    if (field > LAST_FIELD) return false;
    if (((VARINT_FIELDS >>> field) & 1) !== 0) {
      if (reader.type !== WireType.VARINT || !takeNumber(fields, reader)) return false;
    } else {
      if (reader.type !== WireType.BYTES) return false;
      // Proto3 does not tell an empty field from an absent one.
      if (reader.length === 0) continue;
      given |= 1 << field;
      if (!takeBytes(fields, reader)) return false;
    }
  }
  return (
    !reader.malformed &&
    !givesBoth(given) &&
    fields.id.isGiven &&
    fields.group.isGiven === fields.groupSize > 0 &&
    (fields.groupSize === 0 ? fields.groupIndex === 0 : fields.groupIndex < fields.groupSize) &&
    !(fields.debit.hasName && fields.debit.hasHandle) &&
    !(fields.credit.hasName && fields.credit.hasHandle)
  );
}

function givesBoth(given: number): boolean {
  for (const pair of EITHER) if ((given & pair) === pair) return true;
  return false;
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
    case Field.TIMEOUT_MS:
      fields.timeoutLow = low;
      fields.timeoutHigh = high;
      return high < UNSAFE_HIGH;
    case Field.EFFECTIVE_TIME:
      fields.effectiveLow = low;
      fields.effectiveHigh = high;
      return high < UNSAFE_HIGH;
    case Field.IMPORTED_TIME:
      fields.importedLow = low;
      fields.importedHigh = high;
      return high < UNSAFE_HIGH;
    default:
      return takeWord(fields, reader.field, low) && high === 0;
  }
}

function takeWord(fields: TransferFields, field: number, value: number): boolean {
  if (field === Field.CODE) fields.code = value;
  else if (field === Field.FLAGS) fields.flags = value;
  else if (field === Field.GROUP_INDEX) fields.groupIndex = value;
  else fields.groupSize = value;
  return true;
}

function takeBytes(fields: TransferFields, reader: WireReader): boolean {
  const { start, length } = reader;
  switch (reader.field) {
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
    case Field.METADATA:
      fields.metadataStart = start;
      fields.metadataLength = length;
      return true;
    default:
      return takeId(fields, reader);
  }
}

function takeId(fields: TransferFields, reader: WireReader): boolean {
  switch (reader.field) {
    case Field.ID:
      return takeUuid(fields.id, reader);
    case Field.TEXT_ID:
      return takeText(fields.id, reader);
    case Field.PENDING_ID:
      return takeUuid(fields.pending, reader);
    case Field.PENDING_TEXT_ID:
      return takeText(fields.pending, reader);
    case Field.REVERSES:
      return takeUuid(fields.reverses, reader);
    case Field.REVERSES_TEXT_ID:
      return takeText(fields.reverses, reader);
    case Field.GROUP_ID:
      return takeUuid(fields.group, reader);
    default:
      return takeText(fields.group, reader);
  }
}

function takeUuid(id: IdFields, reader: WireReader): boolean {
  id.kind = IdKind.UUID;
  return readWords(reader.bytes, reader.start, reader.length, id.words);
}

function takeText(id: IdFields, reader: WireReader): boolean {
  id.kind = IdKind.TEXT;
  id.textStart = reader.start;
  id.textLength = reader.length;
  return true;
}

export function readWords(bytes: Uint8Array, start: number, length: number, target: Uint32Array): boolean {
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
