/** Why a question about the past has no answer: rows of reasons.ts. */
import { type Row } from './row';

export const REASONS_OF_HISTORY: readonly Row[] = [
  [
    'NO_PROJECTION',
    'UNAVAILABLE',
    'The node keeps no rows, which the past is answered from.',
    'Ask another node, or start it without `--database-url off`.',
  ],
  [
    'PROJECTION_PAUSED',
    'UNAVAILABLE',
    'The rows of the node do not move, so they do not reflect what the read asks for. The message says why.',
    'Ask another node; see docs/projection.md for the reason.',
  ],
  [
    'PROJECTION_BEHIND',
    'UNAVAILABLE',
    'The rows of the node did not come as far as the read asks for in time.',
    'Try again, with more time, or ask another node; `ledger status` shows how far it is.',
  ],
  [
    'PROJECTION_FAILED',
    'UNAVAILABLE',
    'The database of the rows did not answer.',
    'Ask another node, or try again when the database is there again.',
  ],
  [
    'HISTORY_BUSY',
    'RESOURCE_EXHAUSTED',
    'As many questions about the past as allowed are under way at the node.',
    'Ask less at once, or another node.',
  ],
  [
    'OFFSET_NOT_REACHED',
    'OUT_OF_RANGE',
    'The past was asked about at an offset that no record has yet.',
    'Ask about an earlier one, or read at least as new as the token of its answer.',
  ],
  [
    'MOMENT_INVALID',
    'INVALID_ARGUMENT',
    'A point in time is an offset or a time, and exactly one of them.',
    'Write an offset, a day or a time such as 2024-05-31T12:00:00Z.',
  ],
];
