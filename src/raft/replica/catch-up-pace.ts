import type { NodeId } from '../core';
import type { Clock, Scheduler } from './environment';

/** What a peer may get more for each byte by which the log has grown: one that is behind has to be faster than the log. */
const SHARE_OF_GROWTH = 2;
const MILLIS_PER_SECOND = 1_000;

interface Debt {
  bytes: number;
  /** When and at what length of the log `bytes` was reckoned. */
  at: number;
  grown: number;
}

/**
 * How fast a peer that is far behind is sent what it lacks. At full speed it would take disk, network and processor from the
 * writes that go on meanwhile. A peer gets so many bytes a second, and beyond that twice the bytes by which the log grows,
 * so that it comes nearer under any load. What it got ahead of its time is its debt; it waits until that is paid.
 */
export class CatchUpPace {
  private readonly debts = new Map<NodeId, Debt>();
  private grown = 0;
  /** Where those who wait for their turn want entries from. */
  private readonly wanted = new Map<NodeId, number>();

  constructor(
    private readonly clock: Pick<Clock, 'monotonicMillis'>,
    private readonly scheduler: Pick<Scheduler, 'every'>,
    private readonly bytesPerSecond: number,
  ) {
    if (!(bytesPerSecond > 0))
      throw new RangeError(`A pace of ${bytesPerSecond} bytes a second was given; at least 1.`);
  }

  /** The log has grown by so many bytes. */
  logGrew(bytes: number): void {
    this.grown += bytes;
  }

  /** The peer was sent so many bytes. */
  sent(peer: NodeId, bytes: number): void {
    const debt = this.debtOf(peer);
    debt.bytes += bytes;
    this.debts.set(peer, debt);
  }

  /** Resolves when the peer may get more; undefined where it may now. */
  turn(peer: NodeId): Promise<void> | undefined {
    const debt = this.debtOf(peer);
    if (debt.bytes === 0) {
      this.debts.delete(peer);
      return undefined;
    }
    const millis = Math.ceil((debt.bytes * MILLIS_PER_SECOND) / this.bytesPerSecond);
    return new Promise((resolve) => {
      const cancel = this.scheduler.every(millis, () => {
        cancel();
        resolve();
      });
    });
  }

  /**
   * Calls `load` when the peer may get more: now, or at its turn. Asked again meanwhile, what it needs then is loaded, once: a
   * second load would be paid for, and be of no use.
   * @returns resolves behind the call; undefined where nothing is to be waited for
   */
  whenTurn(peer: NodeId, from: number, load: (from: number) => void): Promise<void> | undefined {
    const isWaiting = this.wanted.has(peer);
    if (isWaiting) {
      this.wanted.set(peer, from);
      return undefined;
    }
    const turn = this.turn(peer);
    if (turn === undefined) {
      load(from);
      return undefined;
    }
    this.wanted.set(peer, from);
    return turn.then(() => {
      const newest = this.wanted.get(peer) ?? from;
      this.wanted.delete(peer);
      load(newest);
    });
  }

  private debtOf(peer: NodeId): Debt {
    const at = this.clock.monotonicMillis();
    const { grown } = this;
    const before = this.debts.get(peer);
    if (before === undefined) return { bytes: 0, at, grown };
    const paid =
      ((at - before.at) * this.bytesPerSecond) / MILLIS_PER_SECOND + SHARE_OF_GROWTH * (grown - before.grown);
    return { bytes: Math.max(0, before.bytes - paid), at, grown };
  }
}
