/** Reasons of proofs and of streams that follow; see reasons.ts. */
import { type Row } from './row';

const MEND = 'Mend the request; nothing was done.';

export const PROOF_AND_STREAM_REASONS: readonly Row[] = [
  // Of proofs.
  [
    'PROOF_NOT_AVAILABLE',
    'UNAVAILABLE',
    'The part of the log that the proof needs is on no node that answers.',
    'Ask again when more nodes are there; what all of them have dropped cannot be proven any more.',
  ],
  [
    'PROOF_TOO_LARGE',
    'RESOURCE_EXHAUSTED',
    'The batch of the transfer does not fit into an answer.',
    'There is no other way to get it.',
  ],
  ['NO_NODE_KEY', 'FAILED_PRECONDITION', 'The node has no key to sign with.', 'Ask another node.'],
  [
    'PROOF_INVALID',
    'INVALID_ARGUMENT',
    'The proof does not hold, or its file or that of the keys cannot be read.',
    'Believe nothing of it; the message says what does not hold.',
  ],
  // Of streams that follow.
  [
    'TOO_MANY_STREAMS',
    'RESOURCE_EXHAUSTED',
    'As many streams follow this node as it serves at once.',
    'Ask another node, or close some.',
  ],
  ['ACCOUNTS_REQUIRED', 'INVALID_ARGUMENT', 'The call needs the name of at least one account.', MEND],
  [
    'FILTER_INVALID',
    'INVALID_ARGUMENT',
    'The filter asks for what there cannot be, or does not go with another one.',
    MEND,
  ],
  ['FILTER_TOO_LARGE', 'INVALID_ARGUMENT', 'A filter has at most 1,000 items.', 'Ask for less at once.'],
  [
    'FILTER_NOT_TAKEN',
    'INVALID_ARGUMENT',
    'Reading the record at one offset takes no filter.',
    'Use a stream, or leave the filter out.',
  ],
  [
    'EVENT_ID_INVALID',
    'INVALID_ARGUMENT',
    'The Last-Event-ID is not of an event of this stream.',
    'Send the id of the last event as it was, or none.',
  ],
];

/** Of dry runs of any size. */
export const DRY_RUN_REASONS: readonly Row[] = [
  [
    'DRY_RUN_UNDER_WAY',
    'RESOURCE_EXHAUSTED',
    'Somebody else tries more than one call holds on this node, which has one copy of its state for that at a time.',
    'Wait until it is done, or ask another node; the client does both until its deadline.',
  ],
  [
    'DRY_RUN_TOO_LARGE',
    'FAILED_PRECONDITION',
    'The state of the node is larger than what is copied for a dry run (1 GiB without the runs of ids), or the copy and what was tried on it take more memory than that has (3 GiB).',
    'Try a part of it: up to 8,190 items in one call need no copy. Nothing was done.',
  ],
  [
    'DRY_RUN_IDLE',
    'DEADLINE_EXCEEDED',
    'The caller of a dry run sent nothing, or did not read the answers, for a minute.',
    'Begin it again. Nothing was done.',
  ],
  [
    'DRY_RUN_TOO_LONG',
    'DEADLINE_EXCEEDED',
    'The dry run took ten minutes, the longest that one has the copy of a node for itself.',
    'Try a part of it. Nothing was done.',
  ],
  [
    'DRY_RUN_ENDED',
    'UNAVAILABLE',
    'The copy of the state on which the dry run was is gone: its thread ended, or the node took another state over.',
    'Begin it again; nothing was done. If it ends again, the message says why.',
  ],
];
