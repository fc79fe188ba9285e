import type { ReplicaError } from '../../../src/raft/replica/errors';
import type { Applied, Proposal } from '../../../src/raft/replica/proposal-queue';

/** A proposal that remembers how it ended. */
export interface SeenProposal extends Proposal {
  ending: Applied | ReplicaError | undefined;
}

export interface Wanted {
  readonly kind?: number;
  readonly bytes?: number;
  readonly count?: number;
  readonly deadlineAt?: number;
}

export function proposal({ kind = 0, bytes = 10, count = 1, deadlineAt = 1_000 }: Wanted = {}): SeenProposal {
  const seen: SeenProposal = {
    kind,
    chunk: Buffer.alloc(bytes),
    count,
    deadlineAt,
    resolve: (applied) => end(applied),
    reject: (error) => end(error),
    settled: false,
    ending: undefined,
  };
  const end = (ending: Applied | ReplicaError): void => {
    if (seen.ending !== undefined) throw new Error('A proposal was answered twice.');
    seen.ending = ending;
  };
  return seen;
}
