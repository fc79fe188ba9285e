/**
 * UUIDs of version 7 (RFC 9562, 5.7): 48 bits of milliseconds, then 74 random bits. A transfer without an id gets one before
 * its first try, so that every later try is a repeat.
 */
import { randomFillSync } from 'node:crypto';

const POOL_BYTES = 4096;
const RANDOM_BYTES = 10;
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** One call of the system for hundreds of ids. */
const pool = Buffer.alloc(POOL_BYTES);
let used = POOL_BYTES;

/** @param nowMs milliseconds since the Unix epoch */
export function uuidV7(nowMs: number = Date.now()): string {
  if (used + RANDOM_BYTES > POOL_BYTES) {
    randomFillSync(pool);
    used = 0;
  }
  const at = used;
  used += RANDOM_BYTES;
  const hex = (i: number): string => HEX[pool[at + i]!]!;
  const time = Math.trunc(nowMs).toString(16).padStart(12, '0');
  const version = HEX[0x70 | (pool[at]! & 0x0f)]!;
  const variant = HEX[0x80 | (pool[at + 2]! & 0x3f)]!;
  return (
    `${time.slice(0, 8)}-${time.slice(8)}-${version}${hex(1)}-${variant}${hex(3)}-` +
    `${hex(4)}${hex(5)}${hex(6)}${hex(7)}${hex(8)}${hex(9)}`
  );
}
