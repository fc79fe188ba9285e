import type { Clock } from './environment';

/**
 * A leader puts the time into every batch, so a leader whose clock runs ahead would push the cluster's time ahead for ever.
 * The guard compares the leader's wall clock with those its peers report (in heartbeat and append responses) and says
 * whether it may propose: not while it is more than `limitMicros` ahead of a majority of the voters, itself included.
 */
export class ClockGuard {
  private readonly samples = new Map<string, { aheadMicros: number; takenAt: number }>();

  constructor(
    private readonly clock: Clock,
    private readonly limitMicros: number,
    private readonly sampleLifeMillis: number,
  ) {}

  /** `peerMicros`: the peer's wall clock when it sent the message that has just arrived. */
  observe(peer: string, peerMicros: number): void {
    if (!Number.isSafeInteger(peerMicros) || peerMicros <= 0) return;
    this.samples.set(peer, {
      aheadMicros: this.clock.wallMicros() - peerMicros,
      takenAt: this.clock.monotonicMillis(),
    });
  }

  forget(peer: string): void {
    this.samples.delete(peer);
  }

  /** Those who were not heard of lately are not asked; where nobody was, as right after an election, nothing speaks against it. */
  mayPropose(self: string, voters: readonly string[]): boolean {
    const now = this.clock.monotonicMillis();
    let [heard, behind] = [0, 0];
    for (const voter of voters) {
      if (voter === self) continue;
      const sample = this.samples.get(voter);
      if (!sample || now - sample.takenAt > this.sampleLifeMillis) continue;
      heard += 1;
      if (sample.aheadMicros > this.limitMicros) behind += 1;
    }
    if (heard === 0) return true;
    const majority = Math.floor(voters.length / 2) + 1;
    // No clock is ahead of itself: where only one other is heard, as of two voters, that one decides.
    return behind < Math.min(majority, heard);
  }
}
