/**
 * A node of one, in memory: the real ledger behind the real port, without Raft and without a disk. What is submitted is
 * applied at once. Tests may hold it up, make it refuse, or forget the oldest records.
 */
import { resolve } from 'node:path';
import { formatMinor } from '../../src/ledger/amounts';
import { encodeCommand } from '../../src/ledger/command-codec';
import { type HoldView } from '../../src/ledger/reader';
import { recordValue } from '../../src/ledger/record-value';
import { LedgerState } from '../../src/ledger/state';
import { encodeValues, iterateChunks, RecordType } from '../../src/log/chunk';
import {
  type Committed,
  type Consistency,
  type LogRecordView,
  type MemberView,
  NodeError,
  type NodePort,
  type NodePosition,
  type Readiness,
  type RecordPage,
  type Rehearsal,
  type RehearsalRequest,
  type ServerView,
  type StatusView,
  type SubmitRequest,
} from '../../src/api/node-port';
import { RehearsalDesk, type RehearsalOptions } from '../../src/node/rehearsal/rehearsal-desk';

/** What the build made of the thread's program: a thread has no loader of TypeScript. */
export const REHEARSAL_THREAD = resolve(__dirname, '../../dist/node/rehearsal/rehearsal-thread-main.js');

const FIRST_TIME = 1_700_000_000_000_000;
const RPC_ADDR = '127.0.0.1:8300';
const GOSSIP_ADDR = '127.0.0.1:8301';
const NODE_ID = '00000000000000a1';

export class SingleNodePort implements NodePort {
  readonly info = { clusterId: '0'.repeat(31) + '1', nodeName: 'node-1', nodeId: NODE_ID, version: '0.0.0-test' };
  /** Awaited before a chunk is committed: throw to refuse it, wait to hold it up. */
  beforeCommit: (request: SubmitRequest) => Promise<void> | void = () => undefined;
  /** Awaited before a read. */
  beforeRead: (consistency: Consistency) => Promise<void> | void = () => undefined;
  /** Chunks that were submitted, in order. */
  readonly submitted: SubmitRequest[] = [];
  leader: string | undefined = 'node-1';
  ready: Readiness = { ready: true, why: '' };
  firstOffset = 0;

  /** How dry runs are bounded from the next one on. */
  rehearsals = new RehearsalDesk({ entry: REHEARSAL_THREAD });

  private readonly state = new LedgerState();
  private readonly records: LogRecordView[] = [];
  private readonly waiting = new Set<() => void>();
  private index = 1;
  private time = FIRST_TIME;

  get ledger(): LedgerState['reader'] {
    return this.state.reader;
  }

  /** `USD`, as a bootstrap makes it: a system record, which takes no offset. */
  createUsd(options: { autoOpen?: boolean; halfUp?: boolean; noMinimum?: boolean; dedupAgeMs?: number } = {}): void {
    const { autoOpen = false, halfUp = false, noMinimum = false, dedupAgeMs } = options;
    const bound = dedupAgeMs === undefined ? [] : [encodeCommand({ kind: 'set_dedup_age', ageMs: dedupAgeMs })];
    const command = encodeCommand({
      kind: 'create_ledger',
      code: 'USD',
      scale: 2,
      autoOpen,
      rounding: halfUp ? 1 : 0,
      defaultMinBalance: noMinimum ? undefined : 0n,
      defaultMaxBalance: undefined,
    });
    const records = [...bound, command];
    const chunk = encodeValues(RecordType.Ledger, records);
    this.commit({ type: 1, kind: 'system', chunk, count: records.length, subject: '' });
  }

  async submit(request: SubmitRequest, _deadlineMs: number): Promise<Committed> {
    this.submitted.push(request);
    await this.beforeCommit(request);
    return this.commit(request);
  }

  rehearse<T>(chunk: Buffer, look: (outcomes: Buffer) => T): T {
    return this.state.rehearse(this.time + 1000, chunk, look);
  }

  /** Bounds dry runs otherwise. */
  boundRehearsals(options: RehearsalOptions): void {
    this.rehearsals = new RehearsalDesk({ entry: REHEARSAL_THREAD, ...options });
  }

  beginRehearsal(request: RehearsalRequest): Promise<Rehearsal> {
    const nothing = { archived: 0, chain: new Uint8Array(0), lookUp: () => Promise.resolve([]) };
    return this.rehearsals.begin(request, {
      barrier: () => this.barrier(request.consistency, request.deadlineMs),
      source: () => ({ hashSeed: 0, frames: this.state.snapshot(), ...nothing }),
      position: () => this.position(),
    });
  }

