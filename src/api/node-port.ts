/**
 * What the doors (gRPC and HTTP) need of a node. Defined here, by its consumer; implemented by the node. No rule of money
 * or of consensus lives behind the doors: they decode, call this, and encode.
 *
 * Units: offsets and indexes are safe integers; times are microseconds since the Unix epoch; every `deadlineMs` is a
 * duration in milliseconds counted from the call. A method that cannot keep its deadline rejects with a `NodeError`,
 * it never hangs.
 */
import { type AnswerTo, type AsOf, type HistoryQuestion } from '../ledger/history';
import { type LedgerReader } from '../ledger/reader';
import { type SignedHead } from '../proof/signed-head';
import { type TransferProof } from '../proof/transfer-proof';
import { type Limits } from './limits';

export interface NodeInfo {
  /** 32 hexadecimal digits. */
  readonly clusterId: string;
  readonly nodeName: string;
  /** 16 hexadecimal digits: the incarnation of the node's disk. */
  readonly nodeId: string;
  /** The version of the program. */
  readonly version: string;
  /** Raw Ed25519 key, 32 bytes, with which this node signs heads of the log; left out before there is one. */
  readonly publicKey?: Buffer;
}

/** How new the state must be that a read answers from. */
export type Consistency =
  | { readonly level: 'LINEARIZABLE' }
  /** `token` is opaque, from an earlier answer of any node of the cluster. */
  | { readonly level: 'AT_LEAST'; readonly token: string }
  /** Refused (UNAVAILABLE, STALE_READ) when the leader's commit was heard of longer ago; 0: no bound. */
  | { readonly level: 'STALE'; readonly maxStalenessMs: number };

export interface SubmitRequest {
  /** Record type of the chunk: 0 a producer's values, 1 the ledger's commands. */
  readonly type: 0 | 1;
  /** `records` take offsets, `system` records take none. */
  readonly kind: 'records' | 'system';
  /** Exactly one encoded chunk (src/log/chunk.ts). */
  readonly chunk: Buffer;
  /** Records in the chunk, at least 1. */
  readonly count: number;
  /** The authenticated subject of the caller; empty where nobody is authenticated. */
  readonly subject: string;
}

/** A chunk that is committed and applied by the node that answered. */
export interface Committed {
  readonly index: number;
  readonly term: number;
  /** Offset of the chunk's own first record (not of the batch it travelled in). */
  readonly baseOffset: number;
  /** Time of the batch. */
  readonly time: number;
  /** One 64-byte outcome row a record, in order; empty for type 0. */
  readonly outcomes: Buffer;
  /** Name of the leader that committed it. */
  readonly leader: string;
}

/** The place in the log that the applied state of this node reflects. */
export interface NodePosition {
  readonly appliedIndex: number;
  /** Offset of the last record that is reflected; -1 before the first. */
  readonly offset: number;
  readonly token: string;
}

export interface LogRecordView {
  readonly offset: number;
  readonly term: number;
  readonly timestamp: number;
  /** 0: `value` is what was produced. 1: `value` is an encoded ledger.v1.LogRecord with command and outcome. */
  readonly type: number;
  readonly value: Buffer;
}

/** Committed records `from`, `from + 1`, … in order; none where `from` is outside [firstOffset, nextOffset). */
export interface RecordPage {
  readonly records: readonly LogRecordView[];
  /** The first offset that is still retained anywhere this node can read. */
  readonly firstOffset: number;
  /** The offset after the last committed record that this node knows of. */
  readonly nextOffset: number;
}

export interface ServerView {
  /** The node's name. */
  readonly id: string;
  readonly rpcAddr: string;
  readonly isLeader: boolean;
}

export interface MemberView {
  readonly name: string;
  readonly nodeId: string;
  readonly rpcAddr: string;
  readonly gossipAddr: string;
  readonly suffrage: 'voter' | 'learner' | 'none';
  readonly liveness: 'alive' | 'suspect' | 'failed' | 'left' | 'unknown';
  readonly isLeader: boolean;
}

