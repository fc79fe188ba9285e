/**
 * A refusal that burns an id is remembered for ever, so whoever can make refusals can fill the memory of every node. Each
 * caller has a quota of them at each node: so many an hour, all of them at once if need be (a token bucket).
 */
import { type OutcomeRow } from '../ledger/outcome-row';
import { burnsId } from '../ledger/result-codes';
import { Fault } from './errors';
import { ItemFault } from './item-fault';

/** About 100 bytes each: 100 MB an hour from one caller at most. */
export const DEFAULT_REFUSALS_PER_HOUR = 1_000_000;

/** Callers that are kept apart; beyond, those that were refused nothing for longest begin anew. */
const MAX_SUBJECTS = 4096;
const HOUR_MS = 3_600_000;

interface Bucket {
  /** Below zero after a batch with more refusals than were left: it was admitted whole. */
  left: number;
  /** Milliseconds on the clock, when `left` was right. */
  at: number;
}

export class RefusalQuota {
  /** In the order in which they were last charged. */
  private readonly buckets = new Map<string, Bucket>();

  /**
   * @param perHour Infinity: no quota
   * @param now milliseconds on a clock that only goes forward
   */
  constructor(
    private readonly perHour = DEFAULT_REFUSALS_PER_HOUR,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Throws RESOURCE_EXHAUSTED, and when to come again, for a caller that has used up its quota. */
  admit(subject: string): void {
    const bucket = this.buckets.get(subject);
    if (bucket === undefined) return;
    const left = this.leftIn(bucket);
    if (left >= 1) return;
    const retryAfterMs = Math.ceil(((1 - left) * HOUR_MS) / this.perHour);
    const message =
      `This caller has had ${this.perHour} transfers refused within an hour that cost their ids; ` +
      'nothing was done. Look why they are refused.';
    throw new Fault('RESOURCE_EXHAUSTED', 'REFUSAL_QUOTA', message, { retryAfterMs });
  }

  /** Counts refusals that were made just now, and bound an id. */
  charge(subject: string, refusals: number): void {
    if (refusals === 0 || this.perHour === Infinity) return;
    const bucket = this.buckets.get(subject);
    const left = (bucket === undefined ? this.perHour : this.leftIn(bucket)) - refusals;
    this.buckets.delete(subject);
    this.buckets.set(subject, { left, at: this.now() });
    if (this.buckets.size <= MAX_SUBJECTS) return;
    for (const oldest of this.buckets.keys()) {
      this.buckets.delete(oldest);
      break;
    }
  }

  private leftIn({ left, at }: Bucket): number {
    return Math.min(this.perHour, left + ((this.now() - at) * this.perHour) / HOUR_MS);
  }
}

/** How many of these bound an id just now; a repeat of an old refusal costs nothing more. */
export function burnedIn(outcomes: readonly (OutcomeRow | ItemFault)[]): number {
  return outcomes.filter((one) => !(one instanceof ItemFault) && !one.replayed && burnsId(one.result)).length;
}

/** Who is asking, as far as it is known: there are no certificates yet, so the address that the connection comes from. */
export function subjectOf(address: string | undefined): string {
  if (address === undefined || address === '' || address === 'unknown') return 'nobody';
  return address.replace(/^::ffff:/, '');
}
