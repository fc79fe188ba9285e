import { join } from 'node:path';
import { NodeError, type NodeErrorCode } from '../api/node-port';
import type { AnswerTo, AsOf, HistoryQuestion } from '../ledger/history';
import { PastRefusal, type PastRefusalReason } from '../ledger/projection/past/past-desk';
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
  /** Rejects with NodeError. */
  ask<Q extends HistoryQuestion>(question: Q, needs: AsOf, deadlineMs: number): Promise<AnswerTo<Q>>;
  stop(): Promise<void>;
}

const REFUSALS: Record<PastRefusalReason, readonly [NodeErrorCode, string]> = {
  BEHIND: ['UNAVAILABLE', 'PROJECTION_BEHIND'],
  PAUSED: ['UNAVAILABLE', 'PROJECTION_PAUSED'],
  FAILED: ['UNAVAILABLE', 'PROJECTION_FAILED'],
  BUSY: ['RESOURCE_EXHAUSTED', 'HISTORY_BUSY'],
};
const RETRY_MILLIS = 250;

function refused(error: unknown): unknown {
  if (!(error instanceof PastRefusal)) return error;
  const [code, reason] = REFUSALS[error.reason];
  return new NodeError(code, reason, error.message, { retryAfterMs: RETRY_MILLIS, cause: error });
}

/** What an operator should know of a projection and a log that is bounded. */
export function doubtOf({
  database,
  retentionBytes,
  retentionAge,
}: Pick<NodeConfig, 'database' | 'retentionBytes' | 'retentionAge'>): string | undefined {
  if (database.kind !== 'embedded' || (retentionBytes === undefined && retentionAge === undefined)) return undefined;
  return (
    'the embedded database is made again from the log after a crash, and with --retention-bytes or --retention-age the log may ' +
    'not go back so far: use a Postgres server (--database-url), which keeps its rows'
  );
}

/** How far the projection has come is known once it runs; until then it may need all of the log. */
export function expectProjection({ database }: NodeConfig, { unread }: Pick<GroupRuntime, 'unread'>): void {
  if (database.kind !== 'off') unread.read('projection', () => 1);
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
  const doubt = doubtOf(config);
  if (doubt) events.warn({}, doubt);
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
  group.unread.read('projection', () => projection.status().checkpointIndex + 1);
  return {
    view: () => {
      const status = projection.status();
      const lagRecords = Math.max(0, group.machine.nextOffset - 1 - status.checkpointOffset);
      return { state: status.state === 'paused' ? `paused: ${status.why}` : status.state, lagRecords };
    },
    reached: (index, timeoutMs) => projection.reached(index, timeoutMs),
    read: (request) => projection.read(request),
    ask: async (question, needs, deadlineMs) => {
      try {
        return await projection.ask(question, needs, deadlineMs);
      } catch (error) {
        throw refused(error);
      }
    },
    stop: () => projection.stop(),
  };
}
