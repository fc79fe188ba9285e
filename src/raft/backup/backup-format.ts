/**
 * A backup of one group: one stream of bytes, in a file or on the wire. Little-endian. It begins with
 *
 *   0 u32 magic "LNBK"   4 u16 format version = 1, or 2 where the snapshot has attachments   6 u16 = 0
 *
 * and goes on with frames:
 *
 *   0 u32 type   4 u32 length of the data   8 u32 CRC-32 over type, length and data   12 u32 = 0   16 data
 *
 * in this order: one HEADER (JSON); SNAPSHOT frames, the bytes of a snapshot file and of its attachments one behind the other,
 * none where there is no snapshot; then the log, a LOG frame of whole batches as they are in the segments, each followed by an OUTCOMES frame
 * (u64 offset of the first row, rows of 64 bytes) where its batches hold records; one END: u64 frames before it, u64 bytes
 * before it, SHA-256 over all of them.
 */

import { crc32 } from 'node:zlib';
import { z } from 'zod';
import { HASH_BYTES } from '../../log/batch';
import type { LogBoundary } from '../../log/log-store';
import { readU64, writeU64 } from '../../log/u64';
import { isAttachment, type Attachment } from '../snapshot';
import { type Configuration, ConfigurationFormatError, decodeConfiguration } from '../core';

export const BACKUP_PREFACE_BYTES = 8;
export const FRAME_HEADER_BYTES = 16;
/** A batch of the largest size and its like fit; a damaged length must not become an allocation. */
export const MAX_FRAME_BYTES = 16 * 1024 * 1024;
export const END_BYTES = 16 + HASH_BYTES;

export const FrameType = { HEADER: 1, SNAPSHOT: 2, LOG: 3, OUTCOMES: 4, END: 5 } as const;

const MAGIC = 0x4b424e4c;
const VERSION = 2;
const WITHOUT_ATTACHMENTS = 1;

/** What a backup holds, and of whom. */
export interface BackupHeader {
  readonly clusterId: string;
  readonly nodeName: string;
  readonly nodeId: string;
  readonly group: number;
  readonly partitions: number;
  /** Microseconds since the Unix epoch. */
  readonly createdAt: number;
  /** What the log continues; index 0 where it begins with entry 1. */
  readonly before: LogBoundary;
  /** The last entry, and the offset that comes after its records. */
  readonly lastIndex: number;
  readonly nextOffset: number;
  /** Up to here the entries are known to be committed. */
  readonly commitIndex: number;
  /** In force at the last entry. */
  readonly configuration: Configuration;
  readonly snapshot: BackedUpSnapshot | undefined;
}

export interface BackedUpSnapshot {
  readonly index: number;
  readonly term: number;
  /** Of the file. */
  readonly bytes: number;
  /** In the order of their bytes behind those of the file; undefined: none. */
  readonly attachments?: readonly Attachment[] | undefined;
}

/** Bytes of the snapshot's file and its attachments. */
export function snapshotBytes({ snapshot }: Pick<BackupHeader, 'snapshot'>): number {
  if (!snapshot) return 0;
  return (snapshot.attachments ?? []).reduce((sum, { bytes }) => sum + bytes, snapshot.bytes);
}

/** The bytes are no backup, or not the one that was made. */
export class BackupError extends Error {
  override readonly name = 'BackupError';

  constructor(
    /** Where in the backup, in bytes. */
    readonly position: number,
    what: string,
    options?: ErrorOptions,
  ) {
    super(`The backup cannot be used: at byte ${position} ${what}.`, options);
  }
}

export function encodePreface({ snapshot }: Pick<BackupHeader, 'snapshot'>): Buffer {
  const preface = Buffer.alloc(BACKUP_PREFACE_BYTES);
  preface.writeUInt32LE(MAGIC, 0);
  const isPlain = (snapshot?.attachments ?? []).length === 0;
  preface.writeUInt16LE(isPlain ? WITHOUT_ATTACHMENTS : VERSION, 4);
  return preface;
}

