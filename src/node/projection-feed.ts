import { readHeader } from '../log/batch';
import { LogDamageError } from '../log/log-errors';
import type { LogStore } from '../log/log-store';
import type { Fetched, FetchedBatch, ProjectionSource } from '../ledger/projection/source';
import type { AppliedSignal } from './applied-signal';
import { firstMissingOutcome, OutcomeDamageError } from './outcome-keeper';

const LONG_POLL_MILLIS = 1_000;
const OUTCOME_ROW_BYTES = 64;

export interface ProjectionFeedOptions {
  readonly log: LogStore;
  readonly readOutcomes: (offset: number, count: number) => Promise<Buffer>;
  /** Writes outcomes again that were found damaged; false where nobody has them. */
  readonly mendOutcomes: (damage: OutcomeDamageError) => Promise<boolean>;
  /** The error that names where an outcome is missing. */
  readonly damageAt: (offset: number) => OutcomeDamageError;
  readonly appliedIndex: () => number;
  readonly nextOffset: () => number;
  readonly signal: AppliedSignal;
  /** Asks the peers for batches that this node's own log does not reach back to. */
  readonly fromPeers: (fromIndex: number, maxBytes: number) => Promise<readonly FetchedBatch[]>;
}

/** What the projection's process pulls: committed and applied batches, each with what apply decided. */
export class ProjectionFeed implements ProjectionSource {
  constructor(private readonly options: ProjectionFeedOptions) {}

  async fetch(fromIndex: number, maxBytes: number): Promise<Fetched> {
    const { appliedIndex, signal } = this.options;
    const until = performance.now() + LONG_POLL_MILLIS;
    while (appliedIndex() < fromIndex && performance.now() < until) await signal.next(until - performance.now());
    const batches = appliedIndex() < fromIndex ? [] : await this.load(fromIndex, maxBytes);
    return { batches, commitIndex: appliedIndex(), nextOffset: this.options.nextOffset() };
  }

  /** What this node holds itself; empty where its log begins later. Serves peers, too. */
  async own(fromIndex: number, maxBytes: number): Promise<readonly FetchedBatch[]> {
    const { log, appliedIndex, readOutcomes } = this.options;
    if (fromIndex < log.firstIndex || fromIndex > appliedIndex()) return [];
    const found: FetchedBatch[] = [];
    for (const batch of await log.read(fromIndex, maxBytes)) {
      const header = readHeader(batch);
      if (header.index > appliedIndex()) break;
      const outcomes = header.count === 0 ? Buffer.alloc(0) : await readOutcomes(header.baseOffset, header.count);
      if (outcomes.length !== header.count * OUTCOME_ROW_BYTES) {
        throw new Error(
          `Batch ${header.index} has ${header.count} records, but ${outcomes.length} bytes of outcomes are kept for them.`,
        );
      }
      const missing = header.count === 0 ? -1 : firstMissingOutcome(batch, outcomes);
      if (missing >= 0) throw this.options.damageAt(header.baseOffset + missing);
      found.push({ batch, outcomes });
    }
    return found;
  }

  private async load(fromIndex: number, maxBytes: number): Promise<readonly FetchedBatch[]> {
    const own = await this.ownUnlessDamaged(fromIndex, maxBytes);
    return own.length > 0 ? own : this.options.fromPeers(fromIndex, maxBytes);
  }

  /** What is damaged here a peer may hold still. @param mended outcomes up to here were damaged and are mended */
  private async ownUnlessDamaged(fromIndex: number, maxBytes: number, mended = -1): Promise<readonly FetchedBatch[]> {
    try {
      return await this.own(fromIndex, maxBytes);
    } catch (error) {
      if (error instanceof LogDamageError) return [];
      if (!(error instanceof OutcomeDamageError) || error.offset <= mended) throw error;
      return (await this.options.mendOutcomes(error)) ? this.ownUnlessDamaged(fromIndex, maxBytes, error.offset) : [];
    }
  }
}
