/**
 * The time that an id carries. With a bound on the memory of ids (`--dedup-age`) an id must say how old it is, so that one
 * that may have been forgotten is refused and never done twice.
 *
 * UUIDv7 (RFC 9562, 5.7): the first 48 bits are milliseconds. ULID: 26 characters of Crockford's base 32, the first ten are
 * milliseconds. KSUID: 27 characters of base 62, the first 32 bits are seconds after 1,400,000,000.
 */
import { type TransferId } from './identifiers';
import { IdFields, IdKind } from './transfer-fields';
import { word } from './words';

const ULID_LENGTH = 26;
const ULID_TIME_DIGITS = 10;
/** Crockford's alphabet: no I, L, O, U. */
const BASE_32 = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const KSUID_LENGTH = 27;
const BASE_62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const KSUID_EPOCH_SECONDS = 1_400_000_000;
/** Of the 160 bits of a KSUID the lower 128 are chance. */
const KSUID_CHANCE_BITS = 128n;
const KSUID_END = 1n << 160n;

/** Microseconds since the Unix epoch; undefined where the id carries no time. */
export function timeOfId(source: Uint8Array, id: IdFields): number | undefined {
  if (id.kind === IdKind.UUID) return timeOfUuid(id.words);
  const text = Buffer.from(source.buffer, source.byteOffset + id.textStart, id.textLength).toString('latin1');
  if (text.length === ULID_LENGTH) return timeOfUlid(text);
  return text.length === KSUID_LENGTH ? timeOfKsuid(text) : undefined;
}

/** Whether an id says when it was made, for whoever has it as an object. */
export function carriesTime(id: TransferId): boolean {
  const fields = new IdFields();
  if (id.kind === 'text') {
    const source = Buffer.from(id.text, 'utf8');
    fields.kind = IdKind.TEXT;
    fields.textLength = source.length;
    return timeOfId(source, fields) !== undefined;
  }
  for (let i = 0; i < 4; i++) fields.words[i] = id.bytes.readUInt32LE(4 * i);
  return timeOfUuid(fields.words) !== undefined;
}

/** @param words the 16 bytes of a UUID in the order of its text, as little-endian words */
function timeOfUuid(words: Uint32Array): number | undefined {
  const first = swapBytes(word(words, 0));
  const second = swapBytes(word(words, 1));
  const isVersion7 = ((second >>> 12) & 0xf) === 7;
  const isVariant = (word(words, 2) & 0xc0) === 0x80;
  if (!isVersion7 || !isVariant) return undefined;
  return (first * 0x1_0000 + (second >>> 16)) * 1000;
}

function timeOfUlid(text: string): number | undefined {
  let millis = 0;
  for (let i = 0; i < ULID_LENGTH; i++) {
    const digit = BASE_32.indexOf((text[i] as string).toUpperCase());
    if (digit < 0) return undefined;
    if (i < ULID_TIME_DIGITS) millis = millis * 32 + digit;
  }
  // Ten digits have 50 bits, the time has 48.
  return millis < 2 ** 48 ? millis * 1000 : undefined;
}

function timeOfKsuid(text: string): number | undefined {
  let value = 0n;
  for (const character of text) {
    const digit = BASE_62.indexOf(character);
    if (digit < 0) return undefined;
    value = value * 62n + BigInt(digit);
  }
  if (value >= KSUID_END) return undefined;
  return (Number(value >> KSUID_CHANCE_BITS) + KSUID_EPOCH_SECONDS) * 1_000_000;
}

function swapBytes(value: number): number {
  return ((value << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24)) >>> 0;
}
