/** Where the batches come from, and what is told about how far they have come. */

export interface FetchedBatch {
  /** The sealed batch, as it is in the log. */
  readonly batch: Buffer;
  /** What apply decided: 64 bytes a record for a batch of records, empty for any other. */
  readonly outcomes: Buffer;
}

export interface Fetched {
  /** Dense in index, beginning with the one asked for; none when nothing came in the time that the source waits. */
  readonly batches: readonly FetchedBatch[];
  /** What the node knows to be committed. */
  readonly commitIndex: number;
  /** The offset that the next record of the log will have. */
  readonly nextOffset: number;
}

export interface ProjectionSource {
  /**
   * Batches that are committed and applied, at least one where there is one, about `maxBytes` of them. At the end of them
   * it waits for more for a while (a long poll). Rejects when the node cannot have the range at all.
   */
  fetch(fromIndex: number, maxBytes: number): Promise<Fetched>;
}

export interface ProjectionStatus {
  /** `paused`: nothing is written, for the reason in `why`; it is tried again by itself. */
  readonly state: 'starting' | 'running' | 'paused';
  /** A sentence for the operator; empty while it runs. */
  readonly why: string;
  /** The last batch that the rows reflect; 0: none. */
  readonly checkpointIndex: number;
  /** The last record that the rows reflect; -1: none. */
  readonly checkpointOffset: number;
  /** Records written in the last second or so. */
  readonly rowsPerSecond: number;
}
