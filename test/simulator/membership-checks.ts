import type { Configuration, CoreStatus, NodeId } from '../../src/raft/core';
import type { SimNode } from './sim-node';
import { violated } from './violation';

interface ConfigurationEntry {
  readonly index: number;
  readonly term: number;
  readonly configuration: Configuration;
}

/** How a leader stood when it was looked at last. */
interface Led {
  readonly replica: object;
  readonly term: number;
  readonly index: number;
  readonly configuration: Configuration;
}

/** The rules for changes of membership (dissertation 4.1 to 4.3, and the erratum of 2015), seen from outside all nodes. */
export class MembershipChecks {
  /** Every configuration that was ever in a log, ascending by index. */
  private readonly entries: ConfigurationEntry[] = [];
  private readonly led = new Map<SimNode, Led>();
  changes = 0;

  /** A configuration was found in some log, or on its way to one. */
  note(index: number, term: number, configuration: Configuration): void {
    let at = this.entries.length;
    while (at > 0 && this.entries[at - 1]!.index > index) at -= 1;
    for (let same = at - 1; same >= 0 && this.entries[same]!.index === index; same -= 1) {
      if (this.entries[same]!.term === term) return;
    }
    this.entries.splice(at, 0, { index, term, configuration });
    this.changes += 1;
  }

  /** Those that may be in force yet, when everything up to `committed` is decided. */
  inForceAbove(committed: number): Configuration[] {
    const last = this.entries.findLastIndex(({ index }) => index <= committed);
    return this.entries.slice(Math.max(0, last)).map(({ configuration }) => configuration);
  }

  look(node: SimNode, status: CoreStatus): void {
    const { replica, storage } = node.running!;
    const { role, term, configuration, configurationIndex: index } = status;
    if (role === 'leader') {
      const before = this.led.get(node);
      if (before?.replica === replica && before.term === term && before.index !== index) {
        this.note(index, term, configuration);
        this.expectAllowed(node, status, before);
      }
      if (before?.index !== index || before.term !== term || before.replica !== replica) {
        this.led.set(node, { replica, term, index, configuration });
      }
    }
    // While the end of the log is being replaced, the core is ahead of the disk.
    if (storage.log.lastIndex === status.lastIndex && !status.installingSnapshot) this.expectNewest(node, status);
  }

  /** The configuration in force is the newest in the log, committed or not, and none that is not there any more. */
  private expectNewest(node: SimNode, { configuration, configurationIndex, lastIndex }: CoreStatus): void {
    const { log } = node.running!.storage;
    if (configurationIndex > lastIndex) {
      violated(
        'configuration rolled back',
        `${node.name} goes by the configuration of entry ${configurationIndex}, and its log ends at ${lastIndex}`,
      );
    }
    const newest = this.entries.findLast(({ index, term }) => index <= lastIndex && log.termAt(index) === term);
    // Index 0 stands for what a node begins with: the first configuration, or none.
    if (!newest || newest.index === 0) return;
    if (configurationIndex < newest.index) {
      violated(
        'configuration at append',
        `${node.name} goes by the configuration of entry ${configurationIndex}; its log has that of ${newest.index}`,
      );
    }
    if (configurationIndex === newest.index && text(configuration) !== text(newest.configuration)) {
      violated('configuration at append', `${node.name} has another configuration than that of entry ${newest.index}`);
    }
  }

  private expectAllowed(node: SimNode, status: CoreStatus, before: Led): void {
    const { commit, term, configurationIndex: index, configuration } = status;
    const what = `${node.name} changed the configuration of entry ${before.index} with entry ${index}`;
    if (before.index > commit) {
      violated('one change at a time', `${what} before the first was committed (${commit} was)`);
    }
    if (node.running!.storage.log.termAt(commit) !== term) {
      violated('no change before the first commit of a term', `${what} in term ${term}; ${commit} was committed`);
    }
    const fault = changeFault(before.configuration, configuration);
    if (fault !== undefined) violated('one voter at a time', `${what}: ${fault}`);
  }
}

/** What is wrong with two configurations that follow each other. */
function changeFault(from: Configuration, to: Configuration): string | undefined {
  if (from.votersOutgoing.length > 0) {
    const left = to.votersOutgoing.length === 0 && to.voters.join() === from.voters.join();
    return left ? undefined : 'a joint configuration was followed by another than its second half';
  }
  if (to.votersOutgoing.length > 0) {
    const joined = to.votersOutgoing.join() === from.voters.join();
    return joined ? undefined : 'the first half of a joint configuration is not the one before';
  }
  const changed = difference(from.voters, to.voters) + difference(to.voters, from.voters);
  return changed <= 1 ? undefined : `${changed} voters changed at once`;
}

function difference(these: readonly NodeId[], those: readonly NodeId[]): number {
  return these.filter((id) => !those.includes(id)).length;
}

function text(configuration: Configuration): string {
  return JSON.stringify(configuration);
}
