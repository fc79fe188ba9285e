import { NodeError, type Committed, type SubmitRequest } from '../api/node-port';
import { EntryKind, type NodeId } from '../raft/core';
import { ReplicaError, type ReplicaErrorReason } from '../raft/replica/errors';
import type { Replica } from '../raft/replica/replica';
import { CallError } from '../raft/transport';
import { PEER_CALLS, PeerBodyError, decodeCommitted, encodeCommitted, encodeSubmit, decodeSubmit } from './peer-calls';

export interface WritePathOptions {
  readonly group: number;
  readonly replica: Pick<Replica, 'id' | 'leaderId' | 'submit'>;
  readonly call: (to: NodeId, group: number, method: number, body: Buffer, deadlineMs: number) => Promise<Buffer>;
  readonly nameOf: (id: NodeId) => string;
  readonly now: () => number;
  /** Resolves after `millis`, or as soon as another leader is known. */
  readonly leaderChange: (millis: number) => Promise<void>;
}

/** A new leader is usually known within an election; asking again sooner than this only costs. */
const RETRY_MILLIS = 25;

/** Reasons after which nothing of the write happened, so that it may be tried again. */
const NOTHING_HAPPENED: ReadonlySet<string> = new Set<ReplicaErrorReason>([
  'NOT_LEADER',
  'NO_LEADER',
  'NOT_COMMITTED',
  'STOPPING',
]);
/** The transport's own words for a request that reached the peer and was not handled there. */
const NOT_HANDLED: ReadonlySet<string> = new Set(['METHOD_UNKNOWN', 'PEER_OVERLOADED']);

/** The leader cannot read what this node forwards: the two run programs that do not go together. Nothing happened. */
const NOT_UNDERSTOOD = 'FORWARDED_WRITE_MALFORMED';

/**
 * Brings a write to the leader: to this node's own replica, or over one hop to the peer that leads. It is tried again only
 * as long as certainly nothing of it has happened.
 */
export class WritePath {
  constructor(private readonly options: WritePathOptions) {}

  /** Rejects with NodeError. */
  async submit(request: SubmitRequest, deadlineMs: number): Promise<Committed> {
    const deadlineAt = this.options.now() + deadlineMs;
    let last = 'no leader is known';
    for (;;) {
      const remaining = deadlineAt - this.options.now();
      if (remaining <= 0) throw noLeader(last);
      const leader = this.options.replica.leaderId;
      if (leader !== '') {
        const answer = await this.attempt(leader, request, remaining);
        if (typeof answer !== 'string') return answer;
        last = answer;
      }
      await this.options.leaderChange(Math.min(RETRY_MILLIS, Math.max(1, deadlineAt - this.options.now())));
    }
  }

  /** Serves a forwarded write: here or not at all. */
  async serve(body: Buffer, deadlineMs: number): Promise<Buffer> {
    try {
      return encodeCommitted(await this.local(decodeSubmit(body), deadlineMs));
    } catch (error) {
      if (error instanceof ReplicaError)
        throw new CallError('UNAVAILABLE', error.reason, error.message, { sent: true });
      if (error instanceof PeerBodyError)
        throw new CallError('INTERNAL', NOT_UNDERSTOOD, error.message, { sent: true });
      throw error;
    }
  }

  /** The answer, or why nothing happened. */
  private async attempt(leader: NodeId, request: SubmitRequest, remaining: number): Promise<Committed | string> {
    if (leader === this.options.replica.id) {
      try {
        return await this.local(request, remaining);
      } catch (error) {
        if (!(error instanceof ReplicaError)) throw error;
        // A stopping leader does not come back; the caller finds the next one sooner than this node does.
        if (NOTHING_HAPPENED.has(error.reason) && error.reason !== 'STOPPING') return error.message;
        throw nodeErrorOf(error);
      }
    }
    try {
      const { group } = this.options;
      return decodeCommitted(
        await this.options.call(leader, group, PEER_CALLS.submit, encodeSubmit(request), remaining),
      );
    } catch (error) {
      if (error instanceof PeerBodyError) throw outcomeUnknown(error.message, this.options.nameOf(leader));
      if (!(error instanceof CallError)) throw error;
      if (nothingHappened(error)) return error.message;
      throw forwardingFailed(error, this.options.nameOf(leader));
    }
  }

  private async local(request: SubmitRequest, deadlineMs: number): Promise<Committed> {
    const kind = request.kind === 'system' ? EntryKind.system : EntryKind.records;
    const applied = await this.options.replica.submit(kind, request.chunk, request.count, deadlineMs);
    return {
      index: applied.index,
      term: applied.term,
      baseOffset: applied.baseOffset,
      time: applied.time,
      outcomes: request.type === 0 ? Buffer.alloc(0) : applied.outcomes,
      leader: this.options.nameOf(this.options.replica.id),
    };
  }
}

function noLeader(last: string): NodeError {
  return new NodeError(
    'UNAVAILABLE',
    'NO_LEADER',
    `The write could not be brought to a leader before its deadline (${last}). Nothing of it happened; try again.`,
    { retryAfterMs: 500 },
  );
}

function nothingHappened(error: CallError): boolean {
  return !error.sent || (error.remote && (NOTHING_HAPPENED.has(error.reason) || NOT_HANDLED.has(error.reason)));
}

function forwardingFailed(failure: CallError, leader: string): NodeError {
  if (failure.remote && failure.reason === 'OVERLOADED') {
    return new NodeError('RESOURCE_EXHAUSTED', 'OVERLOADED', failure.message, { retryAfterMs: 200 });
  }
  if (failure.remote && failure.reason === 'DISK_FULL') return leaderDiskFull(failure.message);
  if (failure.remote && failure.reason === 'CLOCK_AHEAD') {
    return new NodeError('UNAVAILABLE', 'CLOCK_AHEAD', failure.message);
  }
  if (failure.remote && failure.reason === NOT_UNDERSTOOD) {
    return new NodeError(
      'FAILED_PRECONDITION',
      NOT_UNDERSTOOD,
      `The leader "${leader}" refused it: ${failure.message}`,
    );
  }
  return outcomeUnknown(failure.message, leader);
}

function outcomeUnknown(why: string, leader: string): NodeError {
  return new NodeError(
    'UNAVAILABLE',
    'OUTCOME_UNKNOWN',
    `The write was sent to the leader "${leader}" and not answered in time (${why}). ` +
      'It may have happened; ask again with the same id.',
    { retryAfterMs: 200 },
  );
}

function leaderDiskFull(message: string): NodeError {
  return new NodeError('RESOURCE_EXHAUSTED', 'DISK_FULL', message, { retryAfterMs: 1_000 });
}

/** The node's refusal for a replica's. */
export function nodeErrorOf(error: ReplicaError): NodeError {
  switch (error.reason) {
    case 'OVERLOADED':
      return new NodeError('RESOURCE_EXHAUSTED', 'OVERLOADED', error.message, { retryAfterMs: 200 });
    case 'DISK_FULL':
      return leaderDiskFull(error.message);
    case 'NOT_LEADER':
    case 'NO_LEADER':
    case 'NOT_COMMITTED':
      return new NodeError('UNAVAILABLE', 'NO_LEADER', error.message, { retryAfterMs: 500 });
    case 'STOPPING':
      return new NodeError('UNAVAILABLE', 'STOPPING', error.message, { retryAfterMs: 1_000 });
    case 'OUTCOME_UNKNOWN':
    case 'CLOCK_AHEAD':
    case 'MEMBERSHIP_BUSY':
      return new NodeError('UNAVAILABLE', error.reason, error.message, { retryAfterMs: 200 });
  }
}
