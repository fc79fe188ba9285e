import { type ByteArena, sameBytes } from './byte-arena';
import { type AccountFields, type TransferFields } from './transfer-fields';

/**
 * What a remembered transfer has beyond its row, as one entry of the arena: a text id, metadata, and, of a refusal, what
 * could not be resolved when it was refused.
 *
 * ```
 *  0 u8 length of the text id      1 u8 digits after the point of a decimal amount   2 u16 length of the metadata
 *  4 u8 debit kind (0 in the row, 1 name, 2 handle)   5 u8 credit kind   6 u8 debit length   7 u8 credit length
 *  8 u32 ledger number (0: see the code)   12 u8 length of the ledger code   13 u8 zero   14 u16 zero
 * 16 text id, metadata, debit, credit, ledger code
 * ```
 */
const HEADER = 16;
export const RefKind = { IN_ROW: 0, NAME: 1, HANDLE: 2 } as const;

/** An entry that was read: ranges in `page`. One instance is used again and again. */
export class TransferExtras {
  page: Uint8Array = new Uint8Array(HEADER);
  textIdStart = 0;
  textIdLength = 0;
  decimalDigits = 0;
  metadataStart = 0;
  metadataLength = 0;
  debitKind = 0;
  debitStart = 0;
  debitLength = 0;
  creditKind = 0;
  creditStart = 0;
  creditLength = 0;
  ledgerNumber = 0;
  ledgerStart = 0;
  ledgerLength = 0;

  /** Reference 0 reads as an entry without anything. */
  read(arena: ByteArena, ref: number): this {
    this.page = ref === 0 ? NOTHING : arena.pageOf(ref);
    const page = this.page;
    const at = ref === 0 ? 0 : arena.startOf(ref);
    this.textIdLength = page[at] as number;
    this.decimalDigits = page[at + 1] as number;
    this.metadataLength = (page[at + 2] as number) | ((page[at + 3] as number) << 8);
    this.debitKind = page[at + 4] as number;
    this.creditKind = page[at + 5] as number;
    this.debitLength = page[at + 6] as number;
    this.creditLength = page[at + 7] as number;
    this.ledgerNumber = readWord(page, at + 8);
    this.ledgerLength = page[at + 12] as number;
    this.textIdStart = at + HEADER;
    this.metadataStart = this.textIdStart + this.textIdLength;
    this.debitStart = this.metadataStart + this.metadataLength;
    this.creditStart = this.debitStart + this.debitLength;
    this.ledgerStart = this.creditStart + this.creditLength;
    return this;
  }

  isTextId(bytes: Uint8Array, start: number, length: number): boolean {
    return this.textIdLength === length && sameBytes(this.page, this.textIdStart, bytes, start, length);
  }

  text(start: number, length: number): string {
    return Buffer.from(this.page.buffer, this.page.byteOffset + start, length).toString('utf8');
  }

  bytes(start: number, length: number): Buffer {
    return Buffer.from(this.page.subarray(start, start + length));
  }

  handleAt(start: number): { low: number; high: number } {
    return { low: readWord(this.page, start), high: readWord(this.page, start + 4) };
  }
}

const NOTHING = new Uint8Array(HEADER);

/** What a row cannot say by itself. */
export interface Unresolved {
  /** Handles in the row; 0: the account goes into the entry as the command names it. */
  readonly debit: number;
  readonly credit: number;
  /** The ledger's number; 0: unknown, the code goes into the entry as the command names it. Read where an account is missing. */
  readonly ledger: number;
  /** The amount stands in the row as a coefficient with so many digits after the point; undefined: in minor units. */
  readonly decimalDigits: number | undefined;
}

/** Stores what a command has beyond its row; 0 where there is nothing. */
export function storeExtras(arena: ByteArena, fields: TransferFields, unresolved: Unresolved): number {
  const missing = unresolved.debit === 0 || unresolved.credit === 0;
  if (fields.textIdLength === 0 && fields.metadataLength === 0 && !missing) return 0;
  const debitLength = unresolved.debit === 0 ? refLength(fields.debit) : 0;
  const creditLength = unresolved.credit === 0 ? refLength(fields.credit) : 0;
  const ledgerLength = missing && unresolved.ledger === 0 ? fields.ledgerLength : 0;
  const ref = arena.reserve(
    HEADER + fields.textIdLength + fields.metadataLength + debitLength + creditLength + ledgerLength,
  );
  const page = arena.pageOf(ref);
  const start = arena.startOf(ref);
  page[start] = fields.textIdLength;
  page[start + 1] = unresolved.decimalDigits ?? 0;
  page[start + 2] = fields.metadataLength;
  page[start + 3] = fields.metadataLength >>> 8;
  page[start + 4] = unresolved.debit === 0 ? refKind(fields.debit) : RefKind.IN_ROW;
  page[start + 5] = unresolved.credit === 0 ? refKind(fields.credit) : RefKind.IN_ROW;
  page[start + 6] = debitLength;
  page[start + 7] = creditLength;
  writeWord(page, start + 8, missing ? unresolved.ledger : 0);
  page[start + 12] = ledgerLength;
  let at = start + HEADER;
  at = copyRange(page, at, fields.source, fields.textIdStart, fields.textIdLength);
  at = copyRange(page, at, fields.source, fields.metadataStart, fields.metadataLength);
  if (debitLength > 0) at = copyRef(page, at, fields, fields.debit);
  if (creditLength > 0) at = copyRef(page, at, fields, fields.credit);
  copyRange(page, at, fields.source, fields.ledgerStart, ledgerLength);
  return ref;
}

function refKind(account: AccountFields): number {
  return account.hasName ? RefKind.NAME : RefKind.HANDLE;
}

function refLength(account: AccountFields): number {
  return account.hasName ? account.nameLength : 8;
}

function copyRef(page: Uint8Array, at: number, fields: TransferFields, account: AccountFields): number {
  if (account.hasName) return copyRange(page, at, fields.source, account.nameStart, account.nameLength);
  writeWord(page, at, account.handleLow);
  writeWord(page, at + 4, account.handleHigh);
  return at + 8;
}

function copyRange(page: Uint8Array, at: number, source: Uint8Array, start: number, length: number): number {
  for (let i = 0; i < length; i++) page[at + i] = source[start + i] as number;
  return at + length;
}

function writeWord(page: Uint8Array, at: number, value: number): void {
  for (let i = 0; i < 4; i++) page[at + i] = value >>> (8 * i);
}

function readWord(page: Uint8Array, at: number): number {
  const low = (page[at] as number) | ((page[at + 1] as number) << 8) | ((page[at + 2] as number) << 16);
  return (low | ((page[at + 3] as number) << 24)) >>> 0;
}
