/**
 * What nodes ask of each other over the peer transport: the numbers of the calls and the bytes of their bodies.
 * Bodies on the path of a write are binary; the rare ones are JSON.
 */
import { ChunkFormatError, countRecords } from '../log/chunk';
import type { Committed, LogRecordView, RecordPage, SubmitRequest } from '../api/node-port';

export const PEER_CALLS = {
  /** Who are you, and which rules do you know? Answered by every node, also one that belongs to no cluster yet. */
  identify: 1,
  /** You belong to this cluster now. Taken only by a node that is looking for one. */
  adopt: 2,
  /** You cannot join, and why. Taken only by a node that is looking for a cluster. */
  refuse: 3,
  /** Propose this chunk; answered by the leader alone, never passed on. */
  submit: 4,
  /** Committed records from an offset on, for a node whose own disk does not hold them. */
  records: 5,
  /** Hand over leadership. */
  transferLeadership: 6,
  /** Committed batches with outcomes from a Raft index on, for a projection that starts before the node's own log. */
  batches: 7,
  /** A snapshot in chunks: SnapshotTransfer. */
  snapshotBegin: 8,
  snapshotChunk: 9,
  snapshotFinish: 10,
  /** Raw entries of the log, committed or not, for a node whose own are damaged. */
  entries: 11,
  /** Has your disk room? */
  disk: 12,
  /** Add or remove this member; answered by the leader alone. */
  changeMember: 13,
  /** You were removed from the cluster for good. */
  removed: 14,
  /** A file that a snapshot leans on, in chunks: SnapshotTransfer. */
  attachmentBegin: 15,
  attachmentChunk: 16,
  attachmentFinish: 17,
  /** What was your state at the entries at which it is compared? */
  checks: 20,
} as const;

export class PeerBodyError extends Error {
  override readonly name = 'PeerBodyError';
}

const SUBMIT_HEADER = 12;

/** u8 type, u8 kind (0 records, 1 system), u16 subject length, u32 count, u32 chunk length, subject, chunk. */
export function encodeSubmit(request: SubmitRequest): Buffer {
  const subject = Buffer.from(request.subject, 'utf8');
  const body = Buffer.allocUnsafe(SUBMIT_HEADER + subject.length + request.chunk.length);
  body.writeUInt8(request.type, 0);
  body.writeUInt8(request.kind === 'system' ? 1 : 0, 1);
  body.writeUInt16LE(subject.length, 2);
  body.writeUInt32LE(request.count, 4);
  body.writeUInt32LE(request.chunk.length, 8);
  subject.copy(body, SUBMIT_HEADER);
  request.chunk.copy(body, SUBMIT_HEADER + subject.length);
  return body;
}

/** Checks the chunk as well: what is committed stays in the log for ever, so nothing malformed may come from a peer. */
export function decodeSubmit(body: Buffer): SubmitRequest {
  need(body, 0, SUBMIT_HEADER);
  const type = body.readUInt8(0);
  const kind = body.readUInt8(1);
  const chunkAt = SUBMIT_HEADER + body.readUInt16LE(2);
  const count = body.readUInt32LE(4);
  const end = chunkAt + body.readUInt32LE(8);
  if (end !== body.length) throw new PeerBodyError(`A forwarded write of ${end} bytes came with ${body.length}.`);
  if (type !== 0 && type !== 1)
    throw new PeerBodyError(`A forwarded write has record type ${type}; 0 and 1 are known.`);
  if (kind !== 0 && kind !== 1) throw new PeerBodyError(`A forwarded write has kind ${kind}; 0 and 1 are known.`);
  const chunk = body.subarray(chunkAt, end);
  const held = recordsIn(chunk);
  if (held !== count || count === 0) {
    throw new PeerBodyError(`A forwarded write of ${count} records holds ${held} of them.`);
  }
  const subject = body.toString('utf8', SUBMIT_HEADER, chunkAt);
  return { type, kind: kind === 1 ? 'system' : 'records', subject, count, chunk };
}

function recordsIn(chunk: Buffer): number {
  try {
    return countRecords(chunk);
  } catch (error) {
    if (error instanceof ChunkFormatError) throw new PeerBodyError(`A forwarded write is malformed: ${error.message}`);
    throw error;
  }
}

const COMMITTED_HEADER = 36;

