import { NodeError, type Consistency } from '../api/node-port';
import { ReplicaError } from '../raft/replica/errors';
import type { Replica } from '../raft/replica/replica';
import { decodeToken, tokenInvalid } from './token';
import { nodeErrorOf } from './write-path';

/** A stale read with a bound that is not fresh enough asks the leader, but not for longer than this. */
const REFRESH_MILLIS = 500;

/** Brings this node's applied state to what a read asks for. */
export class ReadBarrier {
  constructor(
    private readonly replica: Pick<Replica, 'linearizable' | 'waitApplied' | 'staleness'>,
    private readonly group: number,
    private readonly clusterId: () => string,
  ) {}

  /** Rejects with NodeError. */
  async wait(consistency: Consistency, deadlineMs: number): Promise<void> {
    switch (consistency.level) {
      case 'LINEARIZABLE':
        return this.linearizable(deadlineMs);
      case 'AT_LEAST':
        return this.atLeast(consistency.token, deadlineMs);
      case 'STALE':
        return this.stale(consistency.maxStalenessMs, deadlineMs);
    }
  }

  private async linearizable(deadlineMs: number): Promise<void> {
    try {
      await this.replica.linearizable(deadlineMs);
    } catch (error) {
      throw error instanceof ReplicaError ? nodeErrorOf(error) : error;
    }
  }

  private async atLeast(token: string, deadlineMs: number): Promise<void> {
    const position = decodeToken(this.clusterId(), token);
    if (typeof position === 'string') {
      throw tokenInvalid('consistency.token', `A read asks for AT_LEAST a token, but ${position}.`);
    }
    if (position.group !== this.group) {
      throw tokenInvalid('consistency.token', `The token is of group ${position.group}, which does not exist.`);
    }
    try {
      await this.replica.waitApplied(position.index, deadlineMs);
    } catch (error) {
      if (!(error instanceof ReplicaError)) throw error;
      if (error.reason !== 'NO_LEADER') throw nodeErrorOf(error);
      throw new NodeError('UNAVAILABLE', 'STALE_READ', error.message, { retryAfterMs: REFRESH_MILLIS });
    }
  }

  private async stale(maxStalenessMs: number, deadlineMs: number): Promise<void> {
    if (maxStalenessMs <= 0 || this.replica.staleness() <= maxStalenessMs) return;
    try {
      await this.replica.linearizable(Math.min(deadlineMs, REFRESH_MILLIS));
    } catch (error) {
      if (!(error instanceof ReplicaError)) throw error;
      const age = this.replica.staleness();
      const since = Number.isFinite(age) ? `for ${Math.round(age)} ms` : 'since it started';
      throw new NodeError(
        'UNAVAILABLE',
        'STALE_READ',
        `This node has not heard ${since} how far the log is committed, and the read allows ${maxStalenessMs} ms. ` +
          'Ask another node, or allow more.',
        { retryAfterMs: REFRESH_MILLIS },
      );
    }
  }
}
