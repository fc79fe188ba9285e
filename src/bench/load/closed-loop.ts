import { Latencies } from './latencies';

export interface LoadResult {
  /** What is counted: transfers, rows, records. */
  readonly items: number;
  /** Calls that carried them. */
  readonly calls: number;
  readonly seconds: number;
  readonly perSecond: number;
  /** Of one call, in milliseconds. */
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface ClosedLoop {
  /** Callers, each of which makes its next call when its last is answered. */
  readonly inFlight: number;
  readonly seconds: number;
  readonly signal: AbortSignal;
  /** Makes one call of the `n`-th; resolves to the items that it did. */
  readonly call: (n: number) => Promise<number>;
}

/** So many callers for so long, each with one call under way at any time. The first call that rejects ends it all. */
export async function runClosedLoop(loop: ClosedLoop): Promise<LoadResult> {
  const latencies = new Latencies();
  let items = 0;
  let next = 0;
  const start = performance.now();
  const end = start + loop.seconds * 1000;
  let failed = false;
  const caller = async (): Promise<void> => {
    for (let now = performance.now(); now < end && !failed && !loop.signal.aborted;) {
      const done = await loop.call(next++);
      items += done;
      const after = performance.now();
      latencies.record(after - now);
      now = after;
    }
  };
  const guarded = (): Promise<void> =>
    caller().catch((error: unknown) => {
      failed = true;
      throw error;
    });
  await Promise.all(Array.from({ length: loop.inFlight }, guarded));
  const seconds = (performance.now() - start) / 1000;
  return {
    ...{ items, calls: latencies.count, seconds, perSecond: items / seconds },
    ...{ p50Ms: latencies.percentile(0.5), p99Ms: latencies.percentile(0.99) },
  };
}
