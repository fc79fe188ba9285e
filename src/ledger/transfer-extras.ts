import { sameBytes } from './byte-arena';
import { IdKind, type IdFields } from './transfer-fields';
import { joinWords, toBigInt128 } from './words';

/**
 * What a remembered transfer has beyond its row, as one entry (see RowExtras): a text id, metadata, what it has to do with
 * other transfers, and, of a refusal, what could not be resolved when it was refused.
 *
 * ```
 *  0 u8 length of the text id      1 u8 digits after the point of a decimal amount   2 u16 length of the metadata
 *  4 u8 debit kind (see RefKind)   5 u8 credit kind   6 u8 debit length   7 u8 credit length
 *  8 u32 ledger number (0: see the code)   12 u8 length of the ledger code   13 u8 parts   14 u16 zero
 * 16 text id, metadata, debit, credit, ledger code, then the parts that are there, in this order:
 *    1 u128 what was moved or held, where that is not the amount    2 u32 number of the hold
 *    4 u64 timeout in ms    8 the id that it posts, voids or reverses: u8 kind, u8 length, bytes
 *   16 u64 effective time, µs   32 u64 imported time, µs   64 u32 group   128 u32 the reversal before this one, plus 1
 * ```
 */
export const EXTRAS_HEADER_BYTES = 16;
/** NONE: the command left the account to the transfer that it posts, voids or reverses. */
export const RefKind = { IN_ROW: 0, NAME: 1, HANDLE: 2, NONE: 3 } as const;
export const Part = {
  MOVED: 1,
  HOLD: 2,
  TIMEOUT: 4,
  REFERENCE: 8,
  EFFECTIVE: 16,
  IMPORTED: 32,
  GROUP: 64,
  REVERSAL: 128,
} as const;
export const UUID_BYTES = 16;

/** An entry that was read: ranges in `page`. One instance is used again and again. */
export class TransferExtras {
  page: Uint8Array = new Uint8Array(EXTRAS_HEADER_BYTES);
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
  private movedStart = 0;
  /** It has read nothing, and need not do so again. */
  private isEmpty = false;
  /** 0: none. */
  hold = 0;
  /** Milliseconds; 0: none. */
  timeout = 0;
  referenceKind: number = IdKind.NONE;
  referenceStart = 0;
  referenceLength = 0;
  /** Microseconds since the Unix epoch; 0: none. */
  effectiveTime = 0;
  importedTime = 0;
  /** Row of the group, plus 1; 0: none. */
  group = 0;
  /** Row of the transfer that reversed the same one before, plus 1; 0: none. */
  previousReversal = 0;

  /** As an entry that says nothing. */
  readNothing(): this {
    if (this.isEmpty) return this;
    this.read(NOTHING, 0);
    this.isEmpty = true;
    return this;
  }

  /** The entry that begins at `at`. */
  read(page: Uint8Array, at: number): this {
    this.isEmpty = false;
    this.page = page;
    this.textIdLength = page[at] as number;
    this.decimalDigits = page[at + 1] as number;
    this.metadataLength = (page[at + 2] as number) | ((page[at + 3] as number) << 8);
    this.debitKind = page[at + 4] as number;
    this.creditKind = page[at + 5] as number;
    this.debitLength = page[at + 6] as number;
    this.creditLength = page[at + 7] as number;
    this.ledgerNumber = readWord(page, at + 8);
    this.ledgerLength = page[at + 12] as number;
    this.textIdStart = at + EXTRAS_HEADER_BYTES;
    this.metadataStart = this.textIdStart + this.textIdLength;
    this.debitStart = this.metadataStart + this.metadataLength;
    this.creditStart = this.debitStart + this.debitLength;
    this.ledgerStart = this.creditStart + this.creditLength;
    this.readParts(page[at + 13] as number, this.ledgerStart + this.ledgerLength);
    return this;
  }

  private readParts(parts: number, start: number): void {
    this.hold = this.timeout = this.effectiveTime = this.importedTime = this.group = this.previousReversal = 0;
    this.referenceKind = IdKind.NONE;
    this.referenceLength = 0;
    if (parts === 0) return;
    const { page } = this;
    let at = start;
    this.movedStart = at;
    if ((parts & Part.MOVED) !== 0) at += UUID_BYTES;
    if ((parts & Part.HOLD) !== 0) this.hold = readWord(page, (at += 4) - 4);
    if ((parts & Part.TIMEOUT) !== 0) this.timeout = readLong(page, (at += 8) - 8);
    if ((parts & Part.REFERENCE) !== 0) {
      this.referenceKind = page[at] as number;
      this.referenceLength = page[at + 1] as number;
      this.referenceStart = at + 2;
      at += 2 + this.referenceLength;
    }
    if ((parts & Part.EFFECTIVE) !== 0) this.effectiveTime = readLong(page, (at += 8) - 8);
    if ((parts & Part.IMPORTED) !== 0) this.importedTime = readLong(page, (at += 8) - 8);
    if ((parts & Part.GROUP) !== 0) this.group = readWord(page, (at += 4) - 4);
    if ((parts & Part.REVERSAL) !== 0) this.previousReversal = readWord(page, at);
  }

  /** Only of a transfer whose amount is not what it moved or held. */
  get moved(): bigint {
    const words = new Uint32Array(4);
    this.copyMoved(words, 0);
    return toBigInt128(words, 0);
  }

  copyMoved(target: Uint32Array, at: number): void {
    for (let i = 0; i < 4; i++) target[at + i] = readWord(this.page, this.movedStart + 4 * i);
  }

  isTextId(bytes: Uint8Array, start: number, length: number): boolean {
    return this.textIdLength === length && sameBytes(this.page, this.textIdStart, bytes, start, length);
  }

  /** Whether it refers to the transfer with this id, or to none where the id is not given. */
  refersTo(source: Uint8Array, id: IdFields): boolean {
    if (this.referenceKind !== id.kind) return false;
    if (id.kind === IdKind.NONE) return true;
    const { page, referenceStart: start, referenceLength: length } = this;
    if (id.kind === IdKind.TEXT)
      return length === id.textLength && sameBytes(page, start, source, id.textStart, length);
    return id.words.every((part, i) => readWord(page, start + 4 * i) === part);
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

const NOTHING = new Uint8Array(EXTRAS_HEADER_BYTES);

function readWord(page: Uint8Array, at: number): number {
  const low = (page[at] as number) | ((page[at + 1] as number) << 8) | ((page[at + 2] as number) << 16);
  return (low | ((page[at + 3] as number) << 24)) >>> 0;
}

function readLong(page: Uint8Array, at: number): number {
  return joinWords(readWord(page, at), readWord(page, at + 4));
}
