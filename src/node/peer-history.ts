import { CallError } from '../raft/transport';
import type { EventLog } from '../raft/replica/environment';
import type { RecordPage } from '../api/node-port';
import type { FetchedBatch } from '../ledger/projection/source';
import { BatchFormatError, readHeader, type BatchHeader } from '../log/batch';
import {
  PEER_CALLS,
  PeerBodyError,
  decodeJson,
  decodeRecordPage,
  encodeJson,
  encodeRecordPage,
  numberField,
} from './peer-calls';
import type { ProjectionFeed } from './projection-feed';
import type { RecordReader } from './record-reader';

export interface PeerHistoryOptions {
  readonly group: number;
  /** The other members, those that gossip holds for alive first. */
  readonly peers: () => readonly string[];
  readonly call: (to: string, group: number, method: number, body: Buffer, deadlineMs: number) => Promise<Buffer>;
  readonly events: EventLog;
  /** Milliseconds on a clock that never goes back. */
  readonly now: () => number;
}

const OUTCOME_ROW_BYTES = 64;
const BATCHES_DEADLINE_MILLIS = 5_000;
const MAX_PEER_BYTES = 4 << 20;

/** Older parts of the log than this node holds (it joined by a snapshot, or trims more than others), fetched from peers. */
export class PeerHistory {
  constructor(private readonly options: PeerHistoryOptions) {}

  /** Undefined where no peer has them. */
  async records(from: number, maxBytes: number, deadlineMs: number): Promise<RecordPage | undefined> {
    const body = encodeJson({ from, maxBytes: Math.min(maxBytes, MAX_PEER_BYTES) });
    return this.firstAnswer(PEER_CALLS.records, body, deadlineMs, (answer) => {
      const page = decodeRecordPage(answer);
      if (page.records.some(({ offset }, at) => offset !== from + at)) {
        throw new PeerBodyError(`A peer was asked for records from offset ${from} on, and sent others.`);
      }
      return page.records.length > 0 ? page : undefined;
    });
  }

  /** Rejects where no peer has them: the range is gone from the whole cluster. */
  async batches(fromIndex: number, maxBytes: number): Promise<readonly FetchedBatch[]> {
    const body = encodeJson({ fromIndex, maxBytes: Math.min(maxBytes, MAX_PEER_BYTES) });
    const found = await this.firstAnswer(PEER_CALLS.batches, body, BATCHES_DEADLINE_MILLIS, (answer) => {
      const batches = decodeBatches(answer, fromIndex);
      return batches.length > 0 ? batches : undefined;
    });
    if (found) return found;
    throw new Error(`Neither this node nor a peer that answers holds the log from index ${fromIndex} on.`);
  }

  async serveRecords(reader: RecordReader, body: Buffer): Promise<Buffer> {
    const request = decodeJson(body);
    const maxBytes = Math.min(numberField(request, 'maxBytes'), MAX_PEER_BYTES);
    return encodeRecordPage(await reader.own(numberField(request, 'from'), maxBytes));
  }

  async serveBatches(feed: ProjectionFeed, body: Buffer): Promise<Buffer> {
    const request = decodeJson(body);
    const maxBytes = Math.min(numberField(request, 'maxBytes'), MAX_PEER_BYTES);
    const batches = await feed.own(numberField(request, 'fromIndex'), maxBytes);
    const parts: Buffer[] = [];
    let bytes = 0;
    for (const { batch, outcomes } of batches) {
      // A batch of many small records has more bytes of outcomes than of its own, and an answer has to fit into a frame.
      if (bytes > 0 && bytes + batch.length + outcomes.length > MAX_PEER_BYTES) break;
      parts.push(batch, outcomes);
      bytes += batch.length + outcomes.length;
    }
    return Buffer.concat(parts);
  }

  private async firstAnswer<T>(
    method: number,
    body: Buffer,
    deadlineMs: number,
    read: (answer: Buffer) => T | undefined,
  ): Promise<T | undefined> {
    const { group, peers, call, events, now } = this.options;
    const until = now() + deadlineMs;
    for (const peer of peers()) {
      const remaining = until - now();
      if (remaining <= 0) return undefined;
      try {
        const found = read(await call(peer, group, method, body, remaining));
        if (found !== undefined) return found;
      } catch (error) {
        if (!(error instanceof CallError) && !(error instanceof PeerBodyError)) throw error;
        events.debug({ peer, err: error }, 'a peer did not give older parts of the log');
      }
    }
    return undefined;
  }
}

/** Each batch says how long it is and how many outcome rows follow it. */
function decodeBatches(body: Buffer, fromIndex: number): FetchedBatch[] {
  const found: FetchedBatch[] = [];
  for (let at = 0; at < body.length;) {
    const header = headerAt(body, at);
    if (header.index !== fromIndex + found.length) {
      throw new PeerBodyError(
        `A peer was asked for batch ${fromIndex + found.length}, and sent batch ${header.index}.`,
      );
    }
    const outcomesAt = at + header.length;
    const end = outcomesAt + header.count * OUTCOME_ROW_BYTES;
    if (end > body.length) throw new PeerBodyError(`A peer's answer ends within batch ${header.index}.`);
    found.push({ batch: body.subarray(at, outcomesAt), outcomes: body.subarray(outcomesAt, end) });
    at = end;
  }
  return found;
}

function headerAt(body: Buffer, at: number): BatchHeader {
  try {
    return readHeader(body, at);
  } catch (error) {
    if (error instanceof BatchFormatError)
      throw new PeerBodyError(`A peer sent a batch that is none: ${error.message}`);
    throw error;
  }
}