export interface GroupStatusView {
  readonly group: number;
  readonly role: string;
  readonly term: number;
  /** Name of the leader; empty when none is known. */
  readonly leader: string;
  readonly firstIndex: number;
  readonly lastIndex: number;
  readonly commitIndex: number;
  readonly appliedIndex: number;
  readonly snapshotIndex: number;
  readonly nextOffset: number;
  /** The version of the rules of money that the state stands under. */
  readonly rulesVersion: number;
  /** The highest one that this program knows. */
  readonly rulesKnown: number;
  /** Hex; only when asked for. */
  readonly stateHash?: string;
}

export interface StatusView {
  readonly groups: readonly GroupStatusView[];
  readonly projectionLagRecords: number;
  /** `off`, `starting`, `running` or `paused: <why>`. */
  readonly projection: string;
  /** Of the data directory; undefined before it is watched. */
  readonly disk?: DiskView | undefined;
}

export interface DiskView {
  /** No room: this node takes no writes while it leads. */
  readonly full: boolean;
  readonly freeBytes: number;
}

/** A backup that is being read; it holds on to what it reads until it is closed. */
export interface RunningBackup {
  /** About. */
  readonly expectedBytes: number;
  readonly bytes: AsyncIterable<Buffer>;
  close(): Promise<void>;
}

/** A question for the rows of the projection (docs/projection.md). */
export interface RowsRequest {
  /** One statement that reads. */
  readonly sql: string;
  /** What stands for `$1` …, as text. */
  readonly parameters?: readonly (string | null)[];
  readonly maxRows: number;
}

/** Values as Postgres prints them; null is NULL. */
export interface RowsAnswer {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | null)[])[];
  /** There is more than was asked for, or than an answer holds. */
  readonly isCut: boolean;
  /** The last record that the rows reflect; -1: none. */
  readonly offset: number;
  /** The last entry of the log that they reflect. */
  readonly index: number;
}

export interface Readiness {
  readonly ready: boolean;
  /** One sentence; why not, where `ready` is false. */
  readonly why: string;
  /** Ready, but something wants an operator's attention; one sentence. */
  readonly warning?: string;
}

export interface RehearsalRequest {
  /** Of the state that is copied. */
  readonly consistency: Consistency;
  /** For the state to be as new as that; copying it takes as long as it takes. */
  readonly deadlineMs: number;
  readonly limits: Limits;
  /** Aborted: the caller is gone. */
  readonly signal: AbortSignal;
}

/**
 * A copy of the state at one moment, on which writes are tried one after the other (DryRunCopy) by a thread of its own. Every
 * method rejects with a NodeError where that thread has ended, and one is called at a time.
 */
export interface Rehearsal {
  /** An encoded DryRunRequest in, its encoded DryRunResponse out. */
  decide(request: Buffer): Promise<Buffer>;
  /** An encoded DryRunResponse with the next page of balances; undefined after the last. */
  balances(): Promise<Buffer | undefined>;
  /** Lets go of everything. */
  close(): Promise<void>;
}

export interface NodePort {
  readonly info: NodeInfo;
  /** The applied state, read synchronously: what one turn reads is one state. */
  readonly ledger: LedgerReader;

  /** Commits one chunk. Goes to the leader when needed: one hop at most, and never twice once bytes have left. */
  submit(request: SubmitRequest, deadlineMs: number): Promise<Committed>;
  /**
   * What a chunk of the ledger's records (transfers, openings of accounts) would come to now, on this node's own state. While
   * `look` is called, `ledger` shows what would be; nothing of it stays. All in one turn.
   */
  rehearse?<T>(chunk: Buffer, look: (outcomes: Buffer) => T): T;
  /** Copies the state, to try more on it than `rehearse` takes. One at a time: others are RESOURCE_EXHAUSTED. */
  beginRehearsal?(request: RehearsalRequest): Promise<Rehearsal>;
  /** Resolves once the applied state of this node is as new as asked for. */
  barrier(consistency: Consistency, deadlineMs: number): Promise<void>;
  position(): NodePosition;
  /** A question about the past, from rows that reflect at least `needs`; where there are none it rejects (UNAVAILABLE). */
  past?<Q extends HistoryQuestion>(question: Q, needs: AsOf, deadlineMs: number): Promise<AnswerTo<Q>>;
  /** The token of a state that reflects everything up to `index`. */
  tokenFor(index: number): string;

