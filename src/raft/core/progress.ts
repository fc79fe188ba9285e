import { Inflights } from './inflights';
import type { ProgressState } from './status';

/**
 * What the leader knows of one peer, and how it sends to it (etcd's `tracker.Progress`):
 * - probe: where the logs match is not known; one append at a time, until one is accepted.
 * - replicate: they match; appends are sent ahead of their answers, within the window of inflights.
 * - snapshot: this leader's log does not reach back far enough; nothing is sent until the snapshot has arrived.
 * Answers may be late, doubled or out of order, so `match` only grows and `next` stays above it.
 */
export class Progress {
  match = 0;
  state: ProgressState = 'probe';
  /** Something was heard since the last check of the quorum. A new peer gets the benefit of the doubt. */
  heardThisPeriod = true;
  /** The same for the period before: the beginning of a period says nothing about a peer yet. */
  private heardLastPeriod = true;
  /** In probe: the one append is under way. A heartbeat's answer takes this back, so that a lost append is repeated. */
  probeSent = false;
  /** Send an append even if there is nothing new, to find out whether an earlier one was lost. */
  poke = false;
  /** The replica was asked for entries that are not in memory; the peer waits. */
  loading = false;
  /** The highest commit index that was sent in an append. */
  sentCommit = 0;
  /** The newest round of reads that this peer confirmed. */
  readRound = 0;
  /** In snapshot: the least index that the snapshot must have. */
  snapshotIndex = 0;
  /** Ticks since the replica was asked for entries or for a snapshot. */
  waitedTicks = 0;
  readonly inflights: Inflights;

  constructor(
    public next: number,
    maxInflightMessages: number,
    maxInflightBytes: number,
  ) {
    this.inflights = new Inflights(maxInflightMessages, maxInflightBytes);
  }

  get recentActive(): boolean {
    return this.heardThisPeriod || this.heardLastPeriod;
  }

  /** The quorum was checked; who is heard from now on counts for the next check. */
  beginPeriod(): void {
    this.heardLastPeriod = this.heardThisPeriod;
    this.heardThisPeriod = false;
  }

  becomeProbe(): void {
    // After a snapshot the peer probably has what the snapshot holds, although its own answer is not here yet.
    this.next = Math.max(this.match, this.state === 'snapshot' ? this.snapshotIndex : 0) + 1;
    this.enter('probe');
  }

  becomeReplicate(): void {
    this.next = this.match + 1;
    this.enter('replicate');
  }

  becomeSnapshot(index: number): void {
    this.snapshotIndex = index;
    this.enter('snapshot');
    this.waitedTicks = 0;
  }

  /** An append up to `lastIndex` was sent. */
  sent(lastIndex: number, bytes: number, entries: number, commit: number): void {
    this.sentCommit = Math.max(this.sentCommit, commit);
    this.poke = false;
    if (this.state === 'probe') {
      this.probeSent = true;
    } else if (entries > 0) {
      this.inflights.add(lastIndex, bytes);
      this.next = lastIndex + 1;
    }
  }

  /** The peer has the leader's log up to `index`. False when that was known. */
  accepted(index: number): boolean {
    if (index <= this.match) return false;
    this.match = index;
    this.next = Math.max(this.next, index + 1);
    return true;
  }

  /**
   * The peer does not have the entry at `rejected`; it may match at `hint`. False when that is an old answer: in
   * replicate, one about what has been accepted since; in probe, one about another append than the one under way.
   */
  rejected(rejected: number, hint: number): boolean {
    if (this.state === 'snapshot') return false;
    if (this.state === 'replicate') {
      if (rejected <= this.match) return false;
      this.becomeProbe();
      return true;
    }
    if (rejected !== this.next - 1) return false;
    this.next = Math.max(Math.min(rejected, hint + 1), this.match + 1);
    this.probeSent = false;
    return true;
  }

  /** The peer says that its disk has lost what it acknowledged above `index`: it must not be counted for it any more. */
  regress(index: number): void {
    this.match = Math.min(this.match, index);
    this.snapshotIndex = 0;
    this.becomeProbe();
  }

  private enter(state: ProgressState): void {
    this.state = state;
    this.probeSent = false;
    this.sentCommit = Math.min(this.sentCommit, this.next - 1);
    this.inflights.reset();
  }
}
