import type { GossipMember } from '../discovery/member';
import type { NodeId, Server } from '../raft/core';
import type { PeerTransport } from '../raft/transport';
import type { NodeConfig } from './config/node-config';
import { FIRST_GROUP, type DataDirectory } from './data-directory';
import type { RepairPeers } from './log-repair';
import type { PeerAddresses } from './peer-addresses';
import { StartupError } from './startup-error';

export interface RepairPeersOptions {
  readonly config: Pick<NodeConfig, 'startJoinAddrs'>;
  readonly data: Pick<DataDirectory, 'stable' | 'clusterId' | 'nodeId' | 'knownPeers'>;
  readonly gossip: () => readonly GossipMember[];
  readonly addresses: Pick<PeerAddresses, 'follow'>;
  readonly transport: Pick<PeerTransport, 'call'>;
  readonly stopAsked: AbortSignal;
}

/** The peers as a node knows them before its log is open: by the stored configuration, and by gossip. */
export function repairPeers(options: RepairPeersOptions): RepairPeers {
  const { config, data, gossip, addresses, transport, stopAsked } = options;
  const stored = (): readonly Server[] =>
    (data.stable.snapshot(FIRST_GROUP)?.configuration.servers ?? []).filter(({ id }) => id !== data.nodeId);
  const alive = (): NodeId[] =>
    gossip()
      .filter(({ state, tags }) => state === 'alive' && tags.clusterId === data.clusterId)
      .flatMap(({ tags }) => (tags.nodeId === data.nodeId ? [] : [tags.nodeId]));
  return {
    peers: () => {
      addresses.follow(stored(), gossip(), data.clusterId);
      return [...new Set([...alive(), ...stored().map(({ id }) => id)])];
    },
    alone: () =>
      stored().length === 0 &&
      alive().length === 0 &&
      data.knownPeers.length === 0 &&
      config.startJoinAddrs.length === 0,
    call: (to, group, method, body, deadlineMs) => transport.call(to, group, method, body, { deadlineMs }),
    pause: (millis) => unlessStopped(millis, stopAsked),
  };
}

function unlessStopped(millis: number, stopAsked: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stopped = (): void => {
      clearTimeout(timer);
      reject(new StartupError('stopped while it was waiting for a peer that could repair its log', 1));
    };
    const timer = setTimeout(() => {
      stopAsked.removeEventListener('abort', stopped);
      resolve();
    }, millis);
    if (stopAsked.aborted) stopped();
    else stopAsked.addEventListener('abort', stopped, { once: true });
  });
}
