import type { NodeId } from '../../src/raft/core';
import { Scene } from './scene';
import type { SimNode } from './sim-node';
import { MILLISECOND } from './virtual-time';

/** Who plays which part. */
interface Cast {
  readonly leader: SimNode;
  /** The new half of the joint configuration, which is less than a majority of the old one. */
  readonly chosen: readonly SimNode[];
  /** Those of the old half only. */
  readonly outgoing: readonly SimNode[];
}

/**
 * A joint configuration whose halves do not hear each other (dissertation 4.3): those who are to vote from now on can neither
 * commit nor elect without a majority of those who voted before, however well they hear each other.
 */
export class JointSplit extends Scene {
  protected prepare(): (() => Promise<void>) | undefined {
    const { nodes, damage } = this.targets;
    const cluster = this.wholeCluster();
    if (!cluster || !damage.isWhole || nodes.some(({ duty }) => duty === 'leaving')) return undefined;
    const { leader, voters } = cluster;
    const most = Math.floor(voters.length / 2);
    if (most < 1) return undefined;
    const chosen = new Set<SimNode>(this.random.chance(0.5) ? [leader] : []);
    const size = 1 + this.random.below(most);
    while (chosen.size < size) chosen.add(this.any(voters)!);
    const outgoing = voters.filter((node) => !chosen.has(node));
    return () => this.play({ leader, chosen: [...chosen], outgoing });
  }

  private async play({ leader, chosen, outgoing }: Cast): Promise<void> {
    const { trace } = this.targets;
    const { replica } = leader.running!;
    const { term } = replica.status();
    const voters = chosen.map(({ id }) => id);
    if (replica.changeConfiguration({ type: 'setVoters', voters }) !== undefined) return;
    this.report(leader.name, 'joint configuration split');
    this.group([chosen, outgoing]);
    // What the leader of the other half sends still arrives, and no answer comes back.
    if (!chosen.includes(leader)) for (const node of chosen) this.targets.network.openLink(leader.name, node.name);
    const joint = (node: SimNode): boolean => isJointFor(node, voters);
    if (!(await this.until(() => chosen.every(joint)))) return;
    trace.add('world', `only these know who votes from now on: ${chosen.map(({ name }) => name).join(' ')}`);
    this.group([chosen, outgoing]);
    await this.targets.time.sleep(this.random.below(20 * MILLISECOND));
    if (chosen.includes(leader) && leader.life) {
      leader.kill();
      leader.boot();
    }
    // Nobody is elected, so this waits as long as it may.
    await this.until(() =>
      chosen.some(({ running }) => running?.replica.isLeader && running.replica.status().term > term),
    );
  }
}

/** Its log has the joint configuration, on its disk. */
function isJointFor({ running }: SimNode, voters: readonly NodeId[]): boolean {
  const status = running?.replica.status();
  if (!status || status.configuration.votersOutgoing.length === 0) return false;
  return status.durable >= status.configurationIndex && voters.every((id) => status.configuration.voters.includes(id));
}
