import { payloadOf, readHeader, type BatchHeader } from '../log/batch';
import { type Chunk, ChunkFormatError, iterateChunks, RecordType } from '../log/chunk';
import { LogDamageError } from '../log/log-errors';
import type { LogStore } from '../log/log-store';
import type { OutcomeStore } from '../log/outcomes';
import { firstUnsoundOutcome, isOutcomeRowSet, OUTCOME_ROW_BYTES } from '../ledger/outcome-row';
import type { FetchedBatch } from '../ledger/projection/source';
import type { EventLog } from '../raft/replica/environment';

/** An outcome on this node's disk is not what was written, or is gone. */
export class OutcomeDamageError extends Error {
  override readonly name = 'OutcomeDamageError';

  constructor(
    /** Of the record. */
    readonly offset: number,
    place: { readonly file: string; readonly position: number } | undefined,
  ) {
    super(
      `The outcome of the record at offset ${offset} is damaged or missing: ${place?.file ?? 'the log no longer holds it'}` +
        `${place ? ` from byte ${place.position} on` : ''}. It is not shown to anybody; a peer that has it can give it.`,
    );
  }
}

export interface OutcomeKeeperOptions {
  readonly log: Pick<LogStore, 'indexOfOffset' | 'read'>;
  readonly outcomes: Pick<OutcomeStore, 'read' | 'write' | 'placeOf'>;
  /** Committed batches with outcomes, from the peers. */
  readonly fromPeers: (fromIndex: number, maxBytes: number) => Promise<readonly FetchedBatch[]>;
  readonly events: EventLog;
}

/** Outcomes as the disk has them, each verified before anybody sees it, and written again from a peer's where they are damaged. */
export class OutcomeKeeper {
  /** One damaged place is mended once, however many readers meet it. */
  private readonly mending = new Map<number, Promise<boolean>>();

  constructor(private readonly options: OutcomeKeeperOptions) {}

  /** As OutcomeStore.read. @throws OutcomeDamageError */
  async read(offset: number, count: number): Promise<Buffer> {
    const rows = await this.options.outcomes.read(offset, count);
    const unsound = firstUnsoundOutcome(rows, offset);
    if (unsound >= 0) throw this.damageAt(offset + unsound);
    return rows;
  }

  /** For who knows that there has to be an outcome where zeros are. */
  damageAt(offset: number): OutcomeDamageError {
    return new OutcomeDamageError(offset, this.options.outcomes.placeOf(offset));
  }

  /**
   * Writes the outcomes of the whole batch that holds the record again. False where no peer has given them, and where the log is
   * damaged at this place, too: then nothing here says which batch that is, until the next start has mended the log.
   */
  async mend(damage: OutcomeDamageError): Promise<boolean> {
    try {
      return await this.mendAt(damage);
    } catch (error) {
      if (!(error instanceof LogDamageError)) throw error;
      this.options.events.warn(
        { offset: damage.offset, err: error },
        'damaged outcomes of a damaged part of the log stay as they are',
      );
      return false;
    }
  }

  private async mendAt({ offset, message }: OutcomeDamageError): Promise<boolean> {
    const index = await this.options.log.indexOfOffset(offset);
    if (index === undefined) return false;
    const known = this.mending.get(index);
    if (known) return known;
    this.options.events.warn({ offset, index }, message);
    const mending = this.mendBatch(index).finally(() => this.mending.delete(index));
    this.mending.set(index, mending);
    return mending;
  }

  private async mendBatch(index: number): Promise<boolean> {
    const { log, outcomes, fromPeers, events } = this.options;
    const [own] = await log.read(index, 1);
    if (!own) return false;
    let given: FetchedBatch | undefined;
    try {
      [given] = await fromPeers(index, 1);
    } catch (error) {
      events.warn({ index, err: error }, 'no peer has given damaged outcomes again; whoever needs them asks once more');
      return false;
    }
    const header = readHeader(own);
    if (!given?.batch.equals(own) || !isSound(given.outcomes, header)) return false;
    outcomes.write(header.baseOffset, Buffer.from(given.outcomes));
    events.warn({ index, records: header.count }, 'damaged outcomes were written again from those of a peer');
    return true;
  }
}

function isSound(rows: Buffer, { baseOffset, count }: BatchHeader): boolean {
  return rows.length === count * OUTCOME_ROW_BYTES && firstUnsoundOutcome(rows, baseOffset) < 0;
}

/** @returns the place in the batch of the first record of the ledger's whose row is all zeros; -1 where none is */
export function firstMissingOutcome(batch: Buffer, rows: Buffer): number {
  let ordinal = 0;
  for (const chunk of chunksOf(batch)) {
    for (let i = 0; i < chunk.count; i++, ordinal++) {
      if (chunk.type === RecordType.Ledger && !isOutcomeRowSet(rows, ordinal * OUTCOME_ROW_BYTES)) return ordinal;
    }
  }
  return -1;
}

/** What cannot be told apart has no outcomes that anybody could miss; whoever has to read it says so. */
function chunksOf(batch: Buffer): readonly Chunk[] {
  try {
    return iterateChunks(payloadOf(batch));
  } catch (error) {
    if (error instanceof ChunkFormatError) return [];
    throw error;
  }
}
