import type { SeededRandom } from '../support/seeded-random';
import type { FaultTargets } from './aim';
import { Scene } from './scene';
import type { SimClient } from './sim-client';
import type { SimNode } from './sim-node';
import { MILLISECOND } from './virtual-time';

/** Of 5: those who elect the next leader have to be a majority without the two that are set apart. */
const FEWEST_VOTERS = 5;
const PROPOSALS = 3;
const PATIENCE_MILLIS = 500;
/** Of rounds of reads that are not answered, the next one begins after so long. */
const ROUND_MILLIS = 150;
const READERS = 3;

/** Who plays which part. */
interface Cast {
  /** Answers, and is deposed before its answers arrive. */
  readonly first: SimNode;
  /** Asks, and is another process when the answers arrive. */
  readonly reader: SimNode;
  readonly others: readonly SimNode[];
}

/**
 * A leader confirms rounds of reads to a follower, over a link that is so slow that the answers arrive when the leader is deposed,
 * more is committed, and the follower has been started again and asks anew. What was true then is stale now.
 */
export class LateWord extends Scene {
  constructor(
    targets: FaultTargets,
    random: SeededRandom,
    private readonly client: SimClient,
  ) {
    super(targets, random);
  }

  protected prepare(): (() => Promise<void>) | undefined {
    const cluster = this.wholeCluster();
    if (!cluster || cluster.voters.length < FEWEST_VOTERS) return undefined;
    const { leader: first, voters } = cluster;
    const reader = this.any(voters.filter((node) => node !== first))!;
    this.report(first.name, 'late word of a leader');
    return () => this.play({ first, reader, others: voters.filter((node) => node !== first && node !== reader) });
  }

  private async play({ first, reader, others }: Cast): Promise<void> {
    const { network, trace, time } = this.targets;
    const term = first.running!.replica.status().term;
    const slow = (1_200 + this.random.below(400)) * MILLISECOND;
    reader.kill();
    reader.boot();
    if (!(await this.until(() => reader.running?.replica.status().leader === first.id))) return;
    network.slowLink(first.name, reader.name, slow);
    const asked = time.now;
    this.read(reader);
    await time.sleep((5 + this.random.below(2 * ROUND_MILLIS)) * MILLISECOND);
    trace.add(reader.name, 'has asked, and is ended before the answers arrive');
    reader.kill();
    network.mend();
    for (const node of others) {
      for (const apart of [first, reader]) {
        network.cutLink(node.name, apart.name);
        network.cutLink(apart.name, node.name);
      }
    }
    network.cutLink(reader.name, first.name);
    const next = (): SimNode | undefined =>
      others.find((node) => this.leads(node) && node.running!.replica.status().term > term);
    if (!(await this.until(() => next() !== undefined))) return;
    if (!(await this.client.propose(next()!, PROPOSALS, PATIENCE_MILLIS))) return;
    trace.add(next()!.name, 'has committed more');
    const again = asked + slow - this.random.below(2 * ROUND_MILLIS * MILLISECOND);
    await time.sleep(Math.max(0, again - time.now));
    if (!this.playing || reader.life) return;
    reader.boot();
    if (!(await this.until(() => reader.running !== undefined))) return;
    this.read(reader);
    await time.sleep(Math.max(0, asked + slow + 3 * ROUND_MILLIS * MILLISECOND - time.now));
  }

  /** What they are told is held against the history; whether they are is not for this play to say. */
  private read(node: SimNode): void {
    for (let at = 0; at < READERS; at += 1) void this.client.readBalance(node);
  }
}
