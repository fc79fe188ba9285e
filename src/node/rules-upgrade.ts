import { encodeRulesVersion, type Rules } from '../ledger/rules-versions';
import { EntryKind, type NodeId, type Server } from '../raft/core';
import type { EventLog } from '../raft/replica/environment';
import { ReplicaError } from '../raft/replica/errors';
import type { Replica } from '../raft/replica/replica';
import { CallError } from '../raft/transport';
import { PEER_CALLS, decodeJson, encodeJson, rulesVersionField, textField } from './peer-calls';

export interface RulesUpgradeOptions {
  readonly replica: Pick<Replica, 'id' | 'isLeader' | 'status' | 'appliedIndex' | 'linearizable' | 'submit'>;
  readonly rules: Rules;
  /** The version that this node's state stands under. */
  readonly activeVersion: () => number;
  /** Calls a member by its id, so that nobody else can answer for it. */
  readonly call: (to: NodeId, method: number, body: Buffer) => Promise<Buffer>;
  readonly events: EventLog;
}

const DEADLINE_MILLIS = 5_000;

/**
 * On the leader: switches the newest version of the rules on that every member can apply, by one entry in the log. Each
 * member, learners too, is asked right before: a member that does not answer is waited for, because nobody knows what it
 * will be started with. See docs/internals/upgrades.md.
 */
export class RulesUpgrade {
  private working = false;
  /** The highest version that this node has put into the log while it leads. */
  private proposed = 0;
  /** What became of an entry of ours is not known before the log is applied up to here. */
  private unknownUpTo = 0;
  private waitsFor = '';

  constructor(private readonly options: RulesUpgradeOptions) {}

  /** What a newcomer has to know, at least: rules that hold, or that are about to. */
  get required(): number {
    return Math.max(this.options.activeVersion(), this.options.replica.isLeader ? this.proposed : 0);
  }

  /** One look, and at most one entry. Called again and again; does nothing on a follower, or when the newest rules hold. */
  async step(): Promise<void> {
    const { replica, rules, activeVersion, events } = this.options;
    if (!replica.isLeader) this.proposed = 0;
    if (this.working || !replica.isLeader || activeVersion() >= rules.newest) return;
    this.working = true;
    try {
      await this.look();
    } catch (error) {
      if (!(error instanceof ReplicaError)) throw error;
      // Leadership was lost, or no majority answers: a later look tries again, here or on the next leader.
      events.debug({ reason: error.reason }, 'new rules were not switched on yet');
    } finally {
      this.working = false;
    }
  }

  private async look(): Promise<void> {
    const { replica, events, activeVersion } = this.options;
    // After this the leader has committed in its term, and its state shows every switch that was committed before.
    await replica.linearizable(DEADLINE_MILLIS);
    if (replica.appliedIndex < this.unknownUpTo) return;
    const { configuration, configurationIndex } = replica.status();
    const version = await this.supportedByAll(configuration.servers);
    const current = replica.status();
    // Who came while the others were asked has not been asked.
    if (!replica.isLeader || current.configurationIndex !== configurationIndex || version <= activeVersion()) return;
    this.proposed = version;
    this.unknownUpTo = Number.MAX_SAFE_INTEGER;
    try {
      const { index } = await replica.submit(EntryKind.version, encodeRulesVersion(version), 0, DEADLINE_MILLIS);
      this.unknownUpTo = index;
      events.info({ version, index }, 'new rules of money hold from here on');
    } catch (error) {
      this.unknownUpTo = replica.status().lastIndex;
      throw error;
    }
  }

  /** The lowest of what the members can apply; 0 where one of them does not say. */
  private async supportedByAll(servers: readonly Server[]): Promise<number> {
    const versions = await Promise.all(servers.map((server) => this.supportedBy(server)));
    const lowest = Math.min(...versions.map((answer) => answer.version));
    this.tellWhoIsWaitedFor(versions.filter((answer) => answer.version < this.options.rules.newest));
    return lowest;
  }

  private async supportedBy({ id, name }: Server): Promise<{ readonly name: string; readonly version: number }> {
    const { replica, rules, call } = this.options;
    if (id === replica.id) return { name, version: rules.newest };
    try {
      const answer = decodeJson(await call(id, PEER_CALLS.identify, encodeJson({})));
      return { name, version: textField(answer, 'nodeId') === id ? rulesVersionField(answer) : 0 };
    } catch (error) {
      if (error instanceof CallError) return { name, version: 0 };
      throw error;
    }
  }

  /** Once, and again only when it is somebody else. */
  private tellWhoIsWaitedFor(behind: readonly { readonly name: string; readonly version: number }[]): void {
    const who = behind.map(({ name, version }) => (version === 0 ? `${name} (no answer)` : `${name} (${version})`));
    const text = who.join(', ');
    if (text === this.waitsFor) return;
    this.waitsFor = text;
    if (text === '') return;
    this.options.events.info(
      { newest: this.options.rules.newest, active: this.options.activeVersion(), waitsFor: who },
      'newer rules of money wait until every member runs a program that knows them',
    );
  }
}
