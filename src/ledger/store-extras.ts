import { type RowExtras } from './row-extras';
import { EXTRAS_HEADER_BYTES, Part, RefKind, UUID_BYTES } from './transfer-extras';
import { IdKind, type AccountFields, type IdFields, type TransferFields } from './transfer-fields';
import { type TransferPlan } from './transfer-plan';

/** What a row cannot say by itself. */
export interface Unresolved {
  /** The amount stands in the row as a coefficient with so many digits after the point; undefined: in minor units. */
  readonly decimalDigits: number | undefined;
  /** Row of the group, plus 1; 0: none. */
  readonly group: number;
}

/**
 * Stores what a command has beyond `row`, the newest one, if there is anything. Of the plan it reads the accounts (0: the command's
 * words go into the entry), the ledger (where an account is missing), what is moved, the hold and the reversal before.
 */
export function storeExtras(
  extras: RowExtras,
  row: number,
  fields: TransferFields,
  plan: TransferPlan,
  rest: Unresolved,
): void {
  const missing = plan.debit === 0 || plan.credit === 0;
  const parts = partsOf(fields, plan, rest.group);
  if (fields.id.textLength === 0 && fields.metadataLength === 0 && !missing && parts === 0) return;
  const debitLength = plan.debit === 0 ? refLength(fields.debit) : 0;
  const creditLength = plan.credit === 0 ? refLength(fields.credit) : 0;
  const ledger = missing && plan.ledger !== undefined ? plan.ledger.number : 0;
  const ledgerLength = missing && ledger === 0 ? fields.ledgerLength : 0;
  const { textLength } = fields.id;
  const texts = textLength + fields.metadataLength + debitLength + creditLength + ledgerLength;
  const length = EXTRAS_HEADER_BYTES + texts + partsLength(parts, fields.reference);
  const { page, start } = extras.reserve(row, length);
  page[start] = textLength;
  page[start + 1] = rest.decimalDigits ?? 0;
  page[start + 2] = fields.metadataLength;
  page[start + 3] = fields.metadataLength >>> 8;
  page[start + 4] = plan.debit === 0 ? refKind(fields.debit) : RefKind.IN_ROW;
  page[start + 5] = plan.credit === 0 ? refKind(fields.credit) : RefKind.IN_ROW;
  page[start + 6] = debitLength;
  page[start + 7] = creditLength;
  writeWord(page, start + 8, ledger);
  page[start + 12] = ledgerLength;
  page[start + 13] = parts;
  let at = start + EXTRAS_HEADER_BYTES;
  at = copyRange(page, at, fields.source, fields.id.textStart, textLength);
  at = copyRange(page, at, fields.source, fields.metadataStart, fields.metadataLength);
  if (debitLength > 0) at = copyRef(page, at, fields, fields.debit);
  if (creditLength > 0) at = copyRef(page, at, fields, fields.credit);
  at = copyRange(page, at, fields.source, fields.ledgerStart, ledgerLength);
  if (parts !== 0) writeParts(page, at, parts, fields, plan, rest.group);
}

function partsOf(fields: TransferFields, plan: TransferPlan, group: number): number {
  return (
    (plan.movesOther ? Part.MOVED : 0) |
    (plan.hold === 0 ? 0 : Part.HOLD) |
    (fields.timeout === 0 ? 0 : Part.TIMEOUT) |
    (fields.refers ? Part.REFERENCE : 0) |
    ((fields.effectiveLow | fields.effectiveHigh) === 0 ? 0 : Part.EFFECTIVE) |
    ((fields.importedLow | fields.importedHigh) === 0 ? 0 : Part.IMPORTED) |
    (group === 0 ? 0 : Part.GROUP) |
    (plan.previousReversal === 0 ? 0 : Part.REVERSAL)
  );
}

function partsLength(parts: number, reference: IdFields): number {
  let length = 0;
  if ((parts & Part.MOVED) !== 0) length += UUID_BYTES;
  if ((parts & Part.HOLD) !== 0) length += 4;
  if ((parts & Part.TIMEOUT) !== 0) length += 8;
  if ((parts & Part.REFERENCE) !== 0) length += 2 + referenceLength(reference);
  if ((parts & Part.EFFECTIVE) !== 0) length += 8;
  if ((parts & Part.IMPORTED) !== 0) length += 8;
  if ((parts & Part.GROUP) !== 0) length += 4;
  return (parts & Part.REVERSAL) !== 0 ? length + 4 : length;
}

function writeParts(
  page: Uint8Array,
  start: number,
  parts: number,
  fields: TransferFields,
  plan: TransferPlan,
  group: number,
): void {
  let at = start;
  if ((parts & Part.MOVED) !== 0) at = writeWords(page, at, plan.moved);
  if ((parts & Part.HOLD) !== 0) at = writeWord(page, at, plan.hold);
  if ((parts & Part.TIMEOUT) !== 0) at = writeLong(page, at, fields.timeoutLow, fields.timeoutHigh);
  if ((parts & Part.REFERENCE) !== 0) at = writeReference(page, at, fields);
  if ((parts & Part.EFFECTIVE) !== 0) at = writeLong(page, at, fields.effectiveLow, fields.effectiveHigh);
  if ((parts & Part.IMPORTED) !== 0) at = writeLong(page, at, fields.importedLow, fields.importedHigh);
  if ((parts & Part.GROUP) !== 0) at = writeWord(page, at, group);
  if ((parts & Part.REVERSAL) !== 0) writeWord(page, at, plan.previousReversal);
}

function referenceLength(id: IdFields): number {
  return id.kind === IdKind.TEXT ? id.textLength : UUID_BYTES;
}

function writeReference(page: Uint8Array, at: number, fields: TransferFields): number {
  const id = fields.reference;
  page[at] = id.kind;
  page[at + 1] = referenceLength(id);
  if (id.kind === IdKind.TEXT) return copyRange(page, at + 2, fields.source, id.textStart, id.textLength);
  return writeWords(page, at + 2, id.words);
}

function refKind(account: AccountFields): number {
  if (!account.isGiven) return RefKind.NONE;
  return account.hasName ? RefKind.NAME : RefKind.HANDLE;
}

function refLength(account: AccountFields): number {
  if (!account.isGiven) return 0;
  return account.hasName ? account.nameLength : 8;
}

function copyRef(page: Uint8Array, at: number, fields: TransferFields, account: AccountFields): number {
  if (account.hasName) return copyRange(page, at, fields.source, account.nameStart, account.nameLength);
  return writeLong(page, at, account.handleLow, account.handleHigh);
}

function copyRange(page: Uint8Array, at: number, source: Uint8Array, start: number, length: number): number {
  for (let i = 0; i < length; i++) page[at + i] = source[start + i] as number;
  return at + length;
}

function writeWord(page: Uint8Array, at: number, value: number): number {
  for (let i = 0; i < 4; i++) page[at + i] = value >>> (8 * i);
  return at + 4;
}

function writeWords(page: Uint8Array, at: number, words: Uint32Array): number {
  for (let i = 0; i < 4; i++) writeWord(page, at + 4 * i, words[i] as number);
  return at + UUID_BYTES;
}

function writeLong(page: Uint8Array, at: number, low: number, high: number): number {
  return writeWord(page, writeWord(page, at, low), high);
}
