/**
 * The token of a further page: what the first page reflected, where the last one ended, and a digest of what was asked
 * for, so that it is not used with another question. 41 bytes, base64url, big-endian: u8 version, u64 Raft index, u64
 * offset + 1 of the first page, u64 time, u64 offset + 1 of the place, 8 bytes of SHA-256. It is no secret.
 */
import { createHash } from 'node:crypto';
import { type AsOf, type ListPlace } from '../ledger/history';
import { invalid } from './errors';

const VERSION = 2;
const BYTES = 41;
const DIGEST_AT = 33;

export interface PastPage {
  readonly asOf: AsOf;
  readonly place: ListPlace;
}

export function pastPageToken({ asOf, place }: PastPage, subject: string): string {
  const bytes = Buffer.alloc(BYTES);
  bytes.writeUInt8(VERSION, 0);
  [asOf.index, asOf.offset + 1, place.time, place.offset + 1].forEach((value, i) =>
    bytes.writeBigUInt64BE(BigInt(value), 1 + 8 * i),
  );
  digestOf(subject).copy(bytes, DIGEST_AT);
  return bytes.toString('base64url');
}

/** Throws INVALID_ARGUMENT for what is no token, or the token of another question. */
export function placeIn(token: string, subject: string): PastPage {
  const bytes = token.length === Math.ceil((BYTES * 4) / 3) ? Buffer.from(token, 'base64url') : Buffer.alloc(0);
  if (bytes.length !== BYTES || bytes[0] !== VERSION) throw bad('This is no page token of an earlier answer.');
  if (!bytes.subarray(DIGEST_AT).equals(digestOf(subject))) {
    throw bad('The page token belongs to a list with other filters; ask for its first page.');
  }
  const [index = -1, asOf = -1, time = -1, offset = -1] = [0, 1, 2, 3].map((i) =>
    Number(bytes.readBigUInt64BE(1 + 8 * i)),
  );
  if (![index, asOf, time, offset].every((value) => Number.isSafeInteger(value) || value === 2 ** 53)) {
    throw bad('This is no page token of an earlier answer.');
  }
  return { asOf: { index, offset: asOf - 1 }, place: { time, offset: offset - 1 } };
}

function bad(message: string): Error {
  return invalid('page_token', 'PAGE_TOKEN_INVALID', message);
}

function digestOf(subject: string): Buffer {
  return createHash('sha256').update(subject).digest().subarray(0, 8);
}
