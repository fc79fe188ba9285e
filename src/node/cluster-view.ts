import type { MemberView, ServerView } from '../api/node-port';
import { isLive, type GossipMember } from '../discovery/member';
import type { Configuration, NodeId } from '../raft/core';
import { newestMembers } from './newest-members';

export interface ClusterViewOptions {
  readonly configuration: () => Configuration;
  readonly gossip: () => readonly GossipMember[];
  readonly leaderId: () => NodeId;
}

/** Who belongs to the cluster (the configuration says), and who of them is alive (gossip says). */
export class ClusterView {
  constructor(private readonly options: ClusterViewOptions) {}

  /** Those that can be asked now: members that gossip does not hold for failed or gone. */
  servers(): ServerView[] {
    const leader = this.options.leaderId();
    return this.members()
      .filter((member) => member.suffrage !== 'none' && member.liveness !== 'failed' && member.liveness !== 'left')
      .map((member) => ({ id: member.name, rpcAddr: member.rpcAddr, isLeader: member.nodeId === leader }));
  }

  members(): MemberView[] {
    const configuration = this.options.configuration();
    const leader = this.options.leaderId();
    const gossiped = new Map(newestMembers(this.options.gossip()).map((member) => [member.tags.nodeId, member]));
    const voters = new Set([...configuration.voters, ...configuration.votersOutgoing]);
    const views: MemberView[] = configuration.servers.map((server) => {
      const member = gossiped.get(server.id);
      return {
        name: server.name,
        nodeId: server.id,
        rpcAddr: member?.tags.rpcAddr ?? server.rpcAddr,
        gossipAddr: member?.gossipAddr ?? '',
        suffrage: voters.has(server.id) ? 'voter' : 'learner',
        liveness: member?.state ?? 'unknown',
        isLeader: server.id === leader,
      };
    });
    const known = new Set(configuration.servers.map((server) => server.id));
    for (const member of gossiped.values()) {
      // Of those who are no members only the living are news: they are about to join, or wrongly here.
      if (known.has(member.tags.nodeId) || !isLive(member.state)) continue;
      views.push({
        name: member.tags.name,
        nodeId: member.tags.nodeId,
        rpcAddr: member.tags.rpcAddr,
        gossipAddr: member.gossipAddr,
        suffrage: 'none',
        liveness: member.state,
        isLeader: false,
      });
    }
    return views.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  }

  /** Whether a node of this name was started to stay a learner. */
  isNonVoter(name: string): boolean {
    return newestMembers(this.options.gossip()).some(({ tags }) => tags.name === name && tags.nonVoter);
  }

  /** The other members, those that are alive first. */
  livePeers(self: NodeId): NodeId[] {
    const others = this.members().filter((member) => member.suffrage !== 'none' && member.nodeId !== self);
    const alive = others.filter((member) => member.liveness === 'alive');
    return [...alive, ...others.filter((member) => member.liveness !== 'alive')].map((member) => member.nodeId);
  }

  nameOf(id: NodeId): string {
    return this.options.configuration().servers.find((server) => server.id === id)?.name ?? id;
  }

  leaderName(): string | undefined {
    const id = this.options.leaderId();
    return id === '' ? undefined : this.nameOf(id);
  }
}
