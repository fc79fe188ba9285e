import {
  NodeError,
  type Committed,
  type Consistency,
  type MemberView,
  type NodeInfo,
  type NodePort,
  type NodePosition,
  type Readiness,
  type Rehearsal,
  type RehearsalRequest,
  type RunningBackup,
  type RecordPage,
  type ServerView,
  type RowsAnswer,
  type RowsRequest,
  type StatusView,
  type SubmitRequest,
} from '../api/node-port';
import type { AnswerTo, AsOf, HistoryQuestion } from '../ledger/history';
import type { LedgerReader } from '../ledger/reader';
import type { ClusterView } from './cluster-view';
import type { AppliedSignal } from './applied-signal';
import type { GroupRuntime } from './group-runtime';
import type { SignedHead } from '../proof/signed-head';
import type { TransferProof } from '../proof/transfer-proof';
import type { Quarantine } from './quarantine';
import type { TransferProofs } from './transfer-proofs';
import type { NodeServiceOptions } from './node-service-options';
import { readProjection } from './projection-reads';
import { readinessOf } from './readiness';
import { RehearsalDesk } from './rehearsal/rehearsal-desk';
import { decodeToken, encodeToken, tokenInvalid } from './token';

/** What the doors need of a group: no more, so that a simulator can put its own together. */
export interface ServedGroup extends Pick<
  GroupRuntime,
  | 'machine'
  | 'writes'
  | 'barrier'
  | 'records'
  | 'replica'
  | 'leadership'
  | 'snapshotIndex'
  | 'takeSnapshot'
  | 'space'
  | 'backup'
  | 'memberChanges'
> {
  readonly appliedSignal: Pick<AppliedSignal, 'next' | 'notify'>;
  readonly leaderSignal: Pick<AppliedSignal, 'next'>;
  /** Where there may be a reason to believe nothing that this node says. */
  readonly quarantine?: Quarantine;
  readonly proofs?: TransferProofs | undefined;
}

const GROUP = 0;
const LEADER_POLL_MILLIS = 20;

/** The node as its doors see it. Before the node belongs to a cluster everything is refused with a reason that says so. */
export class NodeService implements NodePort {
  private group: ServedGroup | undefined;
  private cluster: ClusterView | undefined;
  private open = false;
  private stopping = false;
  private commitAtStart: number | undefined;
  private readonly rehearsals: RehearsalDesk;

  constructor(private readonly options: NodeServiceOptions) {
    this.rehearsals = new RehearsalDesk(options.rehearsals);
  }

  /** The node belongs to a cluster, and its replica runs. */
  attach(group: ServedGroup, cluster: ClusterView): void {
    this.group = group;
    this.cluster = cluster;
  }

  /** Writes and reads are taken from now on. */
  openDoors(): void {
    this.open = true;
    void this.learnCommit();
  }

  /** Everything new is refused from now on; what waits is answered or refused by the parts that stop. */
  beginStop(): void {
    this.stopping = true;
    this.rehearsals.stop(stoppingError());
    this.group?.appliedSignal.notify();
  }

  get info(): NodeInfo {
    return this.options.info();
  }

  get ledger(): LedgerReader {
    return this.group?.machine.reader ?? this.options.emptyReader;
  }

  submit(request: SubmitRequest, deadlineMs: number): Promise<Committed> {
    return this.running().writes.submit(request, deadlineMs);
  }

  rehearse<T>(chunk: Buffer, look: (outcomes: Buffer) => T): T {
    return this.running().machine.rehearse(Date.now() * MICROS_PER_MILLI, chunk, look);
  }

  beginRehearsal(request: RehearsalRequest): Promise<Rehearsal> {
    return this.rehearsals.begin(request, {
      barrier: () => this.barrier(request.consistency, request.deadlineMs),
      source: () => this.running().machine.rehearsalSource(),
      position: () => this.position(),
    });
  }

  barrier(consistency: Consistency, deadlineMs: number): Promise<void> {
    return this.running().barrier.wait(consistency, deadlineMs);
  }

  async past<Q extends HistoryQuestion>(question: Q, needs: AsOf, deadlineMs: number): Promise<AnswerTo<Q>> {
    this.running();
    const rows = this.options.rows?.();
    if (rows) return rows.ask(question, needs, deadlineMs);
    const message = 'This node keeps no history (--database-url off), or has just started; ask another one.';
    throw new NodeError('UNAVAILABLE', 'NO_PROJECTION', message);
  }

  position(): NodePosition {
    const index = this.group?.replica.appliedIndex ?? 0;
    return { appliedIndex: index, offset: (this.group?.machine.nextOffset ?? 0) - 1, token: this.tokenFor(index) };
  }

  tokenFor(index: number): string {
    return encodeToken(this.info.clusterId, { group: GROUP, index });
  }

  readRecords(from: number, maxBytes: number, deadlineMs: number): Promise<RecordPage> {
    return this.running().records.page(from, maxBytes, deadlineMs);
  }

  async waitForOffset(offset: number, signal: AbortSignal): Promise<void> {
    const group = this.running();
    while (group.machine.nextOffset <= offset) {
      signal.throwIfAborted();
      this.running();
      await group.appliedSignal.next(WAIT_SLICE_MILLIS, signal);
    }
  }

  async leaderOffset(deadlineMs: number): Promise<number> {
    await this.barrier({ level: 'LINEARIZABLE' }, deadlineMs);
    return this.running().machine.nextOffset;
  }

