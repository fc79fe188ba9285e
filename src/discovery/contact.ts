import { type Clock, type EventLog, type Random } from './environment';

export interface ContactOptions {
  readonly self: string;
  /** The operator's addresses and those remembered from an earlier run; this node's own among them is ignored. */
  readonly seeds: readonly string[];
  readonly retryMinMs: number;
  readonly retryMaxMs: number;
  readonly resyncMs: number;
  readonly sync: (hosts: readonly string[]) => void;
  readonly liveHosts: () => readonly string[];
  readonly failedHosts: () => readonly string[];
  readonly clock: Clock;
  readonly random: Random;
  readonly log: EventLog;
}

const ASKED_AT_ONCE = 16;
/** Above this many members a full exchange gets rarer, so that its traffic does not grow with the square of their number. */
const MEMBERS_AT_FULL_RATE = 32;

/**
 * Finds the cluster and stays in touch with all of it. Until a member of a cluster answers, the seeds are asked again and
 * again, with growing pauses, for ever. From then on everything known is exchanged with one live member and one that is held
 * for dead or was never reached: gossip itself would never talk to those again, and a healed partition would stay apart.
 */
export class Contact {
  private readonly seeds: readonly string[];
  private attempts = 0;
  private nextJoinAt = -Infinity;
  private nextResyncAt: number;
  private found: boolean;

  constructor(private readonly options: ContactOptions) {
    this.seeds = [...new Set(options.seeds)].filter((seed) => seed !== options.self);
    this.found = this.seeds.length === 0;
    this.nextResyncAt = options.clock.monotonicMillis() + options.resyncMs;
  }

  /** True once a member of a cluster answered, and from the start where there is nobody to ask. */
  get joined(): boolean {
    return this.found;
  }

  heardFromCluster(sender: string, clusterId: string): void {
    if (this.found) return;
    this.found = true;
    this.options.log.info({ sender, clusterId, attempts: this.attempts }, 'a member of the cluster answered');
  }

  /** @param now milliseconds on a clock that never goes back */
  round(now: number): void {
    if (!this.found && now >= this.nextJoinAt) this.join(now);
    if (now >= this.nextResyncAt) this.resync(now);
  }

  private join(now: number): void {
    const { retryMinMs, retryMaxMs, random, log } = this.options;
    const pause = Math.min(retryMaxMs, retryMinMs * 2 ** Math.min(this.attempts, 20)) * (0.75 + 0.5 * random.next());
    const fields = { seeds: this.seeds, attempt: this.attempts + 1, retryInMs: Math.round(pause) };
    if (this.attempts === 0) log.info(fields, 'asking for the cluster');
    else log.warn(fields, 'nobody of a cluster has answered yet; asking again');
    this.attempts += 1;
    this.nextJoinAt = now + pause;
    this.options.sync(this.sample(this.seeds, ASKED_AT_ONCE));
  }

  private resync(now: number): void {
    const { resyncMs, random, sync } = this.options;
    const live = this.options.liveHosts();
    const pause = resyncMs * Math.max(1, (live.length + 1) / MEMBERS_AT_FULL_RATE);
    this.nextResyncAt = now + pause * (0.75 + 0.5 * random.next());
    const lost = new Set([...this.options.failedHosts(), ...this.seeds]);
    for (const host of live) lost.delete(host);
    const chosen = [...this.sample(live, 1), ...this.sample([...lost], 1)];
    if (chosen.length > 0) sync(chosen);
  }

  private sample(hosts: readonly string[], count: number): string[] {
    return pickAtRandom(hosts, count, this.options.random);
  }
}

/** Up to `count` of the hosts, each set of them as likely as any other (Fisher and Yates). */
export function pickAtRandom(hosts: readonly string[], count: number, random: Random): string[] {
  const pool = [...hosts];
  const chosen = Math.min(count, pool.length);
  for (let at = 0; at < chosen; at++) {
    const other = at + Math.floor(random.next() * (pool.length - at));
    const [a, b] = [pool[at], pool[other]];
    if (a === undefined || b === undefined) throw new Error('The random source gave a number outside of [0, 1).');
    pool[at] = b;
    pool[other] = a;
  }
  return pool.slice(0, chosen);
}
