/** Walks the whole log of a group, segment by segment, without changing a byte, and reports all that is wrong with it. */

import { join } from 'node:path';
import type { FileSystem, RandomAccessFile } from '../log/files';
import { FLUSH_MARK_BYTES, readFlushMark, SEGMENT_ID_BYTES } from '../log/flush-mark';
import { LogVersionError } from '../log/log-errors';
import type { LogBoundary } from '../log/log-store';
import { NOTHING_BEFORE } from '../log/continuity';
import { RESET_NAME } from '../log/segment-files';
import { decodeSegmentHeader, firstIndexOf, SEGMENT_HEADER_BYTES, type SegmentHeader } from '../log/segment-header';
import { rememberedLoss } from '../log/lost-entries';
import type { Finding } from './finding';
import { type AuditedBatch, SegmentAudit } from './segment-audit';

export interface SegmentPlace {
  readonly path: string;
  readonly firstIndex: number;
  readonly bytes: number;
}

export interface SegmentBegins {
  readonly kind: 'segment';
  readonly path: string;
  /** As its header says; where that is damaged, as the segment before it ended; undefined where that is not known either. */
  readonly before: LogBoundary | undefined;
}

export type LogItem = SegmentBegins | AuditedBatch | Finding;

export interface LogFolder {
  readonly segments: readonly SegmentPlace[];
  /** What a start would find to do beside reading. */
  readonly findings: readonly Finding[];
}

/** The segments that are the log, oldest first. */
export async function logFolder(files: FileSystem, directory: string): Promise<LogFolder> {
  const names = (await files.exists(directory)) ? await files.list(directory) : [];
  const findings: Finding[] = [];
  const lost = rememberedLoss(names);
  if (lost !== undefined) {
    const what = `An earlier start has cut off entries up to ${lost} that may have been acknowledged; no leader has settled it yet.`;
    findings.push({ kind: 'note', file: directory, position: 0, what });
  }
  if (names.includes(RESET_NAME)) {
    const path = join(directory, RESET_NAME);
    const what =
      'The log begins anew behind a snapshot, and a crash came in between; a start finishes it. The other segments are not read.';
    findings.push({ kind: 'note', file: path, position: 0, what });
    return { segments: [await placeOf(files, path, await resetIndex(files, path))], findings };
  }
  const segments: SegmentPlace[] = [];
  for (const name of names) {
    const firstIndex = firstIndexOf(name);
    if (firstIndex !== undefined) segments.push(await placeOf(files, join(directory, name), firstIndex));
  }
  return { segments: segments.sort((a, b) => a.firstIndex - b.firstIndex), findings };
}

export interface AuditOptions {
  readonly files: FileSystem;
  readonly group: number;
  readonly segments: readonly SegmentPlace[];
}

/**
 * Every batch, verified to its SHA-256 and in its order, and every fault.
 * @throws LogVersionError where a newer program wrote the log
 */
export async function* auditLog({ files, group, segments }: AuditOptions): AsyncGenerator<LogItem, void, undefined> {
  let end: LogBoundary | undefined;
  let expected: number | undefined;
  for (let i = 0; i < segments.length; i++) {
    const place = segments[i]!;
    const file = await files.open(place.path, 'read');
    try {
      const header = await readHeaderOf(file, place, group);
      if ('kind' in header) yield header;
      const known = 'kind' in header ? boundaryFor(place, end) : header.before;
      const broken = brokenChain(place, known, end, expected);
      if (broken) yield broken;
      yield { kind: 'segment', path: place.path, before: known };
      const audit = new SegmentAudit({
        file,
        size: place.bytes,
        group,
        id: 'kind' in header ? await idOfFirstMark(file) : header.id,
        firstIndex: place.firstIndex,
        before: known,
        nextFirst: segments[i + 1]?.firstIndex,
      });
      yield* audit.items();
      end = audit.end;
      expected = segments[i + 1]?.firstIndex;
    } finally {
      await file.close();
    }
  }
}

async function placeOf(files: FileSystem, path: string, firstIndex: number): Promise<SegmentPlace> {
  const file = await files.open(path, 'read');
  try {
    return { path, firstIndex, bytes: await file.size() };
  } finally {
    await file.close();
  }
}

/** The segment of a new beginning has no index in its name. */
async function resetIndex(files: FileSystem, path: string): Promise<number> {
  const file = await files.open(path, 'read');
  try {
    const header = decodeSegmentHeader(await headBytes(file));
    return typeof header === 'string' ? 1 : header.before.index + 1;
  } finally {
    await file.close();
  }
}

async function readHeaderOf(
  file: RandomAccessFile,
  place: SegmentPlace,
  group: number,
): Promise<SegmentHeader | Finding> {
  const header = decodeSegmentHeader(await headBytes(file));
  const at = { kind: 'damage', file: place.path, position: 0 } as const;
  if (header === 'unsupported')
    throw new LogVersionError(`${place.path} was written by a newer program; use that one.`);
  if (header === 'damaged') return { ...at, what: 'The header of the segment cannot be read.' };
  if (header.group === group && header.before.index === place.firstIndex - 1) return header;
  const what = `The segment states group ${header.group} and first entry ${header.before.index + 1}: it does not belong there.`;
  return { ...at, what };
}

function boundaryFor({ firstIndex }: SegmentPlace, end: LogBoundary | undefined): LogBoundary | undefined {
  if (firstIndex === 1) return NOTHING_BEFORE;
  return end?.index === firstIndex - 1 ? end : undefined;
}

/** Missing entries at the end of the segment before were named there; what is left is a chain that does not fit. */
function brokenChain(
  place: SegmentPlace,
  before: LogBoundary | undefined,
  end: LogBoundary | undefined,
  expected: number | undefined,
): Finding | undefined {
  if (!before || !end || end.index !== before.index || expected !== place.firstIndex) return undefined;
  if (end.hash.equals(before.hash) && end.nextOffset === before.nextOffset && end.term === before.term)
    return undefined;
  const what = `The segment continues behind entry ${before.index} with another chain than the segment before it has.`;
  return { kind: 'damage', file: place.path, position: 0, what };
}

async function headBytes(file: RandomAccessFile): Promise<Buffer> {
  const bytes = Buffer.alloc(SEGMENT_HEADER_BYTES);
  return bytes.subarray(0, await file.read(bytes, 0));
}

/** Where the header is damaged, the first mark still tells the id that all marks of the segment bear. */
async function idOfFirstMark(file: RandomAccessFile): Promise<Buffer | undefined> {
  const bytes = Buffer.alloc(FLUSH_MARK_BYTES);
  if ((await file.read(bytes, SEGMENT_HEADER_BYTES)) < FLUSH_MARK_BYTES) return undefined;
  const id = Buffer.from(bytes.subarray(8, 8 + SEGMENT_ID_BYTES));
  return readFlushMark(bytes, 0, id, SEGMENT_HEADER_BYTES) ? id : undefined;
}
