import { createReadStream, openSync, readSync, closeSync, statSync } from 'node:fs';
import { type Readable } from 'node:stream';
import { type Terminal, UsageError } from '../terminal';
import { type ImportFormat } from './row-reader';

export interface ImportInput {
  readonly stream: Readable;
  /** 0 where nobody knows. */
  readonly bytes: number;
}

/** Blocks of this many bytes are read at once. */
const BLOCK = 256 * 1024;
const BRACE = 0x7b;
const LONGEST_BEGINNING = 4096;

export function openInput(terminal: Terminal, file: string): ImportInput {
  if (file === '-') return { stream: terminal.stdin, bytes: 0 };
  return { stream: createReadStream(file, { highWaterMark: BLOCK }), bytes: sizeOf(file) };
}

function sizeOf(file: string): number {
  try {
    const stats = statSync(file);
    if (!stats.isDirectory()) return stats.size;
  } catch (error) {
    throw new UsageError(`import: ${error instanceof Error ? error.message : String(error)}`);
  }
  throw new UsageError(`import: ${file} is a folder`);
}

/** By how a file begins: one JSON document a line begins with a brace, and no header of CSV does. */
export function formatOf(file: string, asked: string | undefined): ImportFormat {
  if (asked !== undefined) return asked === 'csv' ? 'csv' : 'ndjson';
  if (file === '-') throw new UsageError('import: say --format csv or ndjson for what comes on stdin');
  sizeOf(file);
  const fd = openSync(file, 'r');
  try {
    const bytes = Buffer.alloc(LONGEST_BEGINNING);
    const read = bytes.subarray(0, readSync(fd, bytes, 0, LONGEST_BEGINNING, 0));
    return read.find((byte) => byte > 0x20 && byte < 0x80) === BRACE ? 'ndjson' : 'csv';
  } finally {
    closeSync(fd);
  }
}
