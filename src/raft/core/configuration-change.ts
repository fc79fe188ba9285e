import {
  canonicalConfiguration,
  configurationFault,
  isJoint,
  isMember,
  isVoter,
  MAX_MEMBERS,
  MAX_REMOVED,
  withRemoved,
} from './configuration';
import { invariant } from './errors';
import type { Configuration, ConfigurationChange, ConfigurationRefusal, NodeId, Server } from './types';

/** Why a change makes no sense, whoever asks for it and whenever. */
type Senseless = Extract<
  ConfigurationRefusal,
  'already_member' | 'not_a_member' | 'not_a_learner' | 'no_voter_left' | 'too_many_members' | 'unchanged'
>;

/**
 * The configuration that a change leads to. One voter more or less at most, so that every majority of the old overlaps
 * with every majority of the new (dissertation 4.1); setVoters gives a joint configuration instead.
 */
export function changedConfiguration(from: Configuration, change: ConfigurationChange): Configuration | Senseless {
  invariant(!isJoint(from), () => 'A configuration was to be changed while it is still joint.');
  const to = apply(from, change);
  if (typeof to === 'string') return to;
  if (to.voters.length === 0) return 'no_voter_left';
  if (to.servers.length > MAX_MEMBERS) return 'too_many_members';
  const canonical = canonicalConfiguration(to);
  const fault = configurationFault(canonical);
  invariant(fault === undefined, () => `The change ${change.type} leads to a broken configuration: ${fault}`);
  return canonical;
}

/** From joint to new: the voters that are not listed any more stay as learners. */
export function leftJoint(from: Configuration): Configuration {
  invariant(isJoint(from), () => 'A configuration that is not joint was to be left.');
  return withLearners({ ...from, votersOutgoing: [] });
}

/** The servers that have to be caught up before this change, because it makes them vote. */
export function promotedBy(from: Configuration, change: ConfigurationChange): NodeId[] {
  if (change.type === 'promote') return [change.id];
  if (change.type === 'setVoters') return change.voters.filter((id) => !isVoter(from, id));
  return [];
}

function apply(from: Configuration, change: ConfigurationChange): Configuration | Senseless {
  switch (change.type) {
    case 'addLearner':
      return isMember(from, change.server.id) ? 'already_member' : withLearner(from, change.server);
    case 'promote':
      if (!isMember(from, change.id)) return 'not_a_member';
      if (!from.learners.includes(change.id)) return 'not_a_learner';
      return withLearners({ ...from, voters: [...from.voters, change.id] });
    case 'remove':
      if (!isMember(from, change.id)) return 'not_a_member';
      return change.forGood === true ? removedForGood(from, change.id) : without(from, change.id);
    case 'readmit':
      return readmitted(from, change.name);
    case 'replace':
      if (!isMember(from, change.old)) return 'not_a_member';
      if (isMember(from, change.server.id)) return 'already_member';
      return withLearner(without(from, change.old), change.server);
    case 'updateServer':
      return withServer(from, change.server);
    case 'setVoters':
      return joint(from, change.voters);
  }
}

function withLearner(from: Configuration, server: Server): Configuration {
  const { voters, votersOutgoing, learners, servers } = from;
  // Whoever takes it in has decided that it may come back.
  const removed = from.removed?.filter(({ id }) => id !== server.id);
  return {
    ...{ voters, votersOutgoing, learners: [...learners, server.id], servers: [...servers, server] },
    ...withRemoved(removed),
  };
}

function without(from: Configuration, id: NodeId): Configuration {
  return {
    voters: from.voters.filter((other) => other !== id),
    votersOutgoing: [],
    learners: from.learners.filter((other) => other !== id),
    servers: from.servers.filter((other) => other.id !== id),
    ...withRemoved(from.removed),
  };
}

function removedForGood(from: Configuration, id: NodeId): Configuration {
  const name = from.servers.find((server) => server.id === id)?.name ?? '';
  const removed = [...(from.removed ?? []), { id, name }];
  return { ...without(from, id), removed: removed.slice(-MAX_REMOVED) };
}

function readmitted(from: Configuration, name: string): Configuration | Senseless {
  const removed = (from.removed ?? []).filter((server) => server.name !== name);
  if (removed.length === (from.removed?.length ?? 0)) return 'unchanged';
  const { voters, votersOutgoing, learners, servers } = from;
  return { voters, votersOutgoing, learners, servers, ...withRemoved(removed) };
}

function withServer(from: Configuration, server: Server): Configuration | Senseless {
  const known = from.servers.find((other) => other.id === server.id);
  if (!known) return 'not_a_member';
  if (known.name === server.name && known.rpcAddr === server.rpcAddr) return 'unchanged';
  return { ...from, servers: from.servers.map((other) => (other.id === server.id ? server : other)) };
}

function joint(from: Configuration, voters: readonly NodeId[]): Configuration | Senseless {
  const wanted = [...new Set(voters)];
  if (wanted.some((id) => !isMember(from, id))) return 'not_a_member';
  if (wanted.length === from.voters.length && wanted.every((id) => isVoter(from, id))) return 'unchanged';
  return withLearners({ ...from, voters: wanted, votersOutgoing: from.voters });
}

/** The learners are those of the servers that vote in neither half. */
function withLearners(from: Configuration): Configuration {
  return { ...from, learners: from.servers.map(({ id }) => id).filter((id) => !isVoter(from, id)) };
}
