import { NodeError } from '../api/node-port';
import type { CoreStatus, NodeId } from '../raft/core';
import type { Replica } from '../raft/replica/replica';
import { CallError } from '../raft/transport';
import { PEER_CALLS, decodeJson, encodeJson, textField } from './peer-calls';

export interface LeadershipOptions {
  readonly group: number;
  readonly replica: Pick<Replica, 'isLeader' | 'status' | 'transferLeadership'>;
  readonly call: (to: NodeId, group: number, method: number, body: Buffer, deadlineMs: number) => Promise<Buffer>;
}

/** Hands leadership over: for an operator, and when the leader stops. */
export class Leadership {
  constructor(private readonly options: LeadershipOptions) {}

  /** Starts the transfer to the named voter, or to the best where the name is empty. On a follower the leader is asked to. */
  async handOver(name: string, deadlineMs: number): Promise<void> {
    const { replica, call, group } = this.options;
    const status = replica.status();
    if (replica.isLeader) {
      const target = name === '' ? bestSuccessor(status) : voterNamed(status, name);
      if (target === status.id) return;
      const refusal = target === undefined ? 'not_a_voter' : replica.transferLeadership(target);
      if (refusal !== undefined && refusal !== 'already_leader') throw cannotHandOver(name, refusal);
      return;
    }
    if (status.leader === '') {
      throw new NodeError('UNAVAILABLE', 'NO_LEADER', 'No leader is known that could hand over.', {
        retryAfterMs: 500,
      });
    }
    try {
      await call(status.leader, group, PEER_CALLS.transferLeadership, encodeJson({ name }), deadlineMs);
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      if (error.remote && error.code === 'FAILED_PRECONDITION')
        throw new NodeError('FAILED_PRECONDITION', error.reason, error.message);
      throw new NodeError('UNAVAILABLE', 'NO_LEADER', `The leader could not be asked: ${error.message}`, {
        retryAfterMs: 500,
      });
    }
  }

  /** Serves a follower's request, where this node leads. */
  async serve(body: Buffer): Promise<Buffer> {
    if (!this.options.replica.isLeader) {
      throw new CallError('UNAVAILABLE', 'NOT_LEADER', 'this node does not lead', { sent: true });
    }
    try {
      await this.handOver(textField(decodeJson(body), 'name'), 0);
    } catch (error) {
      if (error instanceof NodeError) throw new CallError(error.code, error.reason, error.message, { sent: true });
      throw error;
    }
    return encodeJson({});
  }
}

/** The voter that has most of the log among those heard of lately; undefined where there is none. */
export function bestSuccessor(status: CoreStatus): NodeId | undefined {
  const voters = new Set(status.configuration.voters);
  const able = status.peers.filter((peer) => voters.has(peer.id) && peer.recentActive);
  able.sort((a, b) => b.match - a.match);
  return able[0]?.id;
}

function voterNamed(status: CoreStatus, name: string): NodeId | undefined {
  const server = status.configuration.servers.find((known) => known.name === name || known.id === name);
  return server && status.configuration.voters.includes(server.id) ? server.id : undefined;
}

function cannotHandOver(name: string, refusal: string): NodeError {
  const to = name === '' ? 'any other voter' : `"${name}"`;
  return new NodeError(
    'FAILED_PRECONDITION',
    refusal.toUpperCase(),
    `Leadership cannot be handed over to ${to} (${refusal.replaceAll('_', ' ')}); see the voters with "ledger members".`,
  );
}
