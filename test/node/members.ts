import type { GossipMember, MemberState, Tags } from '../../src/discovery/member';
import type { Configuration, CoreStatus, NodeId } from '../../src/raft/core';

/** Names, ids and addresses that belong together: node 1 is `node-1`, id `…01`, at port 8301. */
export const idOf = (number: number): NodeId => number.toString(16).padStart(16, '0');
export const nameOf = (number: number): string => `node-${number}`;
export const rpcOf = (number: number): string => `127.0.0.1:${8300 + number}`;
export const CLUSTER = 'c'.repeat(32);

export function configurationOf(voters: readonly number[], learners: readonly number[] = []): Configuration {
  const all = [...voters, ...learners];
  return {
    voters: voters.map(idOf),
    votersOutgoing: [],
    learners: learners.map(idOf),
    servers: all.map((number) => ({ id: idOf(number), name: nameOf(number), rpcAddr: rpcOf(number) })),
  };
}

export interface Gossiped {
  readonly state?: MemberState;
  readonly incarnation?: number;
  readonly gossipAddr?: string;
  readonly tags?: Partial<Tags>;
}

export function gossiped(number: number, { state, incarnation, gossipAddr, tags }: Gossiped = {}): GossipMember {
  return {
    gossipAddr: gossipAddr ?? `127.0.0.1:${9300 + number}`,
    tags: {
      clusterId: CLUSTER,
      nodeId: idOf(number),
      name: nameOf(number),
      rpcAddr: rpcOf(number),
      role: 'member',
      nonVoter: false,
      formatVersion: 1,
      ...tags,
    },
    state: state ?? 'alive',
    incarnation: incarnation ?? 1,
    since: 0,
  };
}

/** What the core of node 1 says of itself while it leads; `peers` are those it heard lately and that have all of its log. */
export function leaderStatus(configuration: Configuration, peers: readonly number[] = []): CoreStatus {
  return {
    id: idOf(1),
    role: 'leader',
    term: 1,
    vote: idOf(1),
    leader: idOf(1),
    firstIndex: 1,
    lastIndex: 10,
    durable: 10,
    commit: 10,
    applied: 10,
    configuration,
    configurationIndex: 1,
    transferee: '',
    uncommittedBytes: 0,
    pendingReads: 0,
    mayHaveLost: false,
    installingSnapshot: false,
    peers: peers.map((number) => ({
      id: idOf(number),
      match: 10,
      next: 11,
      state: 'replicate',
      recentActive: true,
      lag: 0,
      inflightMessages: 0,
      inflightBytes: 0,
      learner: configuration.learners.includes(idOf(number)),
    })),
  };
}
