/** Verifies a table of LevelDB: its footer, and the checksum of every block that its index names. Format: level-audit.ts. */

import { crc32c, masked } from './crc32c';

const FOOTER_BYTES = 48;
const MAGIC = 0xdb4775248b80fb57n;
const TRAILER_BYTES = 5;
const UNCOMPRESSED = 0;

export interface TableFault {
  readonly position: number;
  readonly what: string;
}

/** @returns the first fault, if there is one. Tables are written and synced before they are used: none is explained by a crash */
export function tableFault(table: Buffer): TableFault | undefined {
  const footer = table.length - FOOTER_BYTES;
  if (footer < 0 || table.readBigUInt64LE(table.length - 8) !== MAGIC) {
    return { position: Math.max(0, footer), what: 'The table does not end as a table does.' };
  }
  try {
    const meta = readHandle(table, footer);
    const index = readHandle(table, meta.next);
    const fault = blockFault(table, meta, footer) ?? blockFault(table, index, footer);
    if (fault) return fault;
    for (const block of dataBlocks(table, index)) {
      const damage = blockFault(table, block, footer);
      if (damage) return damage;
    }
    return undefined;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return { position: footer, what: 'The table does not say where its blocks are.' };
  }
}

interface Handle {
  readonly offset: number;
  readonly size: number;
}

function blockFault(table: Buffer, { offset, size }: Handle, end: number): TableFault | undefined {
  const trailer = offset + size;
  if (trailer + TRAILER_BYTES > end) return { position: end, what: 'A block would lie beyond the end of the table.' };
  if (table.readUInt32LE(trailer + 1) === masked(crc32c(table, offset, trailer + 1))) return undefined;
  return { position: offset, what: 'A block of the table does not have its checksum.' };
}

/** The index is a block whose values are the places of the others; a compressed one is not looked into. */
function* dataBlocks(table: Buffer, { offset, size }: Handle): Generator<Handle> {
  if (table[offset + size] !== UNCOMPRESSED) return;
  const restarts = table.readUInt32LE(offset + size - 4);
  const end = offset + size - 4 * (restarts + 1);
  for (let at = offset; at < end;) {
    const shared = readVarint(table, at);
    const unshared = readVarint(table, shared.next);
    const length = readVarint(table, unshared.next);
    const value = length.next + unshared.value;
    yield readHandle(table, value);
    at = value + length.value;
  }
}

function readHandle(table: Buffer, at: number): Handle & { readonly next: number } {
  const offset = readVarint(table, at);
  const size = readVarint(table, offset.next);
  return { offset: offset.value, size: size.value, next: size.next };
}

/** @throws RangeError beyond the end of the table, or of what a place in it can be */
function readVarint(table: Buffer, at: number): { readonly value: number; readonly next: number } {
  let value = 0;
  for (let next = at, factor = 1; factor < 2 ** 35; next++, factor *= 128) {
    const byte = table.readUInt8(next);
    value += (byte & 0x7f) * factor;
    if (byte < 0x80) return { value, next: next + 1 };
  }
  throw new RangeError(`There is no number at byte ${at} of a table.`);
}