  servers(): readonly ServerView[] {
    return this.cluster?.servers() ?? [];
  }

  members(): readonly MemberView[] {
    return this.cluster?.members() ?? [];
  }

  leaderName(): string | undefined {
    return this.cluster?.leaderName();
  }

  status(options: { readonly stateHash?: boolean } = {}): StatusView {
    const projection = this.options.projection();
    const group = this.group;
    if (!group) return { groups: [], projectionLagRecords: 0, projection: projection.state };
    const core = group.replica.status();
    return {
      groups: [
        {
          group: GROUP,
          role: core.role === 'preCandidate' ? 'candidate' : core.role,
          term: core.term,
          leader: this.leaderName() ?? '',
          firstIndex: core.firstIndex,
          lastIndex: core.lastIndex,
          commitIndex: core.commit,
          appliedIndex: group.replica.appliedIndex,
          snapshotIndex: group.snapshotIndex,
          nextOffset: group.machine.nextOffset,
          rulesVersion: group.machine.rulesVersion,
          rulesKnown: group.machine.rules.newest,
          ...(options.stateHash === true && { stateHash: group.machine.hash() }),
        },
      ],
      projectionLagRecords: projection.lagRecords,
      projection: projection.state,
      disk: { full: group.space.full, freeBytes: group.space.freeBytes },
    };
  }

  /** Resolves to the new leader's name. The leader itself carries it out; a follower passes it on. */
  async transferLeadership(name: string, deadlineMs: number): Promise<string> {
    const group = this.running();
    const until = performance.now() + deadlineMs;
    const before = group.replica.leaderId;
    await group.leadership.handOver(name, deadlineMs);
    for (;;) {
      const { leaderId } = group.replica;
      const isThere = leaderId === name || this.leaderName() === name;
      if (leaderId !== '' && (leaderId !== before || isThere)) return this.leaderName() ?? leaderId;
      if (performance.now() >= until) {
        throw new NodeError(
          'UNAVAILABLE',
          'TRANSFER_NOT_DONE',
          'No other node took leadership over in time; try again.',
        );
      }
      await group.leaderSignal.next(LEADER_POLL_MILLIS);
    }
  }

  async addMember(name: string, deadlineMs: number): Promise<void> {
    if (this.cluster?.isNonVoter(name) === true) {
      const message = `"${name}" was started with --non-voter: it stays a learner. Start it again without that flag.`;
      throw new NodeError('FAILED_PRECONDITION', 'NON_VOTER', message);
    }
    await this.running().memberChanges.make('add', name, deadlineMs);
  }

  async removeMember(name: string, deadlineMs: number): Promise<void> {
    await this.running().memberChanges.make('remove', name, deadlineMs);
  }

  async takeSnapshot(): Promise<number> {
    return this.running().takeSnapshot();
  }

  async backup(deadlineMs: number): Promise<RunningBackup> {
    return this.running().backup.begin(deadlineMs);
  }

  async readRows(request: RowsRequest, token: string, deadlineMs: number): Promise<RowsAnswer> {
    this.running();
    const position = token === '' ? { index: 0 } : decodeToken(this.info.clusterId, token);
    if (typeof position === 'string') throw tokenInvalid('token', position);
    return readProjection(this.options.rows?.(), request, position.index, deadlineMs);
  }

  head(): SignedHead {
    return this.proofs().head();
  }

  prove(id: string, offset: number): Promise<TransferProof> {
    return this.proofs().prove(id, offset);
  }

  readiness(): Readiness {
    const { stopping: isStopping, open: isOpen, commitAtStart, group } = this;
    return readinessOf(group, { isStopping, isOpen, commitAtStart });
  }

  metricsText(): Promise<string> {
    return this.options.metricsText();
  }

  /** What a linearizable read saw is at least what was committed when the node started. */
  private async learnCommit(): Promise<void> {
    while (!this.stopping && this.commitAtStart === undefined) {
      try {
        await this.running().replica.linearizable(LEARN_COMMIT_MILLIS);
        this.commitAtStart = this.running().replica.appliedIndex;
      } catch {
        // No leader yet: that is what /readyz says meanwhile. A short pause keeps this from spinning where it fails at once.
        await this.group?.leaderSignal.next(LEADER_POLL_MILLIS);
      }
    }
  }

  private proofs(): TransferProofs {
    const { proofs } = this.running();
    if (proofs) return proofs;
    throw new NodeError('FAILED_PRECONDITION', 'NO_NODE_KEY', 'This node has no key to sign with.');
  }

  private running(): ServedGroup {
    if (this.stopping) throw stoppingError();
    if (!this.group || !this.open) {
      const why = this.group ? 'is starting' : 'does not belong to a cluster yet';
      throw new NodeError('UNAVAILABLE', 'NOT_READY', `This node ${why}; ask another one, or try again.`, {
        retryAfterMs: 1_000,
      });
    }
    this.group.quarantine?.assertClear();
    return this.group;
  }
}

function stoppingError(): NodeError {
  return new NodeError('UNAVAILABLE', 'STOPPING', 'This node is stopping; ask another one.', { retryAfterMs: 1_000 });
}

const MICROS_PER_MILLI = 1_000;
const LEARN_COMMIT_MILLIS = 2_000;
const WAIT_SLICE_MILLIS = 60_000;
