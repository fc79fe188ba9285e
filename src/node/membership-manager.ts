import type { GossipMember } from '../discovery/member';
import type { CoreStatus, Server } from '../raft/core';
import type { EventLog } from '../raft/replica/environment';
import type { Replica } from '../raft/replica/replica';
import { nextMembershipAction, type Candidate, type MembershipAction } from './membership-policy';
import { newestMembers } from './newest-members';
import { PEER_CALLS, decodeJson, encodeJson, rulesVersionField, textField } from './peer-calls';

export interface MembershipManagerOptions {
  readonly replica: Pick<Replica, 'id' | 'isLeader' | 'status' | 'changeConfiguration'>;
  readonly clusterId: string;
  readonly partitions: number;
  readonly members: () => readonly GossipMember[];
  /** Calls whoever answers at an RPC address. */
  readonly callAddress: (address: string, method: number, body: Buffer) => Promise<Buffer>;
  readonly setAddress: (id: string, address: string) => void;
  /** The version of the rules that a member has to know, as of now; see RulesUpgrade. */
  readonly requiredRules: () => number;
  readonly events: EventLog;
  /** Milliseconds on a clock that never goes back. */
  readonly now: () => number;
}

/** A learner counts as caught up when it lacks no more than this many entries. */
const CAUGHT_UP_LAG = 64;
/** A newcomer with which something went wrong is left alone for so long: it must not keep the others waiting. */
const RETRY_MILLIS = 1_000;
/** Of how many newcomers is remembered that they were refused or have to wait. */
const MAX_REMEMBERED = 1_024;

/**
 * On the leader: brings the configuration in line with who is there. What gossip says is a reason to ask; the node itself
 * says over RPC who it is; the log decides.
 */
export class MembershipManager {
  private working = false;
  private readonly refused = new Set<string>();
  private readonly retryAt = new Map<string, number>();

  constructor(private readonly options: MembershipManagerOptions) {}

  /** One look, and at most one change. Called again and again; does nothing on a follower. */
  async step(): Promise<void> {
    if (this.working || !this.options.replica.isLeader) return;
    this.working = true;
    let action: MembershipAction | undefined;
    try {
      action = this.nextAction();
      if (action) await this.carryOut(action);
    } catch (error) {
      // A peer that does not answer is the normal case here: a later look tries again.
      this.options.events.info({ err: error }, 'a change of membership did not work out yet');
      if (action && 'candidate' in action) this.putOff(action.candidate.nodeId);
      if (action?.kind === 'promote') this.putOff(action.id);
    } finally {
      this.working = false;
    }
  }

  private nextAction(): MembershipAction | undefined {
    const { replica, clusterId, members, now } = this.options;
    const status = replica.status();
    const peer = (id: string): CoreStatus['peers'][number] | undefined => status.peers.find((known) => known.id === id);
    for (const [id, at] of this.retryAt) if (at <= now()) this.retryAt.delete(id);
    return nextMembershipAction({
      self: replica.id,
      clusterId,
      configuration: status.configuration,
      candidates: newestMembers(members())
        .map(candidateOf)
        .filter((candidate) => !this.retryAt.has(candidate.nodeId)),
      heardLately: (id) => peer(id)?.recentActive === true,
      caughtUp: (id) => {
        const known = peer(id);
        return known !== undefined && known.recentActive && known.state === 'replicate' && known.lag <= CAUGHT_UP_LAG;
      },
    });
  }

  private putOff(nodeId: string): void {
    if (this.retryAt.size >= MAX_REMEMBERED) this.retryAt.clear();
    this.retryAt.set(nodeId, this.options.now() + RETRY_MILLIS);
  }

  private async carryOut(action: MembershipAction): Promise<void> {
    switch (action.kind) {
      case 'add':
        return this.add(action.candidate, action.replaces);
      case 'refuse':
        return this.refuseNamesake(action.candidate, action.namesake, action.reason);
      case 'tell_removed':
        return this.tellRemoved(action.candidate);
      case 'promote':
        return this.promote(action.id);
      case 'update_address': {
        const server = this.options.replica.status().configuration.servers.find((known) => known.id === action.id);
        if (!server) return;
        this.options.setAddress(action.id, action.rpcAddr);
        return this.change(
          { type: 'updateServer', server: { ...server, rpcAddr: action.rpcAddr } },
          { node: server.name },
        );
      }
    }
  }

  private async tellRemoved({ nodeId, name, rpcAddr }: Candidate): Promise<void> {
    this.putOff(nodeId);
    await this.options.callAddress(rpcAddr, PEER_CALLS.removed, encodeJson({ nodeId }));
    this.options.events.info({ node: name, id: nodeId }, 'told a node that it was removed from the cluster');
  }

