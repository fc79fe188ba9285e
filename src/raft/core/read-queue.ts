import type { NodeId } from './types';

/** At most so many reads wait for the confirmation of their leader; beyond, they are refused. */
export const MAX_PENDING_READS = 65_536;

/** More rounds than this are not under way at once: what comes meanwhile shares the next one. */
const MAX_ROUNDS = 8;

/** Who asked, itself or a follower. */
export interface PendingRead {
  readonly from: NodeId;
  readonly context: number;
}

/** Reads that are confirmed together, and the index that the reader's state has to reach. */
interface ReadRound {
  readonly round: number;
  readonly index: number;
  readonly reads: readonly PendingRead[];
}

/**
 * The linearizable reads of a leader (dissertation 6.4). A read is confirmed by a round of heartbeats that starts after
 * the read has come, so a read never joins a round that is under way; rounds are numbered, and whoever confirms one has
 * confirmed all before it.
 */
export class ReadQueue {
  private open: PendingRead[] = [];
  private rounds: ReadRound[] = [];
  private waiting = 0;
  private lastRound = 0;

  get pending(): number {
    return this.waiting;
  }

  /** What heartbeats carry: the newest round that waits, 0 for none. */
  get newestRound(): number {
    return this.rounds.at(-1)?.round ?? 0;
  }

  /** False when too many wait. */
  add(read: PendingRead): boolean {
    if (this.waiting >= MAX_PENDING_READS) return false;
    this.open.push(read);
    this.waiting += 1;
    return true;
  }

  /** Starts a round for all reads that are in none yet. False when there are none, or too many rounds are under way. */
  startRound(commit: number): boolean {
    if (this.open.length === 0 || this.rounds.length >= MAX_ROUNDS) return false;
    this.lastRound += 1;
    this.rounds.push({ round: this.lastRound, index: commit, reads: this.open });
    this.open = [];
    return true;
  }

  /** Takes out the rounds that a quorum has confirmed. */
  confirmed(upTo: number): readonly ReadRound[] {
    const count = this.rounds.findIndex((round) => round.round > upTo);
    const done = this.rounds.splice(0, count < 0 ? this.rounds.length : count);
    for (const round of done) this.waiting -= round.reads.length;
    return done;
  }

  /** Takes everything out: leadership is over. */
  drain(): PendingRead[] {
    const all = [...this.rounds.flatMap((round) => round.reads), ...this.open];
    this.open = [];
    this.rounds = [];
    this.waiting = 0;
    return all;
  }
}
