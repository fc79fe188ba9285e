import type { GossipMember } from '../discovery/member';

/**
 * One entry for each disk: what was said last. Gossip knows members by address, so a node that came back at another one
 * is listed twice until its old address is held for dead, and the two contradict each other.
 */
export function newestMembers(members: readonly GossipMember[]): GossipMember[] {
  const newest = new Map<string, GossipMember>();
  for (const member of members) {
    const other = newest.get(member.tags.nodeId);
    if (other === undefined || other.incarnation < member.incarnation) newest.set(member.tags.nodeId, member);
  }
  return [...newest.values()];
}