  private commit(request: SubmitRequest): Committed {
    const baseOffset = this.state.nextOffset;
    const time = (this.time += 1000);
    const outcomes = this.state.apply({ time, baseOffset, kind: request.kind }, request.chunk);
    this.index++;
    if (request.kind === 'records') this.keep(request.chunk, outcomes, baseOffset, time);
    for (const wake of [...this.waiting]) wake();
    const own = request.type === 1 ? outcomes : Buffer.alloc(0);
    return { index: this.index, term: 1, baseOffset, time, outcomes: own, leader: 'node-1' };
  }

  private keep(chunk: Buffer, outcomes: Buffer, baseOffset: number, timestamp: number): void {
    let offset = baseOffset;
    for (const part of iterateChunks(chunk)) {
      for (let i = 0; i < part.count; i++, offset++) {
        const at = 64 * (offset - baseOffset);
        const code = (number: number): string | undefined => this.ledger.ledgerByNumber(number)?.code;
        const holds = (number: number): HoldView | undefined => this.ledger.hold(number);
        const value = recordValue(part.type, part.width, part.record(i), outcomes, at, code, holds);
        this.records.push({ offset, term: 1, timestamp, type: part.type, value });
      }
    }
  }

  async barrier(consistency: Consistency, _deadlineMs: number): Promise<void> {
    await this.beforeRead(consistency);
    if (consistency.level !== 'AT_LEAST') return;
    const index = /^t(\d+)$/.exec(consistency.token)?.[1];
    if (index === undefined) throw new NodeError('INVALID_ARGUMENT', 'TOKEN_INVALID', 'This is no token of an answer.');
    if (Number(index) > this.index) throw new NodeError('UNAVAILABLE', 'STALE_READ', 'This node is behind the token.');
  }

  position(): NodePosition {
    return { appliedIndex: this.index, offset: this.state.nextOffset - 1, token: this.tokenFor(this.index) };
  }

  tokenFor(index: number): string {
    return `t${index}`;
  }

  async readRecords(from: number, maxBytes: number, _deadlineMs: number): Promise<RecordPage> {
    const page: LogRecordView[] = [];
    const nextOffset = this.state.nextOffset;
    if (from >= this.firstOffset) {
      for (let bytes = 0, at = from; at < nextOffset && (page.length === 0 || bytes < maxBytes); at++) {
        const record = this.records[at]!;
        page.push(record);
        bytes += record.value.length;
      }
    }
    return { records: page, firstOffset: this.firstOffset, nextOffset };
  }

  waitForOffset(offset: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const check = (): void => {
        if (signal.aborted) reject(new Error('The wait was given up.'));
        else if (this.state.nextOffset > offset) resolve();
        else return;
        this.waiting.delete(check);
        signal.removeEventListener('abort', check);
      };
      this.waiting.add(check);
      signal.addEventListener('abort', check);
      check();
    });
  }

  /** Callers of waitForOffset that still wait. */
  get waiters(): number {
    return this.waiting.size;
  }

  async leaderOffset(_deadlineMs: number): Promise<number> {
    return this.state.nextOffset;
  }

  servers(): readonly ServerView[] {
    return [{ id: 'node-1', rpcAddr: RPC_ADDR, isLeader: this.leader === 'node-1' }];
  }

  members(): readonly MemberView[] {
    const where = { rpcAddr: RPC_ADDR, gossipAddr: GOSSIP_ADDR };
    return [{ name: 'node-1', nodeId: NODE_ID, ...where, suffrage: 'voter', liveness: 'alive', isLeader: true }];
  }

  status(options: { readonly stateHash?: boolean } = {}): StatusView {
    const group = {
      group: 0,
      role: 'leader',
      term: 1,
      leader: this.leader ?? '',
      firstIndex: 1,
      lastIndex: this.index,
      commitIndex: this.index,
      appliedIndex: this.index,
      snapshotIndex: 0,
      nextOffset: this.state.nextOffset,
      rulesVersion: this.state.rulesVersion,
      rulesKnown: 1,
      ...(options.stateHash === true ? { stateHash: this.state.hash() } : {}),
    };
    return { groups: [group], projectionLagRecords: 0, projection: 'off', disk: { full: false, freeBytes: 5 << 20 } };
  }

  async transferLeadership(name: string, _deadlineMs: number): Promise<string> {
    if (name === '' || name === 'node-1') return 'node-1';
    throw new NodeError('NOT_FOUND', 'MEMBER_NOT_FOUND', `The cluster has no voter named ${JSON.stringify(name)}.`);
  }

  readiness(): Readiness {
    return this.ready;
  }

  leaderName(): string | undefined {
    return this.leader;
  }

  async metricsText(): Promise<string> {
    return `# TYPE ledger_raft_applied_index gauge\nledger_raft_applied_index{group="0"} ${this.index}\n`;
  }

  /** Posted balance of an account, as text; undefined where there is none. */
  posted(name: string): string | undefined {
    const account = this.ledger.account(name);
    if (account === undefined) return undefined;
    return formatMinor(this.ledger.balance(account.handle)!.posted, account.ledger.scale);
  }
}
