import { MAX_VOTERS } from '../../src/node/membership-policy';
import type { Rules } from '../../src/ledger/rules-versions';
import { Aim } from './aim';
import type { SimNode } from './sim-node';
import { NEW_RULES, OLD_RULES } from './sim-rules';
import { MILLISECOND, SECOND } from './virtual-time';

const FEWEST_MEMBERS = 3;
const PRESS_MICROS = 100 * MILLISECOND;
const RUSHED_ORDERS = 30;
const RUSH_MICROS = 3 * MILLISECOND;
const LONGEST_AFTERLIFE = 4 * SECOND;
const LONGEST_DOUBT = 4 * SECOND;
const LONGEST_ROLL_OUT = 8 * SECOND;

/** What operators do about who belongs to the cluster, while everything else goes wrong as well. */
export class MembershipOrders extends Aim {
  private active = true;
  private rolledOut = false;

  /** No new orders; those that were given are carried out. */
  end(): void {
    for (const node of this.targets.nodes) {
      node.doubts.clear();
      // A cluster may have gone on to newer rules meanwhile, and does not take in whoever does not know them.
      if (node.duty === 'serving' && !this.targets.isMember(node)) this.install(node, NEW_RULES);
    }
    this.active = false;
  }

  /** An empty machine is started, and told where the cluster is. */
  join(): void {
    const node = this.any(this.targets.nodes.filter(({ duty }) => duty === 'spare'));
    if (!node) return;
    node.duty = 'serving';
    this.report(node.name, 'machine joins');
    node.boot();
  }

  /** A machine is taken out of the cluster for good; its process goes on for a while as if nothing had happened. */
  remove(): void {
    const { nodes, damage } = this.targets;
    const serving = nodes.filter(({ duty }) => duty === 'serving');
    const node = this.any(serving);
    if (!node || serving.length <= FEWEST_MEMBERS || !damage.isWhole) return;
    if (nodes.some(({ duty }) => duty === 'leaving')) return;
    node.duty = 'leaving';
    this.report(node.name, 'machine is removed');
    this.press(node);
  }

  /** The voters become others, at a stroke: through a joint configuration. */
  setVoters(): void {
    const { nodes, damage } = this.targets;
    const leader = this.leader();
    if (!leader?.running || !damage.isWhole || nodes.some(({ duty }) => duty === 'leaving')) return;
    const { servers } = leader.running.replica.status().configuration;
    const known = servers.filter(({ id }) => nodes.some((node) => node.id === id && node.duty === 'serving'));
    const voters = known.map(({ id }) => id).filter(() => this.random.chance(0.7));
    if (voters.length === 0 || voters.length > MAX_VOTERS) return;
    const refusal = leader.running.replica.changeConfiguration({ type: 'setVoters', voters });
    if (refusal === undefined) this.report(leader.name, 'voters set at a stroke');
  }

  /** One order after the other, without waiting until the one before is done: all that come too early have to be refused. */
  rush(): void {
    let left = RUSHED_ORDERS;
    const next = (): void => {
      if (!this.active || left <= 0) return;
      left -= 1;
      this.setVoters();
      this.targets.time.after(this.random.below(RUSH_MICROS), next);
    };
    this.report('world', 'orders in a rush');
    next();
  }

  /** The machine comes back under its name, with nothing. */
  loseDisk(): void {
    const { nodes, damage } = this.targets;
    const node = this.any(nodes.filter(({ duty }) => duty === 'serving'));
    if (!node || !damage.mayHurt(node)) return;
    damage.hurts(node);
    node.loseDisk();
    this.report(node.name, 'disk lost');
  }

  /** Its peers find it at another address from its next start on. */
  move(): void {
    const node = this.any(this.targets.nodes.filter(({ life, duty }) => !life && duty !== 'spare'));
    if (!node) return;
    node.port += 1;
    this.report(node.name, 'address changed');
    node.boot();
  }

  /** Starts a process. One that was too old is replaced before, with that probability. */
  start(node: SimNode, upgrades: number): void {
    if (node.needsUpgrade && this.random.chance(upgrades)) {
      node.needsUpgrade = false;
      node.rules = NEW_RULES;
    }
    node.boot();
  }

  /** First a newer program is rolled out, machine after machine; later one or the other gets the old one back, or the new. */
  upgrade(): void {
    const { nodes, time } = this.targets;
    if (this.rolledOut) {
      this.install(this.any(nodes)!, this.random.chance(0.5) ? NEW_RULES : OLD_RULES);
      return;
    }
    this.rolledOut = true;
    for (const node of nodes) time.after(this.random.below(LONGEST_ROLL_OUT), () => this.install(node, NEW_RULES));
  }

  private install(node: SimNode, rules: Rules): void {
    if (!this.active || node.rules === rules) return;
    this.report(node.name, rules === NEW_RULES ? 'program upgraded' : 'program downgraded');
    node.kill();
    node.rules = rules;
    if (node.duty !== 'spare') node.boot();
  }

  /** Gossip is wrong about who is gone. */
  doubt(): void {
    const node = this.any(this.targets.nodes)!;
    const other = this.any(this.targets.nodes)!;
    if (node === other) return;
    node.doubts.add(other.name);
    this.report(node.name, 'gossip errs');
    this.targets.time.after(this.random.below(LONGEST_DOUBT), () => node.doubts.delete(other.name));
  }

  /**
   * Asks whoever leads, again and again, until it is done. The machine says farewell once it is out of the leader's
   * configuration, not before: while it may be needed, the others have to find it.
   */
  private press(node: SimNode): void {
    const { time, trace } = this.targets;
    const replica = this.leader()?.running?.replica;
    const server = replica?.status().configuration.servers.find(({ name }) => name === node.name);
    const removed =
      replica && (!server || replica.changeConfiguration({ type: 'remove', id: server.id }) === undefined);
    node.saysFarewell = removed === true;
    if (removed && !this.targets.isMember(node)) {
      node.duty = 'removed';
      trace.add(node.name, 'is no member any more');
      time.after(this.random.below(LONGEST_AFTERLIFE), () => this.retire(node));
      this.keepOut(node);
      return;
    }
    time.after(PRESS_MICROS, () => this.press(node));
  }

  /**
   * A leader that has not heard of the farewell takes it in again, and one that asked it just before it was emptied does so
   * afterwards: whoever orders a removal has to see that it stays removed.
   */
  private keepOut(node: SimNode): void {
    if (node.duty !== 'removed' && node.duty !== 'spare') return;
    if (this.targets.isMember(node)) {
      node.duty = 'leaving';
      this.press(node);
    } else this.targets.time.after(PRESS_MICROS, () => this.keepOut(node));
  }

  /** Not while a leader has taken it in again: then it is asked to leave once more before. */
  private retire(node: SimNode): void {
    if (!this.active || node.duty !== 'removed' || this.targets.isMember(node)) return;
    node.loseDisk();
    node.duty = 'spare';
    node.saysFarewell = false;
    this.targets.trace.add(node.name, 'is stopped and emptied');
  }

  private leader(): SimNode | undefined {
    return this.any(this.targets.nodes.filter(({ life, running }) => !life?.isPaused && running?.replica.isLeader));
  }
}
