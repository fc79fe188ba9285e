/**
 * Latencies of any number of operations in a fixed amount of memory: buckets that are 1/64 of their power of two wide, so
 * that a percentile is right within 1.6 %. Source: the idea of HdrHistogram.
 */
const SUB_BUCKETS = 64;
/** Microseconds; what took longer is counted as this (about 19 hours). */
const EXPONENTS = 36;

export class Latencies {
  private readonly counts = new Float64Array(SUB_BUCKETS * EXPONENTS);
  private total = 0;

  record(milliseconds: number): void {
    this.counts[bucketOf(milliseconds * 1000)]! += 1;
    this.total += 1;
  }

  get count(): number {
    return this.total;
  }

  /** Milliseconds that so large a share of the operations stayed within; 0 where there were none. */
  percentile(share: number): number {
    const rank = Math.max(1, Math.ceil(this.total * share));
    let seen = 0;
    for (let bucket = 0; bucket < this.counts.length; bucket++) {
      seen += this.counts[bucket]!;
      if (seen >= rank) return middleOf(bucket) / 1000;
    }
    return 0;
  }
}

function bucketOf(microseconds: number): number {
  const whole = Math.max(0, Math.round(microseconds));
  if (whole < SUB_BUCKETS) return whole;
  const exponent = Math.floor(Math.log2(whole)) - Math.log2(SUB_BUCKETS) + 1;
  const sub = Math.floor(whole / 2 ** exponent);
  return Math.min(SUB_BUCKETS * EXPONENTS - 1, exponent * SUB_BUCKETS + sub);
}

function middleOf(bucket: number): number {
  const exponent = Math.floor(bucket / SUB_BUCKETS);
  const sub = bucket % SUB_BUCKETS;
  return exponent === 0 ? sub : (sub + 0.5) * 2 ** exponent;
}