  /** Committed records from an offset on, at least one if there is one, then as many as `maxBytes` allows. */
  readRecords(from: number, maxBytes: number, deadlineMs: number): Promise<RecordPage>;
  /** Resolves when the record at `offset` is committed here; rejects when `signal` is aborted or the node stops. */
  waitForOffset(offset: number, signal: AbortSignal): Promise<void>;
  /** Asks the leader for the offset after its last committed record, waits until that is readable here, returns it. */
  leaderOffset(deadlineMs: number): Promise<number>;

  servers(): readonly ServerView[];
  members(): readonly MemberView[];
  /** `stateHash`: compute the hash of the state too, which walks all of it. */
  status(options?: { readonly stateHash?: boolean }): StatusView;
  /** Resolves to the name of the new leader. An empty name lets the node choose. */
  transferLeadership(name: string, deadlineMs: number): Promise<string>;
  addMember?(name: string, deadlineMs: number): Promise<void>;
  removeMember?(name: string, deadlineMs: number): Promise<void>;
  /** Resolves to the Raft index of the snapshot. */
  takeSnapshot?(deadlineMs: number): Promise<number>;
  /** Begins a backup of what this node holds, everything that was acknowledged before the call included. */
  backup?(deadlineMs: number): Promise<RunningBackup>;
  /** Asks this node's projection. `token`: rows at least as new as that answer; empty: as they are. */
  readRows?(request: RowsRequest, token: string, deadlineMs: number): Promise<RowsAnswer>;
  /** What this node says of the whole log up to what it has applied, signed. */
  head?(): SignedHead;
  /** Proves that the transfer with this id, whose record is at `offset`, is in the log. */
  prove?(id: string, offset: number, deadlineMs: number): Promise<TransferProof>;
  readiness(): Readiness;
  leaderName(): string | undefined;
  /** Prometheus text exposition format 0.0.4. */
  metricsText(): Promise<string>;
}

export type NodeErrorCode =
  | 'UNAVAILABLE'
  | 'RESOURCE_EXHAUSTED'
  | 'DEADLINE_EXCEEDED'
  | 'FAILED_PRECONDITION'
  | 'INVALID_ARGUMENT'
  | 'OUT_OF_RANGE'
  | 'NOT_FOUND';

export interface NodeErrorOptions {
  /** How long the caller should wait before it tries again, where waiting helps. */
  readonly retryAfterMs?: number;
  /** Facts for programs, e.g. `first_offset`. */
  readonly details?: Readonly<Record<string, string>>;
  /** Path of the field of the request that is to blame. */
  readonly field?: string;
  readonly cause?: unknown;
}

/** A refusal of the node itself (no leader, overload, too late, …), as opposed to a result of the ledger. */
export class NodeError extends Error {
  readonly retryAfterMs: number | undefined;
  readonly details: Readonly<Record<string, string>>;
  readonly field: string | undefined;

  /** `reason` is UPPER_SNAKE and stable (`NO_LEADER`, `OUTCOME_UNKNOWN`, `STALE_READ`, `OVERLOADED`, …). */
  constructor(
    readonly code: NodeErrorCode,
    readonly reason: string,
    message: string,
    options: NodeErrorOptions = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'NodeError';
    this.retryAfterMs = options.retryAfterMs;
    this.details = options.details ?? {};
    this.field = options.field;
  }
}
