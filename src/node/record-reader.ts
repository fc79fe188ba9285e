import { NodeError, type LogRecordView, type RecordPage } from '../api/node-port';
import { payloadOf, readHeader, type BatchHeader } from '../log/batch';
import { ChunkFormatError, RecordType, iterateChunks, type Chunk } from '../log/chunk';
import { LogDamageError, LogRangeError } from '../log/log-errors';
import type { LogStore } from '../log/log-store';
import { OUTCOME_ROW_BYTES, isOutcomeRowSet } from '../ledger/outcome-row';
import { recordValue, type Holds, type LedgerCodes } from '../ledger/record-value';
import { OutcomeDamageError } from './outcome-keeper';

export interface RecordReaderOptions {
  readonly log: LogStore;
  /** Rejects with OutcomeDamageError where they are not what was written. */
  readonly readOutcomes: (offset: number, count: number) => Promise<Buffer>;
  /** Writes outcomes again that were found damaged or missing; false where nobody has them. */
  readonly mendOutcomes: (damage: OutcomeDamageError) => Promise<boolean>;
  /** The error that names where an outcome is missing. */
  readonly damageAt: (offset: number) => OutcomeDamageError;
  readonly ledgerCodes: LedgerCodes;
  readonly holds: Holds;
  readonly appliedIndex: () => number;
  /** The offset after the last record that is committed and applied here. */
  readonly nextOffset: () => number;
  /** Asks the peers for records that this node's own log does not reach back to; undefined where none has them. */
  readonly fromPeers: (from: number, maxBytes: number, deadlineMs: number) => Promise<RecordPage | undefined>;
}

/** What a record costs beside its value, so that a page of empty values ends, too. */
const RECORD_OVERHEAD_BYTES = 32;
const RETRY_AFTER_MILLIS = 500;

/** The log as its consumers see it: committed records with dense offsets, each with its outcome. */
export class RecordReader {
  constructor(private readonly options: RecordReaderOptions) {}

  /** Records from `from` on, from this node's own disk or from a peer's. Rejects with NodeError. */
  async page(from: number, maxBytes: number, deadlineMs: number): Promise<RecordPage> {
    const nextOffset = this.options.nextOffset();
    if (from >= nextOffset) return { records: [], firstOffset: this.options.log.firstOffset, nextOffset };
    const found = (await this.ownIfHeld(from, maxBytes)) ?? (await this.options.fromPeers(from, maxBytes, deadlineMs));
    if (found) return found;
    const { firstOffset } = this.options.log;
    if (from < firstOffset) return { records: [], firstOffset, nextOffset };
    // Never an empty page for what exists: who follows the log would ask for it again at once.
    throw new NodeError(
      'UNAVAILABLE',
      'NOT_READY',
      `The records from offset ${from} on exist, but neither this node nor a peer that answers can give them now; try again.`,
      { retryAfterMs: RETRY_AFTER_MILLIS },
    );
  }

  /**
   * Undefined where this node does not hold the first of them, or not any more, or is just being given another state.
   * @param mended outcomes up to here were damaged and are mended
   */
  private async ownIfHeld(from: number, maxBytes: number, mended = -1): Promise<RecordPage | undefined> {
    if (from < this.options.log.firstOffset) return undefined;
    try {
      const page = await this.own(from, maxBytes);
      return page.records.length > 0 ? page : undefined;
    } catch (error) {
      // Dropped under a snapshot while it was being read, or damaged: a peer may hold it still.
      if (error instanceof LogRangeError || error instanceof LogDamageError) return undefined;
      if (!(error instanceof OutcomeDamageError) || error.offset <= mended) throw error;
      // Damage further on is met by the next try.
      return (await this.options.mendOutcomes(error)) ? this.ownIfHeld(from, maxBytes, error.offset) : undefined;
    }
  }

  /** What this node itself holds. Serves peers, too. */
  async own(from: number, maxBytes: number): Promise<RecordPage> {
    const { log } = this.options;
    const nextOffset = this.options.nextOffset();
    const records: LogRecordView[] = [];
    let bytes = 0;
    let offset = from;
    let index = from < log.firstOffset || from >= nextOffset ? undefined : await log.indexOfOffset(from);
    while (index !== undefined && offset < nextOffset && (bytes < maxBytes || records.length === 0)) {
      const batches = await log.read(index, Math.max(1, maxBytes - bytes));
      if (batches.length === 0) break;
      for (const batch of batches) {
        const header = readHeader(batch);
        index = header.index + 1;
        if (header.index > this.options.appliedIndex()) return { records, firstOffset: log.firstOffset, nextOffset };
        if (header.count === 0) continue;
        bytes += await this.addRecords(batch, header, offset, maxBytes - bytes, records);
        offset = header.baseOffset + header.count;
        if (bytes >= maxBytes) break;
      }
    }
    return { records, firstOffset: log.firstOffset, nextOffset };
  }

  /** Adds the records of one batch from offset `from` on until `room` is used; returns the bytes added. */
  private async addRecords(
    batch: Buffer,
    header: BatchHeader,
    from: number,
    room: number,
    into: LogRecordView[],
  ): Promise<number> {
    const skip = Math.max(0, from - header.baseOffset);
    const outcomes = await this.options.readOutcomes(header.baseOffset + skip, header.count - skip);
    let ordinal = 0;
    let bytes = 0;
    for (const chunk of chunksOf(batch, header)) {
      for (let at = Math.max(0, skip - ordinal); at < chunk.count; at += 1) {
        if (bytes >= room && into.length > 0) return bytes;
        const place = ordinal + at;
        const row = (place - skip) * OUTCOME_ROW_BYTES;
        if (chunk.type === RecordType.Ledger && !isOutcomeRowSet(outcomes, row)) {
          throw this.options.damageAt(header.baseOffset + place);
        }
        const { ledgerCodes, holds } = this.options;
        const value = recordValue(chunk.type, chunk.width, chunk.record(at), outcomes, row, ledgerCodes, holds);
        into.push({
          offset: header.baseOffset + place,
          term: header.term,
          timestamp: header.time,
          type: chunk.type,
          value,
        });
        bytes += value.length + RECORD_OVERHEAD_BYTES;
      }
      ordinal += chunk.count;
    }
    return bytes;
  }
}

function chunksOf(batch: Buffer, header: BatchHeader): readonly Chunk[] {
  try {
    return iterateChunks(payloadOf(batch));
  } catch (error) {
    if (!(error instanceof ChunkFormatError)) throw error;
    throw new NodeError(
      'FAILED_PRECONDITION',
      'RECORD_UNDECODABLE',
      `Batch ${header.index} was committed, but its records cannot be told apart: ${error.message}`,
    );
  }
}