/** Throws BackupError. */
export function checkPreface(preface: Buffer): void {
  if (preface.length < BACKUP_PREFACE_BYTES || preface.readUInt32LE(0) !== MAGIC) {
    throw new BackupError(0, 'it does not begin like a backup');
  }
  const version = preface.readUInt16LE(4);
  if (version < WITHOUT_ATTACHMENTS || version > VERSION) {
    throw new BackupError(
      4,
      `its format is ${version}, and this program knows formats up to ${VERSION}: use a newer one`,
    );
  }
  if (preface.readUInt16LE(6) !== 0) throw new BackupError(6, 'is something other than zero');
}

export function encodeFrameHeader(type: number, data: Buffer): Buffer {
  const header = Buffer.alloc(FRAME_HEADER_BYTES);
  header.writeUInt32LE(type, 0);
  header.writeUInt32LE(data.length, 4);
  header.writeUInt32LE(crc32(data, crc32(header.subarray(0, 8))), 8);
  return header;
}

/** Whether the data are what the header was made for. */
export function frameHolds(header: Buffer, data: Buffer): boolean {
  return header.equals(encodeFrameHeader(header.readUInt32LE(0), data));
}

export interface Totals {
  readonly frames: number;
  readonly bytes: number;
  readonly hash: Buffer;
}

export function encodeEnd({ frames, bytes, hash }: Totals): Buffer {
  const end = Buffer.alloc(END_BYTES);
  writeU64(end, frames, 0);
  writeU64(end, bytes, 8);
  hash.copy(end, 16);
  return end;
}

export function encodeOutcomes(firstOffset: number, rows: Buffer): Buffer {
  const data = Buffer.allocUnsafe(8 + rows.length);
  writeU64(data, firstOffset, 0);
  rows.copy(data, 8);
  return data;
}

export function decodeOutcomes(data: Buffer): { readonly firstOffset: number; readonly rows: Buffer } {
  return { firstOffset: data.length < 8 ? -1 : readU64(data, 0), rows: data.subarray(8) };
}

export function encodeBackupHeader(header: BackupHeader): Buffer {
  const { before } = header;
  return Buffer.from(JSON.stringify({ ...header, before: { ...before, hash: before.hash.toString('hex') } }));
}

const count = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const headerShape = z.object({
  clusterId: z.string().regex(/^[0-9a-f]{32}$/),
  nodeName: z.string().min(1),
  nodeId: z.string().regex(/^[0-9a-f]{16}$/),
  group: count,
  partitions: count,
  createdAt: count,
  before: z.object({
    ...{ index: count, term: count, nextOffset: count, time: count },
    hash: z.string().regex(/^[0-9a-f]{64}$/),
  }),
  ...{ lastIndex: count, nextOffset: count, commitIndex: count },
  configuration: z.unknown(),
  snapshot: z
    .object({
      ...{ index: count, term: count, bytes: count },
      attachments: z.array(z.object({ name: z.string(), bytes: count }).refine(isAttachment)).optional(),
    })
    .optional(),
});

/** Throws BackupError. @param position of the frame */
export function decodeBackupHeader(data: Buffer, position: number): BackupHeader {
  try {
    const { before, configuration, snapshot, ...rest } = headerShape.parse(JSON.parse(data.toString('utf8')));
    return {
      ...rest,
      before: { ...before, hash: Buffer.from(before.hash, 'hex') },
      configuration: decodeConfiguration(Buffer.from(JSON.stringify(configuration))),
      snapshot,
    };
  } catch (cause) {
    const known =
      cause instanceof z.ZodError || cause instanceof SyntaxError || cause instanceof ConfigurationFormatError;
    if (!known) throw cause;
    throw new BackupError(position, 'its header makes no sense', { cause });
  }
}