  private async add(candidate: Candidate, replaces: string | undefined): Promise<void> {
    const { callAddress, clusterId, partitions, requiredRules } = this.options;
    const { nodeId, name, belongsTo, rulesVersion } = await this.identify(candidate.rpcAddr);
    if (nodeId !== candidate.nodeId || name !== candidate.name) {
      throw new Error(
        `Gossip says that node "${candidate.name}" (${candidate.nodeId}) is at ${candidate.rpcAddr}, but "${name}" (${nodeId}) answers there.`,
      );
    }
    if (belongsTo !== '' && belongsTo !== clusterId) {
      throw new Error(`Node "${name}" at ${candidate.rpcAddr} belongs to cluster ${belongsTo}.`);
    }
    if (rulesVersion < requiredRules()) {
      // One that belongs here already does not end, and must not keep those behind it waiting.
      this.putOff(candidate.nodeId);
      return this.refuse(candidate, rulesUnknown(requiredRules(), rulesVersion));
    }
    if (belongsTo === '') {
      await callAddress(candidate.rpcAddr, PEER_CALLS.adopt, encodeJson({ clusterId, partitions, nodeId }));
    }
    // Newer rules may have been switched on while it was asked.
    if (rulesVersion < requiredRules()) throw new Error(rulesUnknown(requiredRules(), rulesVersion));
    this.options.setAddress(nodeId, candidate.rpcAddr);
    const server: Server = { id: nodeId, name, rpcAddr: candidate.rpcAddr };
    this.change(replaces === undefined ? { type: 'addLearner', server } : { type: 'replace', old: replaces, server }, {
      node: name,
      id: nodeId,
      ...(replaces !== undefined && { replaces }),
    });
  }

  /** It was asked when it came, but it may have been started with an older program since. */
  private async promote(id: string): Promise<void> {
    const server = this.options.replica.status().configuration.servers.find((known) => known.id === id);
    if (!server) return;
    const { nodeId, rulesVersion } = await this.identify(server.rpcAddr);
    if (nodeId !== id) throw new Error(`Node "${server.name}" (${id}) is not at ${server.rpcAddr} any more.`);
    const required = this.options.requiredRules();
    if (rulesVersion < required)
      throw new Error(`"${server.name}" does not vote: ${rulesUnknown(required, rulesVersion)}`);
    this.change({ type: 'promote', id }, { node: id });
  }

  private async identify(rpcAddr: string): Promise<NewcomerIdentity> {
    const answer = decodeJson(await this.options.callAddress(rpcAddr, PEER_CALLS.identify, encodeJson({})));
    const [nodeId, name] = [textField(answer, 'nodeId'), textField(answer, 'name')];
    return { nodeId, name, belongsTo: textField(answer, 'clusterId'), rulesVersion: rulesVersionField(answer) };
  }

  /**
   * A refusal ends the newcomer's process, so gossip's word is not enough for it: a namesake that was killed a moment ago
   * is still listed as alive. If it does not answer for itself, the newcomer waits until gossip knows, too.
   */
  private async refuseNamesake(candidate: Candidate, namesake: Server, reason: string): Promise<void> {
    if (namesake.id !== this.options.replica.id && (await this.identify(namesake.rpcAddr)).nodeId !== namesake.id) {
      throw new Error(`Node "${namesake.name}" (${namesake.id}) is not at ${namesake.rpcAddr} any more.`);
    }
    return this.refuse(candidate, reason);
  }

  /** One line about each newcomer; the newcomer is told each time, as it may not have heard. */
  private async refuse(candidate: Candidate, reason: string): Promise<void> {
    if (!this.refused.has(candidate.nodeId)) {
      if (this.refused.size >= MAX_REMEMBERED) this.refused.clear();
      this.refused.add(candidate.nodeId);
      this.options.events.warn(
        { node: candidate.name, id: candidate.nodeId, rpcAddr: candidate.rpcAddr },
        `refused: ${reason}`,
      );
    }
    await this.options.callAddress(
      candidate.rpcAddr,
      PEER_CALLS.refuse,
      encodeJson({ reason, nodeId: candidate.nodeId }),
    );
  }

  private change(
    change: Parameters<Replica['changeConfiguration']>[0],
    fields: Readonly<Record<string, unknown>>,
  ): void {
    const refusal = this.options.replica.changeConfiguration(change);
    if (refusal === undefined) this.options.events.info({ change: change.type, ...fields }, 'changing the membership');
    else if (refusal !== 'change_pending' && refusal !== 'not_committed_in_term' && refusal !== 'not_leader') {
      this.options.events.info({ change: change.type, refusal, ...fields }, 'a change of membership waits');
    }
  }
}

/** What whoever listens at an address says of itself. */
interface NewcomerIdentity {
  readonly nodeId: string;
  readonly name: string;
  readonly belongsTo: string;
  readonly rulesVersion: number;
}

function rulesUnknown(required: number, known: number): string {
  return (
    `this cluster stands under version ${required} of the rules of money, and this node's program knows them up to version ${known}: ` +
    'start a newer program'
  );
}

function candidateOf(member: GossipMember): Candidate {
  return {
    nodeId: member.tags.nodeId,
    name: member.tags.name,
    rpcAddr: member.tags.rpcAddr,
    clusterId: member.tags.clusterId,
    alive: member.state === 'alive',
    suspect: member.state === 'suspect',
    nonVoter: member.tags.nonVoter,
  };
}
