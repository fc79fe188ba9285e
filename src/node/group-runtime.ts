import { join } from 'node:path';
import { LogDamageError, LogVersionError } from '../log/log-errors';
import { OutcomeStore } from '../log/outcomes';
import { SegmentedLog } from '../log/segmented-log';
import type { NodeId } from '../raft/core';
import { configurationsAbove } from '../raft/replica/entries';
import { systemClock, systemRandom, systemScheduler, type EventLog } from '../raft/replica/environment';
import { DEFAULT_REPLICA_LIMITS } from '../raft/replica/limits';
import { Replica } from '../raft/replica/replica';
import type { ReplicaTiming } from '../raft/replica/replica-options';
import type { PeerTransport } from '../raft/transport';
import { AppliedSignal } from './applied-signal';
import type { NodeConfig } from './config/node-config';
import { FIRST_GROUP, type DataDirectory } from './data-directory';
import { Leadership } from './leadership';
import { LedgerMachine } from './ledger-machine';
import { PEER_CALLS } from './peer-calls';
import { PeerHistory } from './peer-history';
import { ProjectionFeed } from './projection-feed';
import { ReadBarrier } from './read-barrier';
import { RecordReader } from './record-reader';
import { Snapshotter } from './snapshotter';
import { StartupError } from './startup-error';
import { WritePath } from './write-path';

export interface GroupRuntimeOptions {
  readonly config: NodeConfig;
  readonly data: DataDirectory;
  readonly transport: PeerTransport;
  readonly events: EventLog;
  readonly fatal: (error: unknown) => void;
  readonly nameOf: (id: NodeId) => string;
  /** The other members, those that are alive first. */
  readonly livePeers: () => readonly NodeId[];
}

const HEARTBEAT_TICKS = 5;
const HAND_OVER_POLL_MILLIS = 10;

/** One Raft group on this node: its log, its ledger, its replica, and what reads and writes through them. */
export class GroupRuntime {
  readonly id = FIRST_GROUP;
  readonly replica: Replica;
  readonly appliedSignal = new AppliedSignal();
  readonly leaderSignal = new AppliedSignal();
  readonly writes: WritePath;
  readonly barrier: ReadBarrier;
  readonly records: RecordReader;
  readonly projectionFeed: ProjectionFeed;
  readonly leadership: Leadership;

  private constructor(
    options: GroupRuntimeOptions,
    readonly log: SegmentedLog,
    readonly machine: LedgerMachine,
    private readonly outcomes: OutcomeStore,
    private readonly snapshotter: Snapshotter,
    startReplica: (group: GroupRuntime) => Replica,
  ) {
    this.replica = startReplica(this);
    const { data, transport, events, nameOf, livePeers } = options;
    const { replica, id } = this;
    const call = (to: NodeId, group: number, method: number, body: Buffer, deadlineMs: number): Promise<Buffer> =>
      transport.call(to, group, method, body, { deadlineMs });
    this.writes = new WritePath({
      group: id,
      replica,
      call,
      nameOf,
      now: () => performance.now(),
      leaderChange: (millis) => this.leaderSignal.next(millis),
    });
    this.barrier = new ReadBarrier(replica, id, () => data.clusterId);
    this.leadership = new Leadership({ group: id, replica, call });
    const history = new PeerHistory({ group: id, peers: livePeers, call, events });
    const readOutcomes = (offset: number, count: number): Promise<Buffer> => outcomes.read(offset, count);
    const appliedIndex = (): number => replica.appliedIndex;
    const nextOffset = (): number => machine.nextOffset;
    this.records = new RecordReader({
      log,
      readOutcomes,
      ledgerCodes: (number) => machine.reader.ledgerByNumber(number)?.code,
      appliedIndex,
      nextOffset,
      fromPeers: (from, maxBytes, deadlineMs) => history.records(from, maxBytes, deadlineMs),
    });
    this.projectionFeed = new ProjectionFeed({
      log,
      readOutcomes,
      appliedIndex,
      nextOffset,
      signal: this.appliedSignal,
      fromPeers: (fromIndex, maxBytes) => history.batches(fromIndex, maxBytes),
    });
    this.serve(transport, history);
  }

  get snapshotIndex(): number {
    return this.snapshotter.newestIndex;
  }

