import type { NodeId } from '../raft/core';
import type { EventLog } from '../raft/replica/environment';
import type { PeerTransport } from '../raft/transport';
import type { NodeConfig } from './config/node-config';
import type { DataDirectory } from './data-directory';

/** What a Raft group needs of the node that hosts it. */
export interface GroupOptions {
  readonly config: NodeConfig;
  readonly data: DataDirectory;
  readonly transport: PeerTransport;
  readonly events: EventLog;
  readonly fatal: (error: unknown) => void;
  readonly nameOf: (id: NodeId) => string;
  /** The other members, those that are alive first. */
  readonly livePeers: () => readonly NodeId[];
}
