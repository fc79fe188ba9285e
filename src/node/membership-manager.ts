import type { GossipMember } from '../discovery/member';
import type { Server } from '../raft/core';
import type { EventLog } from '../raft/replica/environment';
import type { Replica } from '../raft/replica/replica';
import { nextMembershipAction, type Candidate, type MembershipAction } from './membership-policy';
import { PEER_CALLS, decodeJson, encodeJson, textField } from './peer-calls';

export interface MembershipManagerOptions {
  readonly replica: Replica;
  readonly clusterId: string;
  readonly partitions: number;
  readonly members: () => readonly GossipMember[];
  /** Calls whoever answers at an RPC address. */
  readonly callAddress: (address: string, method: number, body: Buffer) => Promise<Buffer>;
  readonly setAddress: (id: string, address: string) => void;
  readonly events: EventLog;
}

/** A learner counts as caught up when it lacks no more than this many entries. */
const CAUGHT_UP_LAG = 64;

/**
 * On the leader: brings the configuration in line with who is there. What gossip says is a reason to ask; the node itself
 * says over RPC who it is; the log decides.
 */
export class MembershipManager {
  private working = false;
  private readonly refused = new Set<string>();

  constructor(private readonly options: MembershipManagerOptions) {}

  /** One look, and at most one change. Called again and again; does nothing on a follower. */
  async step(): Promise<void> {
    if (this.working || !this.options.replica.isLeader) return;
    this.working = true;
    try {
      const action = this.nextAction();
      if (action) await this.carryOut(action);
    } catch (error) {
      // A peer that does not answer is the normal case here: the next look tries again.
      this.options.events.info({ err: error }, 'a change of membership did not work out yet');
    } finally {
      this.working = false;
    }
  }

  private nextAction(): MembershipAction | undefined {
    const status = this.options.replica.status();
    return nextMembershipAction({
      self: this.options.replica.id,
      clusterId: this.options.clusterId,
      configuration: status.configuration,
      candidates: this.options.members().map(candidateOf),
      caughtUp: (id) => {
        const peer = status.peers.find((known) => known.id === id);
        return peer !== undefined && peer.recentActive && peer.state === 'replicate' && peer.lag <= CAUGHT_UP_LAG;
      },
    });
  }

  private async carryOut(action: MembershipAction): Promise<void> {
    switch (action.kind) {
      case 'add':
        return this.add(action.candidate, action.replaces);
      case 'refuse':
        return this.refuse(action.candidate, action.reason);
      case 'promote':
        return this.change({ type: 'promote', id: action.id }, { node: action.id });
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

  private async add(candidate: Candidate, replaces: string | undefined): Promise<void> {
    const { callAddress, clusterId, partitions } = this.options;
    const answer = decodeJson(await callAddress(candidate.rpcAddr, PEER_CALLS.identify, encodeJson({})));
    const nodeId = textField(answer, 'nodeId');
    const name = textField(answer, 'name');
    const belongsTo = textField(answer, 'clusterId');
    if (nodeId !== candidate.nodeId || name !== candidate.name) {
      throw new Error(
        `Gossip says that node "${candidate.name}" (${candidate.nodeId}) is at ${candidate.rpcAddr}, but "${name}" (${nodeId}) answers there.`,
      );
    }
    if (belongsTo !== '' && belongsTo !== clusterId) {
      throw new Error(`Node "${name}" at ${candidate.rpcAddr} belongs to cluster ${belongsTo}.`);
    }
    if (belongsTo === '') {
      await callAddress(candidate.rpcAddr, PEER_CALLS.adopt, encodeJson({ clusterId, partitions, nodeId }));
    }
    this.options.setAddress(nodeId, candidate.rpcAddr);
    const server: Server = { id: nodeId, name, rpcAddr: candidate.rpcAddr };
    this.change(replaces === undefined ? { type: 'addLearner', server } : { type: 'replace', old: replaces, server }, {
      node: name,
      id: nodeId,
      ...(replaces !== undefined && { replaces }),
    });
  }

  private async refuse(candidate: Candidate, reason: string): Promise<void> {
    if (!this.refused.has(candidate.nodeId)) {
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

function candidateOf(member: GossipMember): Candidate {
  return {
    nodeId: member.tags.nodeId,
    name: member.tags.name,
    rpcAddr: member.tags.rpcAddr,
    clusterId: member.tags.clusterId,
    alive: member.state === 'alive',
    nonVoter: member.tags.nonVoter,
  };
}
