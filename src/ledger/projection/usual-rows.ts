import { CopyRows, POSTGRES_EPOCH } from './copy-rows';
import { type Quantity } from './exact-sum';
import { type KnownAccount } from './known-account';
import { NUMERIC_MAX_BYTES, writeNumeric } from './numeric-wire';
import { type Place } from './place';

const TWO_TO_32 = 2 ** 32;
const UUID_CHARACTERS = 36;
const HYPHEN = 0x2d;
const HEXADECIMAL = Buffer.from('0123456789abcdef', 'latin1');
const FIELDS = 14;
/** Of everything but numbers and the code of the ledger. */
const FIXED_BYTES = 160;
const NUMBERS = 7;

/** What a plain transfer has that was packed and done, in minor units. */
export interface UsualTransfer {
  /** Bytes of the packed row, and where it begins in them: with the 16 bytes of the id. */
  readonly source: Uint8Array;
  readonly at: number;
  readonly amount: number;
  readonly code: number;
  /** 0 where the rows have no column for it. */
  readonly userData: number | bigint;
}

/**
 * Rows of plain transfers that were done between accounts with nothing on hold: nearly all rows of nearly all ledgers. They are
 * written in one go, with room reserved once for each: a third of what it takes field by field.
 */
export class UsualRows extends CopyRows {
  /** @param hasUserData whether the rows have a column for it, behind the code's */
  constructor(private readonly hasUserData: boolean) {
    super(hasUserData ? FIELDS + 1 : FIELDS);
  }

  /** @param payer as it is after the transfer; so is `payee` */
  add(
    { source, at: from, amount, code, userData }: UsualTransfer,
    place: Place,
    payer: KnownAccount,
    payee: KnownAccount,
  ): void {
    const { ledger } = payer;
    const { scale } = ledger;
    this.reserve(FIXED_BYTES + ledger.code.length + NUMBERS * (4 + NUMERIC_MAX_BYTES));
    const { piece } = this;
    let { at } = this;
    piece[at] = 0;
    piece[at + 1] = this.fieldsOfRow;
    at = put32(piece, put32(piece, at + 2, 4), place.group);
    at = putLong(piece, at, place.offset);
    at = putLong(piece, at, place.time - POSTGRES_EPOCH);
    at = putUuid(piece, at, source, from);
    at = putLong(piece, at, payer.handle);
    at = putLong(piece, at, payee.handle);
    at = putAscii(piece, at, ledger.code);
    const amountAt = at;
    at = putNumber(piece, at, amount, scale);
    // It moved what was asked for: the same bytes once more.
    const amountEnd = at;
    for (let i = amountAt; i < amountEnd; i++) piece[at++] = piece[i] as number;
    at = putLong(piece, at, code);
    if (this.hasUserData) at = putNumber(piece, at, userData, 0);
    at = putNumber(piece, at, payer.debits, scale);
    at = putNumber(piece, at, payer.credits, scale);
    at = putNumber(piece, at, payee.debits, scale);
    this.at = putNumber(piece, at, payee.credits, scale);
    this.count++;
  }
}

/** A field of eight bytes, with its length. */
function putLong(piece: Uint8Array, at: number, value: number): number {
  const low = value >>> 0;
  return put32(piece, put32(piece, put32(piece, at, 8), (value - low) / TWO_TO_32), low);
}

function putNumber(piece: Buffer, at: number, minor: Quantity, scale: number): number {
  const end = writeNumeric(piece, at + 4, minor, scale);
  put32(piece, at, end - at - 4);
  return end;
}

function putAscii(piece: Uint8Array, at: number, value: string): number {
  const { length } = value;
  let end = put32(piece, at, length);
  for (let i = 0; i < length; i++) piece[end++] = value.charCodeAt(i);
  return end;
}

function putUuid(piece: Uint8Array, at: number, source: Uint8Array, from: number): number {
  let end = put32(piece, at, UUID_CHARACTERS);
  for (let i = 0; i < 16; i++) {
    if (i === 4 || i === 6 || i === 8 || i === 10) piece[end++] = HYPHEN;
    const byte = source[from + i] as number;
    piece[end++] = HEXADECIMAL[byte >>> 4] as number;
    piece[end++] = HEXADECIMAL[byte & 15] as number;
  }
  return end;
}

/** Big-endian; byte by byte, which costs a third of what Buffer's methods do. */
function put32(piece: Uint8Array, at: number, value: number): number {
  piece[at] = value >>> 24;
  piece[at + 1] = value >>> 16;
  piece[at + 2] = value >>> 8;
  piece[at + 3] = value;
  return at + 4;
}
