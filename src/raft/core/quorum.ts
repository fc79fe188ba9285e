import type { Configuration, NodeId } from './types';

export type VoteResult = 'won' | 'lost' | 'pending';

/**
 * Whether a vote is decided. A joint configuration (dissertation 4.3) is won only in both of its halves and lost in
 * either. An empty half decides nothing, so it counts as won; nobody campaigns in an empty configuration.
 * @param voteOf true for, false against, undefined not heard yet
 */
export function voteResult(configuration: Configuration, voteOf: (id: NodeId) => boolean | undefined): VoteResult {
  const incoming = majorityVote(configuration.voters, voteOf);
  if (configuration.votersOutgoing.length === 0) return incoming;
  const outgoing = majorityVote(configuration.votersOutgoing, voteOf);
  if (incoming === 'lost' || outgoing === 'lost') return 'lost';
  return incoming === 'won' ? outgoing : incoming;
}

/**
 * The largest index that a majority (in a joint configuration: one of each half) has acknowledged. With the heartbeat
 * rounds in place of indexes it says which round of reads is confirmed. Number.MAX_SAFE_INTEGER in an empty configuration.
 */
export function quorumIndex(configuration: Configuration, ackOf: (id: NodeId) => number): number {
  const incoming = majorityIndex(configuration.voters, ackOf);
  if (configuration.votersOutgoing.length === 0) return incoming;
  return Math.min(incoming, majorityIndex(configuration.votersOutgoing, ackOf));
}

function majorityVote(voters: readonly NodeId[], voteOf: (id: NodeId) => boolean | undefined): VoteResult {
  let granted = 0;
  let missing = 0;
  for (const id of voters) {
    const vote = voteOf(id);
    if (vote === undefined) missing += 1;
    else if (vote) granted += 1;
  }
  const needed = majorityOf(voters.length);
  if (voters.length === 0 || granted >= needed) return 'won';
  return granted + missing >= needed ? 'pending' : 'lost';
}

function majorityIndex(voters: readonly NodeId[], ackOf: (id: NodeId) => number): number {
  if (voters.length === 0) return Number.MAX_SAFE_INTEGER;
  const acknowledged = voters.map(ackOf).sort(descending);
  return acknowledged[majorityOf(voters.length) - 1] ?? 0;
}

function majorityOf(voters: number): number {
  return Math.floor(voters / 2) + 1;
}

function descending(a: number, b: number): number {
  return b - a;
}
