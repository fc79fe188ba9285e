import type { SeededRandom } from '../support/seeded-random';
import type { FaultTargets } from './aim';
import type { Ambushes } from './ambushes';
import { Scene } from './scene';
import type { SimClient } from './sim-client';
import type { SimNode } from './sim-node';
import { MILLISECOND } from './virtual-time';

const PROPOSALS = 3;
const PATIENCE_MILLIS = 4_000;
const RECORDS_AT_ONCE = 20;
const MOST_BATCHES = 60;

/** Who plays which part. */
interface Cast {
  /** Leads, and is overtaken. */
  readonly first: SimNode;
  readonly others: readonly SimNode[];
}

/**
 * A leader sends and does not hear the answers. What it has proposed is committed by the next one, which then goes on so far that
 * it drops that part of its log: when the first one is back, it gets a snapshot that covers what its clients wait for.
 */
export class Overtaken extends Scene {
  constructor(
    targets: FaultTargets,
    random: SeededRandom,
    private readonly ambushes: Ambushes,
    private readonly client: SimClient,
  ) {
    super(targets, random);
  }

  protected prepare(): (() => Promise<void>) | undefined {
    const cluster = this.wholeCluster();
    if (!cluster || cluster.voters.length < 3 || this.targets.settings.storage.retentionBytes === undefined)
      return undefined;
    const { leader: first } = cluster;
    this.report(first.name, 'leader overtaken');
    return () => this.play({ first, others: this.up.filter((node) => node !== first) });
  }

  private async play({ first, others }: Cast): Promise<void> {
    const { network, trace, time } = this.targets;
    for (const node of others) network.cutLink(node.name, first.name);
    const replica = first.running!.replica;
    const { term, commit } = replica.status();
    const proposed = Array.from({ length: PROPOSALS }, () => this.client.propose(first, 1, PATIENCE_MILLIS));
    const arrived = (): boolean =>
      others.some(({ running }) => (running?.storage.log.durableIndex ?? 0) >= Math.max(commit + 1, end()));
    const end = (): number => replica.status().lastIndex;
    if (!(await this.until(() => end() > commit && arrived()))) return;
    await time.sleep(this.random.below(20 * MILLISECOND));
    this.group([[first], others]);
    const last = end();
    const next = (): SimNode | undefined =>
      others.find((node) => this.leads(node) && node.running!.replica.status().term > term);
    if (!(await this.until(() => (next()?.running?.replica.status().commit ?? 0) > last))) return;
    const second = next()!;
    trace.add(second.name, `is the next leader, and has committed beyond ${last}`);
    if (this.random.chance(0.5)) this.ambushes.layAtRemoval(this.any(others)!);
    if (!(await this.dropLog(second, others, last))) return;
    trace.add(second.name, 'has dropped what the first leader needs');
    if (this.random.chance(0.6)) this.ambushes.layAtInstallation(first);
    network.mend();
    const caughtUp = await this.until(() => (first.running?.storage.log.firstIndex ?? 0) > last);
    if (caughtUp) await Promise.all(proposed);
  }

  /** Writes, and takes snapshots, until the log of `second` begins behind `last`. */
  private async dropLog(second: SimNode, others: readonly SimNode[], last: number): Promise<boolean> {
    for (let batches = 0; batches < MOST_BATCHES && this.playing; batches += 1) {
      if ((second.running?.storage.log.firstIndex ?? 0) > last + 1) return true;
      await this.client.propose(second, RECORDS_AT_ONCE, 500);
      for (const node of others) {
        const { running, life } = node;
        if (!running || life?.isPaused || running.replica.appliedIndex === 0) continue;
        life?.run(() => void running.storage.snapshotter.take().catch(() => undefined));
      }
    }
    return false;
  }
}
