import { CallError } from '../raft/transport';
import type { EventLog } from '../raft/replica/environment';
import type { RecordPage } from '../api/node-port';
import type { FetchedBatch } from '../ledger/projection/source';
import { readHeader } from '../log/batch';
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
      return page.records.length > 0 ? page : undefined;
    });
  }

  /** Rejects where no peer has them: the range is gone from the whole cluster. */
  async batches(fromIndex: number, maxBytes: number): Promise<readonly FetchedBatch[]> {
    const body = encodeJson({ fromIndex, maxBytes: Math.min(maxBytes, MAX_PEER_BYTES) });
    const found = await this.firstAnswer(PEER_CALLS.batches, body, BATCHES_DEADLINE_MILLIS, (answer) => {
      const batches = decodeBatches(answer);
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
    return Buffer.concat(batches.flatMap(({ batch, outcomes }) => [batch, outcomes]));
  }

  private async firstAnswer<T>(
    method: number,
    body: Buffer,
    deadlineMs: number,
    read: (answer: Buffer) => T | undefined,
  ): Promise<T | undefined> {
    const { group, peers, call, events } = this.options;
    for (const peer of peers()) {
      try {
        const found = read(await call(peer, group, method, body, deadlineMs));
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
function decodeBatches(body: Buffer): FetchedBatch[] {
  const found: FetchedBatch[] = [];
  for (let at = 0; at < body.length;) {
    const header = readHeader(body, at);
    const outcomesAt = at + header.length;
    const end = outcomesAt + header.count * OUTCOME_ROW_BYTES;
    if (end > body.length) throw new PeerBodyError(`A peer's answer ends within batch ${header.index}.`);
    found.push({ batch: body.subarray(at, outcomesAt), outcomes: body.subarray(outcomesAt, end) });
    at = end;
  }
  return found;
}
