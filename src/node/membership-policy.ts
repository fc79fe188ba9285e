import type { Configuration, NodeId, Server } from '../raft/core/types';

/** At most so many members vote: more would make every write wait for more disks and survive hardly more failures. */
export const MAX_VOTERS = 5;

/** What gossip says of a node, as far as membership depends on it. */
export interface Candidate {
  readonly nodeId: NodeId;
  readonly name: string;
  readonly rpcAddr: string;
  /** Empty while the node looks for a cluster to belong to. */
  readonly clusterId: string;
  readonly alive: boolean;
  /** It did not answer a probe, and may yet object to being held for dead. */
  readonly suspect: boolean;
  readonly nonVoter: boolean;
}

export interface MembershipView {
  readonly self: NodeId;
  readonly clusterId: string;
  readonly configuration: Configuration;
  readonly candidates: readonly Candidate[];
  /** Learners that have the log up to (nearly) the commit index and answered lately. */
  readonly caughtUp: (id: NodeId) => boolean;
  /** Members that answered this leader lately, whatever gossip says. */
  readonly heardLately: (id: NodeId) => boolean;
}

export type MembershipAction =
  /** Make the node one of this cluster and add it as a learner; `replaces` is the lost disk's id under the same name. */
  | { readonly kind: 'add'; readonly candidate: Candidate; readonly replaces: NodeId | undefined }
  | { readonly kind: 'promote'; readonly id: NodeId }
  | { readonly kind: 'update_address'; readonly id: NodeId; readonly rpcAddr: string }
  /** Tell it that it was removed for good: it may not have heard of that, and it must not come back by itself. */
  | { readonly kind: 'tell_removed'; readonly candidate: Candidate }
  /** Tell it that its name is taken, once `namesake` has been asked and is there. */
  | { readonly kind: 'refuse'; readonly candidate: Candidate; readonly namesake: Server; readonly reason: string };

/**
 * What the leader does next about the membership, one logged change at a time. Gossip tells, Raft decides: a node that
 * failed or left is marked and left out of routing, but only an operator removes it from the voters.
 */
export function nextMembershipAction(view: MembershipView): MembershipAction | undefined {
  const { configuration } = view;
  if (configuration.votersOutgoing.length > 0) return undefined;
  for (const candidate of view.candidates) {
    if (!candidate.alive) continue;
    const server = configuration.servers.find((known) => known.id === candidate.nodeId);
    if (server) {
      if (candidate.clusterId === view.clusterId && server.rpcAddr !== candidate.rpcAddr) {
        return { kind: 'update_address', id: server.id, rpcAddr: candidate.rpcAddr };
      }
      continue;
    }
    const action = newcomer(view, candidate);
    if (action) return action;
  }
  return promotion(view);
}

function newcomer(view: MembershipView, candidate: Candidate): MembershipAction | undefined {
  // Belongs to another cluster; gossip drops and logs those, this is the second lock on the same door.
  if (candidate.clusterId !== '' && candidate.clusterId !== view.clusterId) return undefined;
  if (view.configuration.removed?.some(({ id }) => id === candidate.nodeId)) return { kind: 'tell_removed', candidate };
  const namesake = view.configuration.servers.find((known) => known.name === candidate.name);
  if (!namesake) return { kind: 'add', candidate, replaces: undefined };
  const told = view.candidates.find((other) => other.nodeId === namesake.id);
  if (namesake.id === view.self || told?.alive === true) {
    const rpcAddr = told?.rpcAddr ?? namesake.rpcAddr;
    const reason =
      `a node named "${candidate.name}" is alive in this cluster at ${rpcAddr}; ` +
      'names are unique: choose another --node-name, or stop the other node first';
    return { kind: 'refuse', candidate, namesake: { ...namesake, rpcAddr }, reason };
  }
  // Not known to be gone: a voter that only gossip has lost from sight must not lose its vote to whoever takes its name.
  if (told?.suspect === true || view.heardLately(namesake.id)) return undefined;
  return { kind: 'add', candidate, replaces: namesake.id };
}

function promotion(view: MembershipView): MembershipAction | undefined {
  if (view.configuration.voters.length >= MAX_VOTERS) return undefined;
  for (const id of view.configuration.learners) {
    const candidate = view.candidates.find((known) => known.nodeId === id);
    if (candidate?.alive && !candidate.nonVoter && candidate.clusterId === view.clusterId && view.caughtUp(id)) {
      return { kind: 'promote', id };
    }
  }
  return undefined;
}
