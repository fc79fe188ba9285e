import { sealBatch } from '../../log/batch';
import type { LogStore } from '../../log/log-store';
import { EntryKind } from '../core';
import type { Clock } from './environment';

interface Tail {
  readonly index: number;
  readonly hash: Buffer;
  readonly nextOffset: number;
  readonly time: number;
}

const HASH_AT = 128;
const HASH_BYTES = 32;

/**
 * What nobody dates by its entry has no need of the leader's clock, and comes before anybody could say whether that is right:
 * an election alone must not move the time of the log ahead.
 */
function tellsTime(kind: number): boolean {
  return kind !== EntryKind.noop && kind !== EntryKind.configuration;
}

/**
 * Gives a leader's new batch its final header: the chain to the batch before, dense offsets, and a time that strictly
 * increases over the whole log, whatever the clocks of successive leaders say.
 */
export class Sealer {
  private tail: Tail | undefined;

  constructor(
    private readonly log: LogStore,
    private readonly group: number,
    private readonly clock: Clock,
  ) {}

  seal(
    kind: number,
    index: number,
    term: number,
    commitIndex: number,
    payload: readonly Buffer[],
    count: number,
  ): Buffer {
    const tail = this.tailBefore(index);
    // The first entry of all has no time before it to go on from.
    const takesClock = tellsTime(kind) || tail.time === 0;
    const time = takesClock ? Math.max(this.clock.wallMicros(), tail.time + 1) : tail.time + 1;
    const batch = sealBatch(
      {
        kind,
        index,
        term,
        baseOffset: tail.nextOffset,
        count,
        time,
        commitIndex,
        group: this.group,
        previousHash: tail.hash,
      },
      payload,
    );
    this.tail = {
      index,
      hash: batch.subarray(HASH_AT, HASH_AT + HASH_BYTES),
      nextOffset: tail.nextOffset + count,
      time,
    };
    return batch;
  }

  /** The log's own end, or the batch that was sealed a moment ago and is not appended yet. */
  private tailBefore(index: number): Tail {
    if (this.log.lastIndex === index - 1) {
      return {
        index: index - 1,
        hash: this.log.lastHash,
        nextOffset: this.log.nextOffset,
        time: this.log.lastTime,
      };
    }
    if (this.tail?.index === index - 1) return this.tail;
    throw new Error(
      `A batch with index ${index} was to be sealed, but the log ends at ${this.log.lastIndex}` +
        ` and the last sealed batch is ${this.tail?.index ?? 'none'}: the chain has a gap.`,
    );
  }
}
