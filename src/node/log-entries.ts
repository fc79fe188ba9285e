/**
 * Raw entries of a node's log for a peer that has to mend its own: the batches as they are on the disk, committed or not.
 * Request, JSON: the first and the last index. Answer: u64 first and last index of the log that answers, u64 commit index,
 * then the batches one behind the other, from the first index that was asked for; none where the log does not hold it.
 */
import { BatchFormatError, readHeader, verifyBatch } from '../log/batch';
import { LogRangeError } from '../log/log-errors';
import type { LogStore } from '../log/log-store';
import { PeerBodyError, decodeJson, encodeJson, numberField } from './peer-calls';

/** An answer ends behind the batch with which it has so many bytes, or before one that would make it too large for a frame. */
const MAX_ANSWER_BYTES = 4 << 20;
const ANSWER_HEADER = 24;

export interface PeerEntries {
  /** Of the peer's log. */
  readonly firstIndex: number;
  readonly lastIndex: number;
  /** As far as the peer knows. */
  readonly commit: number;
  /** Good in themselves, of dense indexes from the one that was asked for on; none where the peer does not hold it. */
  readonly batches: readonly Buffer[];
}

export function encodeEntriesRequest(from: number, to: number): Buffer {
  return encodeJson({ from, to });
}

/** Serves PEER_CALLS.entries. Rejects with what the log's `read` rejects with where this disk is damaged, too. */
export async function serveEntries(log: LogStore, commit: number, body: Buffer): Promise<Buffer> {
  const request = decodeJson(body);
  const [from, to] = [numberField(request, 'from'), numberField(request, 'to')];
  const head = Buffer.alloc(ANSWER_HEADER);
  head.writeBigUInt64LE(BigInt(log.firstIndex), 0);
  head.writeBigUInt64LE(BigInt(log.lastIndex), 8);
  head.writeBigUInt64LE(BigInt(Math.min(await knownCommit(log, commit), log.lastIndex)), 16);
  const batches = from < log.firstIndex || from > log.lastIndex ? [] : await readRange(log, from, to);
  return Buffer.concat([head, ...batches]);
}

/**
 * A node that has just started knows of no commit before a leader tells it. Its newest batch says what the leader that wrote
 * it knew, of a log that is the same as this one up to there.
 */
async function knownCommit(log: LogStore, commit: number): Promise<number> {
  const last = log.lastIndex < log.firstIndex ? undefined : (await readRange(log, log.lastIndex, log.lastIndex))[0];
  return last ? Math.max(commit, readHeader(last).commitIndex) : commit;
}

async function readRange(log: LogStore, from: number, to: number): Promise<readonly Buffer[]> {
  try {
    const batches = await log.read(from, MAX_ANSWER_BYTES);
    return batches.slice(0, Math.max(0, to - from + 1));
  } catch (error) {
    // Dropped while it was being read.
    if (error instanceof LogRangeError) return [];
    throw error;
  }
}

/** @throws PeerBodyError for what no correct peer answers */
export function decodeEntries(body: Buffer, from: number): PeerEntries {
  if (body.length < ANSWER_HEADER) throw new PeerBodyError(`A peer sent ${body.length} bytes of log entries.`);
  const batches: Buffer[] = [];
  for (let at = ANSWER_HEADER; at < body.length;) {
    const batch = batchAt(body, at);
    if (batch.index !== from + batches.length) {
      throw new PeerBodyError(`A peer was asked for entry ${from + batches.length}, and sent entry ${batch.index}.`);
    }
    batches.push(batch.bytes);
    at += batch.bytes.length;
  }
  const number = (at: number): number => Number(body.readBigUInt64LE(at));
  return { firstIndex: number(0), lastIndex: number(8), commit: number(16), batches };
}

function batchAt(body: Buffer, at: number): { readonly index: number; readonly bytes: Buffer } {
  try {
    const { length } = readHeader(body, at);
    const bytes = body.subarray(at, at + length);
    return { index: verifyBatch(bytes).index, bytes };
  } catch (error) {
    if (!(error instanceof BatchFormatError)) throw error;
    throw new PeerBodyError(`A peer sent a log entry that is none: ${error.message}`);
  }
}
