import { isVoter } from './configuration';
import { invariant } from './errors';
import type { Configuration, NodeId } from './types';

interface InForce {
  readonly index: number;
  readonly configuration: Configuration;
}

/**
 * Which configuration is in force: the latest in the log, committed or not (dissertation 4.1). Keeps those that may be
 * asked for or come back into force: the last applied one, and all above it, as far as their entries are in the log.
 */
export class Membership {
  /** Ascending, never empty; the first is at or below the applied index. */
  private history: InForce[];

  constructor(base: InForce, above: readonly InForce[]) {
    this.history = [base];
    for (const { index, configuration } of above) this.append(index, configuration);
  }

  get current(): Configuration {
    return this.latest.configuration;
  }

  /** The index of the entry that put the current configuration into force. */
  get index(): number {
    return this.latest.index;
  }

  append(index: number, configuration: Configuration): void {
    invariant(
      index > this.index,
      () => `A configuration at entry ${index} cannot follow the one at entry ${this.index}.`,
    );
    this.history.push({ index, configuration });
  }

  /** The entries from `index` on are gone, and the configurations in them with them. True when that changed the current one. */
  truncateFrom(index: number): boolean {
    const kept = this.history.filter((known) => known.index < index);
    invariant(
      kept.length > 0,
      () => `Entry ${index} was truncated, but the configuration of entry ${this.history[0]?.index} is committed.`,
    );
    const changed = kept.length < this.history.length;
    this.history = kept;
    return changed;
  }

  /** Forgets what only a configuration at or below `applied` could need. */
  compactTo(applied: number): void {
    while ((this.history[1]?.index ?? Number.POSITIVE_INFINITY) <= applied) this.history.shift();
  }

  reset(base: InForce): void {
    this.history = [base];
  }

  /** In force after the entry at `index`; only for indexes from the last compaction on. */
  at(index: number): Configuration {
    const found = this.history.findLast((known) => known.index <= index);
    invariant(
      found !== undefined,
      () =>
        `The configuration at entry ${index} was asked for; only those from entry ${this.history[0]?.index} on are kept.`,
    );
    return found.configuration;
  }

  /**
   * Whether the node votes in the last committed configuration or in any after it. Of the latest alone would not do: when
   * a leader that removes itself fails, its own campaign may be the only one that can commit the removal (4.2.2).
   */
  isVoterSince(commit: number, id: NodeId): boolean {
    const committed = this.history.findLastIndex((known) => known.index <= commit);
    return this.history.slice(Math.max(0, committed)).some((known) => isVoter(known.configuration, id));
  }

  private get latest(): InForce {
    const latest = this.history.at(-1);
    invariant(latest !== undefined, () => 'There is no configuration at all, not even the empty one.');
    return latest;
  }
}