  /** Opens log, state and replica, and starts to take part. Rejects with StartupError where the disk does not allow it. */
  static async open(options: GroupRuntimeOptions): Promise<GroupRuntime> {
    const { config, data, events, fatal, transport } = options;
    const stable = data.stable;
    const vote = stable.voteState(FIRST_GROUP);
    if (vote.kind === 'doubtful') throw votesDoubtful(config, vote.why);
    const folder = data.groupFolder(FIRST_GROUP);
    const log = await openLog(join(folder, 'log'), config, data, fatal);
    if (log.recovery.torn) events.warn(log.recovery.torn, 'a torn tail was cut off the log; its bytes are kept aside');
    const outcomes = await OutcomeStore.open({ dir: folder });
    const machine = new LedgerMachine(outcomes, Number.parseInt(data.nodeId.slice(0, 8), 16) | 0);
    const snapshotter = await Snapshotter.open({
      group: FIRST_GROUP, folder: join(folder, 'snapshots'), config, data, log, machine, transport, events, fatal,
    });
    const snapshotMeta = await snapshotter.restoreNewest();
    const configurations = await configurationsAbove(log, snapshotMeta.index);
    const lost = log.recovery.lostAcknowledged;
    const mayHaveLost = stable.lossMark(FIRST_GROUP) ?? (lost === undefined ? undefined : { index: lost, term: log.lastTerm });
    const group = new GroupRuntime(options, log, machine, outcomes, snapshotter, (self) =>
      new Replica({
        group: FIRST_GROUP,
        id: data.nodeId,
        log,
        machine,
        hardState: vote.hardState,
        snapshotMeta,
        configurations,
        ...(mayHaveLost && { mayHaveLost }),
        saveHardState: (hardState) => stable.saveHardState(FIRST_GROUP, hardState),
        lossSettled: async () => {
          await log.settleLoss();
          await stable.saveLossMark(FIRST_GROUP, undefined);
        },
        send: (to, message) => transport.send(to, FIRST_GROUP, message),
        snapshots: snapshotter,
        clock: systemClock,
        scheduler: systemScheduler,
        random: systemRandom,
        limits: DEFAULT_REPLICA_LIMITS,
        timing: timingOf(config),
        events,
        listener: {
          applied: (header, batch) => {
            snapshotter.applied(header, batch.length);
            self.appliedSignal.notify();
          },
          leaderChanged: (leader, term) => {
            events.info({ leader: leader === '' ? 'none' : options.nameOf(leader), term }, 'leader');
            self.leaderSignal.notify();
          },
          configurationChanged: (configuration) => {
            for (const server of configuration.servers) if (server.id !== data.nodeId) transport.setAddress(server.id, server.rpcAddr);
          },
          fatal,
        },
      }),
    );
    snapshotter.attach(group.replica);
    group.replica.start();
    return group;
  }

  /** Before a stop: gives leadership to another voter, so that the others need no election. Resolves when that is done, or at the deadline. */
  async handOverBeforeStop(deadlineMs: number): Promise<void> {
    const until = performance.now() + deadlineMs;
    if (!this.replica.isLeader || this.replica.status().configuration.voters.length < 2) return;
    await this.leadership.handOver('', deadlineMs);
    while (this.replica.isLeader && performance.now() < until) await this.leaderSignal.next(HAND_OVER_POLL_MILLIS);
  }

  takeSnapshot(): Promise<number> {
    return this.snapshotter.take();
  }

  async stop(): Promise<void> {
    this.appliedSignal.notify();
    await this.replica.stop();
    await this.snapshotter.stop();
    await this.outcomes.close();
    await this.log.close();
  }

  private serve(transport: PeerTransport, history: PeerHistory): void {
    const millisLeft = (deadline: number): number => Math.max(1, deadline - systemClock.monotonicMillis());
    transport.handle(PEER_CALLS.submit, (call) => this.writes.serve(call.body, millisLeft(call.deadline)));
    transport.handle(PEER_CALLS.transferLeadership, (call) => this.leadership.serve(call.body));
    transport.handle(PEER_CALLS.records, (call) => history.serveRecords(this.records, call.body));
    transport.handle(PEER_CALLS.batches, (call) => history.serveBatches(this.projectionFeed, call.body));
  }
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

async function openLog(dir: string, config: NodeConfig, data: DataDirectory, onFatal: (error: unknown) => void): Promise<SegmentedLog> {
  try {
    return await SegmentedLog.open({ dir, files: data.files, group: FIRST_GROUP, segmentBytes: config.segmentBytes, onFatal });
  } catch (error) {
    if (error instanceof LogDamageError || error instanceof LogVersionError) throw new StartupError(error.message, 1);
    throw error;
  }
}

function votesDoubtful(config: NodeConfig, why: string): StartupError {
  return new StartupError(
    `${config.dataDir}: this node does not know any more how it voted (${why}), and a second vote in one term could split the cluster. ` +
      'Remove the data directory and start the node with --start-join-addrs: it rejoins under its name as a new disk and gets everything from its peers',
    1,
  );
}
