import { join } from 'node:path';
import { ProjectionProcess } from '../ledger/projection/process';
import type { ReadAnswer, ReadRequest } from '../ledger/projection/read-rows';
import type { EventLog } from '../raft/replica/environment';
import type { NodeConfig } from './config/node-config';
import type { DataDirectory } from './data-directory';
import type { GroupRuntime } from './group-runtime';

export interface NodeProjection {
  view(): { readonly state: string; readonly lagRecords: number };
  /** Resolves when the rows reflect the batch at this Raft index. Rejects with ReadRefusedError. */
  reached(index: number, timeoutMs: number): Promise<void>;
  /** Rejects with ReadRefusedError. */
  read(request: ReadRequest): Promise<ReadAnswer>;
  stop(): Promise<void>;
}

/** Starts the projection's process, once the node serves: consensus never waits for it. Undefined where there is none. */
export function startProjection(
  config: NodeConfig,
  data: DataDirectory,
  group: GroupRuntime,
  events: EventLog,
): NodeProjection | undefined {
  const { database } = config;
  if (database.kind === 'off') return undefined;
  const target =
    database.kind === 'postgres'
      ? ({ kind: 'postgres', url: database.url } as const)
      : ({ kind: 'embedded', dir: join(config.dataDir, 'projection') } as const);
  let told = '';
  const projection = new ProjectionProcess({
    config: { clusterId: data.clusterId, group: group.id, projector: config.nodeName, target },
    source: group.projectionFeed,
    onStatus: (status) => {
      const line = `${status.state} ${status.why}`;
      if (line === told) return;
      told = line;
      const fields = { state: status.state, checkpointOffset: status.checkpointOffset };
      if (status.state === 'paused') events.warn({ ...fields, why: status.why }, 'the projection is paused');
      else events.info(fields, 'the projection');
    },
  });
  projection.start();
  return {
    view: () => {
      const status = projection.status();
      const lagRecords = Math.max(0, group.machine.nextOffset - 1 - status.checkpointOffset);
      return { state: status.state === 'paused' ? `paused: ${status.why}` : status.state, lagRecords };
    },
    reached: (index, timeoutMs) => projection.reached(index, timeoutMs),
    read: (request) => projection.read(request),
    stop: () => projection.stop(),
  };
}