/** u64 index, term, base offset, time; u16 leader name length; u16 reserved; leader name; outcome rows. */
export function encodeCommitted(committed: Committed): Buffer {
  const leader = Buffer.from(committed.leader, 'utf8');
  const body = Buffer.allocUnsafe(COMMITTED_HEADER + leader.length + committed.outcomes.length);
  body.writeBigUInt64LE(BigInt(committed.index), 0);
  body.writeBigUInt64LE(BigInt(committed.term), 8);
  body.writeBigUInt64LE(BigInt(committed.baseOffset), 16);
  body.writeBigUInt64LE(BigInt(committed.time), 24);
  body.writeUInt16LE(leader.length, 32);
  body.writeUInt16LE(0, 34);
  leader.copy(body, COMMITTED_HEADER);
  committed.outcomes.copy(body, COMMITTED_HEADER + leader.length);
  return body;
}

export function decodeCommitted(body: Buffer): Committed {
  need(body, 0, COMMITTED_HEADER);
  const leaderLength = body.readUInt16LE(32);
  need(body, COMMITTED_HEADER, leaderLength);
  return {
    index: readCount(body, 0),
    term: readCount(body, 8),
    baseOffset: readCount(body, 16),
    time: readCount(body, 24),
    leader: body.toString('utf8', COMMITTED_HEADER, COMMITTED_HEADER + leaderLength),
    outcomes: body.subarray(COMMITTED_HEADER + leaderLength),
  };
}

const PAGE_HEADER = 20;
const RECORD_HEADER = 32;

/** u64 first offset, u64 next offset, u32 count; each record: u64 offset, term, timestamp, u32 type, u32 length, value. */
export function encodeRecordPage(page: RecordPage): Buffer {
  const parts: Buffer[] = [Buffer.allocUnsafe(PAGE_HEADER)];
  const header = parts[0] as Buffer;
  header.writeBigUInt64LE(BigInt(page.firstOffset), 0);
  header.writeBigUInt64LE(BigInt(page.nextOffset), 8);
  header.writeUInt32LE(page.records.length, 16);
  for (const record of page.records) {
    const head = Buffer.allocUnsafe(RECORD_HEADER);
    head.writeBigUInt64LE(BigInt(record.offset), 0);
    head.writeBigUInt64LE(BigInt(record.term), 8);
    head.writeBigUInt64LE(BigInt(record.timestamp), 16);
    head.writeUInt32LE(record.type, 24);
    head.writeUInt32LE(record.value.length, 28);
    parts.push(head, record.value);
  }
  return Buffer.concat(parts);
}

export function decodeRecordPage(body: Buffer): RecordPage {
  need(body, 0, PAGE_HEADER);
  const count = body.readUInt32LE(16);
  const records: LogRecordView[] = [];
  let at = PAGE_HEADER;
  for (let ordinal = 0; ordinal < count; ordinal += 1) {
    need(body, at, RECORD_HEADER);
    const length = body.readUInt32LE(at + 28);
    need(body, at + RECORD_HEADER, length);
    records.push({
      offset: readCount(body, at),
      term: readCount(body, at + 8),
      timestamp: readCount(body, at + 16),
      type: body.readUInt32LE(at + 24),
      value: body.subarray(at + RECORD_HEADER, at + RECORD_HEADER + length),
    });
    at += RECORD_HEADER + length;
  }
  return { records, firstOffset: readCount(body, 0), nextOffset: readCount(body, 8) };
}

export function encodeJson(value: object): Buffer {
  return Buffer.from(JSON.stringify(value), 'utf8');
}

export function decodeJson(body: Buffer): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch (error) {
    throw new PeerBodyError(
      `A peer sent a body that is not JSON: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new PeerBodyError('A peer sent a JSON body that is not an object.');
  }
  return value as Record<string, unknown>;
}

/** A field of a peer's JSON that must be a text. */
export function textField(object: Readonly<Record<string, unknown>>, name: string): string {
  const value = object[name];
  if (typeof value !== 'string') throw new PeerBodyError(`A peer sent a JSON body whose "${name}" is not a text.`);
  return value;
}

export function numberField(object: Readonly<Record<string, unknown>>, name: string): number {
  const value = object[name];
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) {
    throw new PeerBodyError(`A peer sent a JSON body whose "${name}" is not a whole number.`);
  }
  return value;
}

/** The highest version of the rules that a node knows, as it says when it is asked who it is. Older programs do not say: 1. */
export function rulesVersionField(object: Readonly<Record<string, unknown>>): number {
  return object['rulesVersion'] === undefined ? 1 : numberField(object, 'rulesVersion');
}

/** A u64 that every node holds as a number. */
function readCount(body: Buffer, at: number): number {
  const value = body.readBigUInt64LE(at);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new PeerBodyError(`A peer sent the number ${value}, larger than any that a node counts to.`);
  }
  return Number(value);
}

function need(body: Buffer, at: number, bytes: number): void {
  if (at + bytes > body.length) {
    throw new PeerBodyError(`A peer sent a body of ${body.length} bytes where at least ${at + bytes} were expected.`);
  }
}
