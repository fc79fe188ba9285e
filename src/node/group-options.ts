import type { Rules } from '../ledger/rules-versions';
import type { NodeId } from '../raft/core';
import type { EventLog } from '../raft/replica/environment';
import type { PeerTransport } from '../raft/transport';
import type { NodeConfig } from './config/node-config';
import type { DataDirectory } from './data-directory';
import type { IdStoreOptions } from './ids/id-store';
import type { RepairPeers } from './log-repair';
import type { NodeKey } from './node-key';
import type { PeerAddresses } from './peer-addresses';
import type { RehearsalOptions } from './rehearsal/rehearsal-desk';

/** What a test builds a node with, to be a program of another age, or one whose runs of ids are small. */
export interface ProgramParts {
  /** The rules of money that this program can apply; the real ones where nothing is said. */
  readonly rules?: Rules;
  /** How ids are kept, where it is not the usual way: tests have few of them, and a simulated disk no thread. */
  readonly ids?: Pick<IdStoreOptions, 'runRows' | 'keptRows' | 'runExtras' | 'keptExtras' | 'maker'>;
  /** How dry runs are bounded, and where the program of their thread is. */
  readonly rehearsals?: RehearsalOptions;
}

/** What a Raft group needs of the node that hosts it. */
export interface GroupOptions extends ProgramParts {
  readonly config: NodeConfig;
  readonly data: DataDirectory;
  readonly transport: PeerTransport;
  readonly events: EventLog;
  readonly fatal: (error: unknown) => void;
  /** Signs heads of the log; without it there are no proofs. */
  readonly key?: NodeKey;
  readonly nameOf: (id: NodeId) => string;
  /** Where the peers are, if somebody has followed that already. */
  readonly addresses?: PeerAddresses;
  /** Who is asked for what this node's disk has lost, before there is a replica. */
  readonly repairPeers?: RepairPeers;
  /** The other members, those that are alive first. */
  readonly livePeers: () => readonly NodeId[];
}
