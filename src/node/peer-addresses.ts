import type { GossipMember } from '../discovery/member';
import type { NodeId, Server } from '../raft/core';
import type { PeerTransport } from '../raft/transport';
import { newestMembers } from './newest-members';

/**
 * Where the peers are, as the transport is told. What a member says about itself in gossip is newer than what the log says
 * about it, and a newcomer, whose log is empty, has nothing else to find the leader by.
 *
 * Who is nobody any more is forgotten: a link to a replaced disk would go on dialling its old address, and whoever is there
 * now, often the new disk itself, would take it for this node's newer connection and close the good one.
 */
export class PeerAddresses {
  private readonly known = new Map<NodeId, string>();

  constructor(
    private readonly self: NodeId,
    private readonly transport: Pick<PeerTransport, 'setAddress' | 'removePeer'>,
  ) {}

  /** The log names a member: that counts until it says something newer itself. */
  named(server: Server): void {
    if (!this.known.has(server.id)) this.set(server.id, server.rpcAddr);
  }

  set(id: NodeId, address: string): void {
    if (id === this.self || this.known.get(id) === address) return;
    this.transport.setAddress(id, address);
    this.known.set(id, address);
  }

  /** Brings everything in line with the members that the log names, and with those of this cluster that gossip. */
  follow(members: readonly Server[], gossip: readonly GossipMember[], clusterId: string): void {
    const alive = newestMembers(gossip).filter(({ state, tags }) => state === 'alive' && tags.clusterId === clusterId);
    const claimed = new Map(alive.map(({ tags }) => [tags.rpcAddr, tags.nodeId]));
    const told = new Map<NodeId, string>();
    for (const { id, rpcAddr } of members) {
      // Its address has passed to another node, which is alive: nothing good is to be had there.
      if ((claimed.get(rpcAddr) ?? id) === id) told.set(id, rpcAddr);
    }
    for (const { tags } of alive) told.set(tags.nodeId, tags.rpcAddr);
    for (const id of this.known.keys()) {
      if (told.has(id)) continue;
      this.transport.removePeer(id);
      this.known.delete(id);
    }
    for (const [id, address] of told) this.set(id, address);
  }
}
