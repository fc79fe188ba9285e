import { balanceStream, type BalanceChanges, type WatchOptions } from './balance-stream';
import { type ClientEnvironment } from './environment';
import { invalidArgument } from './errors';
import { type FollowOptions } from './followed-stream';
import { OperatorCalls } from './operator-calls';
import { type ConsumeOptions, recordStream } from './record-stream';
import { type RecordView } from './types';

/** Following the log and the money: a part of every client. */
export abstract class FollowCalls extends OperatorCalls {
  protected abstract readonly environment: ClientEnvironment;
  /** Aborted when the client is closed. */
  protected readonly ending = new AbortController();

  /**
   * Records from an offset on, without a gap and without end: leave the loop, or abort `signal`, or close the client. With a
   * filter only those that fit.
   */
  consumeStream(from: number, options: ConsumeOptions = {}): AsyncGenerator<RecordView, void, undefined> {
    return recordStream(checkedOffset(from), this.following(options), options);
  }

  /**
   * The balances of these accounts, and again whenever they have changed: leave the loop, or abort `signal`, or close the
   * client. Who is slow to come back for more skips changes, never the newest state. Up to 1,000 names.
   */
  watchBalances(names: readonly string[], options: WatchOptions = {}): AsyncGenerator<BalanceChanges, void, undefined> {
    return balanceStream(names, this.following(options), this.seen, options);
  }

  private following(options: { readonly signal?: AbortSignal; readonly timeoutMs?: number }): FollowOptions {
    const own = this.ending.signal;
    return {
      directory: this.directory,
      environment: this.environment,
      patienceMs: options.timeoutMs ?? this.timeoutMs,
      signal: options.signal ? AbortSignal.any([own, options.signal]) : own,
    };
  }
}

export function checkedOffset(offset: number): number {
  if (Number.isSafeInteger(offset) && offset >= 0) return offset;
  throw invalidArgument(`An offset is a whole number from 0 on, not ${offset}.`);
}
