import type { NodeId } from '../raft/core';
import { systemClock, systemRandom, systemScheduler } from '../raft/replica/environment';
import { DEFAULT_REPLICA_LIMITS } from '../raft/replica/limits';
import { Replica } from '../raft/replica/replica';
import type { ReplicaListener, ReplicaTiming } from '../raft/replica/replica-options';
import type { AppliedSignal } from './applied-signal';
import type { NodeConfig } from './config/node-config';
import { FIRST_GROUP } from './data-directory';
import type { GroupOptions } from './group-options';
import type { GroupStorage } from './group-storage';
import type { PeerAddresses } from './peer-addresses';

const HEARTBEAT_TICKS = 5;

export interface ReplicaWiring {
  readonly sendSnapshot: (to: NodeId, term: number) => Promise<number | undefined>;
  readonly addresses: PeerAddresses;
  /** Told when the state has moved. */
  readonly appliedSignal: AppliedSignal;
  /** Told when another leader is known. */
  readonly leaderSignal: AppliedSignal;
}

/** Makes the replica of a group from what its storage holds; it does nothing before it is started. */
export function openReplica(options: GroupOptions, storage: GroupStorage, wiring: ReplicaWiring): Replica {
  const { config, data, transport, events } = options;
  const { log, machine, snapshotter } = storage;
  return new Replica({
    group: FIRST_GROUP,
    id: data.nodeId,
    log,
    machine,
    hardState: storage.hardState,
    snapshotMeta: storage.snapshotMeta,
    configurations: storage.configurations,
    ...(storage.mayHaveLost && { mayHaveLost: storage.mayHaveLost }),
    saveHardState: (hardState) => data.stable.saveHardState(FIRST_GROUP, hardState),
    lossSettled: () => storage.settleLoss(),
    diskFull: () => storage.space?.full ?? false,
    send: (to, message) => transport.send(to, FIRST_GROUP, message),
    snapshots: {
      send: wiring.sendSnapshot,
      install: (meta) => snapshotter.install(meta).then(() => wiring.appliedSignal.notify()),
    },
    clock: systemClock,
    scheduler: systemScheduler,
    random: systemRandom,
    limits: { ...DEFAULT_REPLICA_LIMITS, catchUpBytes: config.catchUpBytes },
    timing: timingOf(config),
    events,
    listener: listener(options, storage, wiring),
  });
}

function listener(options: GroupOptions, storage: GroupStorage, wiring: ReplicaWiring): ReplicaListener {
  const { events, nameOf, fatal } = options;
  return {
    applied: (header, batch) => {
      storage.snapshotter.applied(header, batch.length);
      wiring.appliedSignal.notify();
    },
    leaderChanged: (leader, term) => {
      events.info({ leader: leader === '' ? 'none' : nameOf(leader), term }, 'leader');
      wiring.leaderSignal.notify();
    },
    configurationChanged: (configuration) => {
      for (const server of configuration.servers) wiring.addresses.named(server);
    },
    fatal,
  };
}

/** Heartbeats and election timeouts in ticks of a fifth of a heartbeat. */
function timingOf(config: NodeConfig): ReplicaTiming {
  const tickMillis = config.heartbeatInterval / HEARTBEAT_TICKS;
  const [low, high] = config.electionTimeout;
  const least = Math.max(HEARTBEAT_TICKS + 1, Math.round(low / tickMillis));
  return {
    tickMillis,
    heartbeatTicks: HEARTBEAT_TICKS,
    electionTicks: [least, Math.max(least + 1, Math.round(high / tickMillis))],
  };
}
