/**
 * Every reason that is not a result of the ledger: what the node, its doors and the client say of a call that has no answer.
 * Results and faults of a transfer's shape are in src/ledger/result-codes.ts.
 */
import { REASONS_OF_COMMAND, REASONS_OF_TRANSPORT } from './reasons-of-command';
import { REASONS_OF_HISTORY } from './reasons-of-history';
import { type Row } from './row';
import { DRY_RUN_REASONS, PROOF_AND_STREAM_REASONS } from './stream-reasons';

export interface Reason {
  /** Name of the canonical gRPC code; undefined for what no call answers. */
  readonly grpc: string | undefined;
  readonly meaning: string;
  readonly advice: string;
}

const WAIT_AND_RETRY = 'Try again in a moment; the client does so by itself until its deadline.';
const MEND = 'Mend the request; nothing was done.';
const BUG = 'Report it: with client and server of this product it should not happen.';

const ROWS: readonly Row[] = [
  // Of the node: the cluster cannot do it now.
  [
    'NO_LEADER',
    'UNAVAILABLE',
    'No leader is known, or the one that was asked no longer leads. Nothing was done.',
    WAIT_AND_RETRY,
  ],
  ['NOT_READY', 'UNAVAILABLE', 'The node has not joined its cluster yet, or is still catching up.', WAIT_AND_RETRY],
  [
    'SHUTTING_DOWN',
    'UNAVAILABLE',
    'The node is stopping and takes nothing new.',
    'Ask another node; the client does so by itself.',
  ],
  [
    'STOPPING',
    'UNAVAILABLE',
    'The node is stopping. Nothing was done.',
    'Ask another node; the client does so by itself.',
  ],
  ['NO_ANSWER', 'UNAVAILABLE', 'The node did not find an answer in time.', 'Ask again, or another node.'],
  [
    'CLOCK_AHEAD',
    'UNAVAILABLE',
    "The leader's clock is ahead of most other nodes', so that it does not give times to records.",
    'Set the clock of that machine (NTP); until then, or until another node leads, writes wait.',
  ],
  [
    'REFUSAL_QUOTA',
    'RESOURCE_EXHAUSTED',
    'This caller has had as many transfers refused that cost their ids as it may within an hour. Nothing was done.',
    'Look why its transfers are refused, and wait as long as the answer says. Operators: --refusal-quota.',
  ],
  ['MEMBERSHIP_BUSY', 'UNAVAILABLE', 'Another change of the membership is under way.', WAIT_AND_RETRY],
  [
    'MEMBER_NOT_FOUND',
    'NOT_FOUND',
    'No member has this name, and none of this name was removed.',
    'See `ledger members`. Nodes join by themselves: start the node with --start-join-addrs.',
  ],
  [
    'LAST_VOTER',
    'FAILED_PRECONDITION',
    'The only voter cannot be removed: nothing could ever be committed without it.',
    'Add another voter first.',
  ],
  [
    'QUORUM_AT_RISK',
    'FAILED_PRECONDITION',
    'Of the voters that would be left too few answer: writes would stop.',
    'Bring the others back, or remove those that are gone first. Where a majority is gone for good: `ledger-node recover`.',
  ],
  [
    'NON_VOTER',
    'FAILED_PRECONDITION',
    'The node was started with --non-voter and stays a learner.',
    'Start it again without that flag; it then becomes a voter by itself.',
  ],
  [
    'TRANSFER_NOT_DONE',
    'UNAVAILABLE',
    'No other node took leadership over in time; the old leader goes on.',
    'Look at `ledger status`: the named node may be behind or away.',
  ],
  [
    'STALE_READ',
    'UNAVAILABLE',
    'The state of the node is older than the read allows.',
    'Ask another node, allow more staleness, or read linearizable.',
  ],
  [
    'PROJECTION_UNAVAILABLE',
    'UNAVAILABLE',
    'The node keeps no rows, or they have not come as far as the read needs.',
    'Ask again soon, or another node; `ledger status` says why where the projection is paused.',
  ],
  [
    'SQL_REFUSED',
    'INVALID_ARGUMENT',
    'The database, or the node before it, does not take this statement.',
    'Mend what the message says. Only statements that read are taken.',
  ],
  [
    'SQL_TIMEOUT',
    'DEADLINE_EXCEEDED',
    'The statement took longer than the call allows, and was ended.',
    'Ask for less, or with a longer --timeout.',
  ],
  [
    'OVERLOADED',
    'RESOURCE_EXHAUSTED',
    'As much as allowed already waits to be written. Nothing was done.',
    'Send less at once; wait for answers.',
  ],
  [
    'DISK_FULL',
    'RESOURCE_EXHAUSTED',
    'The disk of the leader has no room left, and no other voter that has room could take over. Nothing was done; reads go on.',
    'Make room on the disks (`ledger status` shows which); writes then go on by themselves. The client tries again until its deadline.',
  ],
  [
    'BACKUP_UNDER_WAY',
    'RESOURCE_EXHAUSTED',
    'The node is making a backup already, and makes one at a time.',
    'Wait until it is done, or ask another node.',
  ],
  ...DRY_RUN_REASONS,
  [
    'RECORD_UNDECODABLE',
    'INTERNAL',
    'A committed batch holds bytes that cannot be told apart into records.',
    'Report it, and keep the data directory.',
  ],
  [
    'LEDGER_NOT_FOUND',
    'NOT_FOUND',
    'The ledger does not exist.',
    'Create it (`ledger create-ledger`), or mend its code.',
  ],
  [
    'INTERNAL',
    'INTERNAL',
    'The server failed on this request in a way that nobody foresaw.',
    'Its log says more; report it.',
  ],
  ['UNIMPLEMENTED', 'UNIMPLEMENTED', 'This version does not do that.', 'See CHANGELOG.md for what is there.'],
  // Of the call.
  [
    'OUTCOME_UNKNOWN',
    'UNAVAILABLE',
    'The write was sent and its answer was lost: it may have been done.',
    'A transfer: send it again with the same id, it is done at most once. A produced value: look whether it is in the log first.',
  ],
  ['MALFORMED_REQUEST', 'INVALID_ARGUMENT', 'The bytes are no valid encoding of the request.', MEND],
  ['BATCH_EMPTY', 'INVALID_ARGUMENT', 'A batch has at least one item.', MEND],
  ['BATCH_TOO_LARGE', 'INVALID_ARGUMENT', 'A batch has at most 8,190 items and 1 MiB.', 'Split it.'],
  ['BATCH_AMBIGUOUS', 'INVALID_ARGUMENT', 'A batch has packed rows or messages, not both.', MEND],
  [
    'CONSISTENCY_INVALID',
    'INVALID_ARGUMENT',
    'The read asks for a consistency that does not exist.',
    'Say linearizable, at-least with a token, or stale.',
  ],
  [
    'TOKEN_REQUIRED',
    'INVALID_ARGUMENT',
    'A read at least as new as something needs the token of that.',
    'Give the token of an earlier answer.',
  ],
  [
    'TOKEN_INVALID',
    'INVALID_ARGUMENT',
    'The token was not given by this cluster.',
    'Give the token of an earlier answer of the same cluster, as it was.',
  ],
  ['PAGE_TOO_LARGE', 'INVALID_ARGUMENT', 'A page has at most 1,000 items.', 'Ask for less at once.'],
  [
    'PAGE_TOKEN_INVALID',
    'INVALID_ARGUMENT',
    'The page token is not from an answer to the same question.',
    'Begin with the first page.',
  ],
  ...REASONS_OF_HISTORY,
  [
    'QUERY_INVALID',
    'INVALID_ARGUMENT',
    'A parameter of the HTTP request cannot be read, or is not one of this call.',
    MEND,
  ],
  ['PATH_INVALID', 'INVALID_ARGUMENT', 'The path of the HTTP request is not valid text.', MEND],
  ['JSON_INVALID', 'INVALID_ARGUMENT', 'The body of the HTTP request is not the JSON that is expected.', MEND],
  ['FIELD_UNKNOWN', 'INVALID_ARGUMENT', 'The body of the HTTP request has a field that this call does not take.', MEND],
  ['BODY_TOO_LARGE', 'INVALID_ARGUMENT', 'The body of the HTTP request has more than 1 MiB.', 'Send less at once.'],
  ['BODY_INCOMPLETE', 'INVALID_ARGUMENT', 'The body of the HTTP request ended early.', 'Send it again.'],
  [
    'METHOD_NOT_ALLOWED',
    'INVALID_ARGUMENT',
    'The path of the HTTP request does not take this method.',
    'See docs for what it takes.',
  ],
  ['NOT_FOUND', 'NOT_FOUND', 'There is nothing at this path of the HTTP server.', 'See docs for what there is.'],
  [
    'ACCOUNT_NOT_FOUND',
    'NOT_FOUND',
    'No account has this name.',
    'Open it (`ledger account open`), or mend the name: upper and lower case differ.',
  ],
  [
    'TRANSFER_NOT_FOUND',
    'NOT_FOUND',
    'No transfer with this id was done or refused for good.',
    'It may be sent with this id.',
  ],
  ['SERVICE_UNKNOWN', 'NOT_FOUND', 'The server has no service of this name.', 'Ask for one that reflection lists.'],
  [
    'HOST_NOT_ALLOWED',
    'PERMISSION_DENIED',
    'The Host of the HTTP request is not one of this node.',
    'Call it by the address that it listens on.',
  ],
  [
    'ORIGIN_NOT_ALLOWED',
    'PERMISSION_DENIED',
    'A web page of another origin may not call this node.',
    'Call it from the same origin, or from a program.',
  ],
  [
    'STATE_DIVERGED',
    'UNAVAILABLE',
    'The state of this node was not that of the majority, so that it serves nothing any more.',
    'Ask another node; see docs/operations.md for what to do with this one.',
  ],
  [
    'IDS_DAMAGED',
    'UNAVAILABLE',
    'What the disk of this node holds of older transfers is damaged; its message names file and byte.',
    'Ask another node; see docs/operations.md for what to do with this one.',
  ],
  ...PROOF_AND_STREAM_REASONS,
  // Of the log.
  ['RECORD_REQUIRED', 'INVALID_ARGUMENT', 'A request to produce carries a record.', MEND],
  ['RECORD_TOO_LARGE', 'INVALID_ARGUMENT', 'A record has at most 1 MiB.', 'Split it.'],
  ['RECORD_TYPE_RESERVED', 'INVALID_ARGUMENT', 'Producers write records of type 0; the others are the ledger’s.', MEND],
  [
    'OFFSET_BEYOND_END',
    'OUT_OF_RANGE',
    'The log is not that long yet.',
    'Wait for it with a stream (`ledger consume --follow`).',
  ],
  [
    'OFFSET_NOT_RETAINED',
    'OUT_OF_RANGE',
    'The log no longer holds this offset.',
    'Begin at the first offset that the error names.',
  ],
  // Of operators.
  ['NODE_NAME_REQUIRED', 'INVALID_ARGUMENT', 'The call needs the name of a node.', MEND],
  ['NODE_NAME_INVALID', 'INVALID_ARGUMENT', 'This is no name of a node.', MEND],
  // Of the client.
  [
    'NO_CLUSTER',
    'UNAVAILABLE',
    'None of the addresses answered.',
    'Is a node running there? `--addr` says where to look.',
  ],
  ['NOT_CONNECTED', 'UNAVAILABLE', 'No connection to the server could be made. Nothing was sent.', WAIT_AND_RETRY],
  ['CONNECTION_LOST', 'UNAVAILABLE', 'The connection was lost while the call was under way.', WAIT_AND_RETRY],
  [
    'DEADLINE',
    'DEADLINE_EXCEEDED',
    'The time that the call was given is over.',
    'Give it more time, or look at `ledger status`.',
  ],
  ['CLIENT_CLOSED', 'CANCELLED', 'The client was closed.', 'Connect a new one.'],
  [
    'BACKLOG_FULL',
    'RESOURCE_EXHAUSTED',
    'More calls wait for room in the client than it keeps.',
    'Wait for answers before making more calls.',
  ],
  ['MALFORMED_ANSWER', 'INTERNAL', "The server's answer is not what the protocol says.", BUG],
  ...REASONS_OF_TRANSPORT,
  ...REASONS_OF_COMMAND,
];

const BY_NAME = new Map(
  ROWS.map(([name, grpc, meaning, advice]): [string, Reason] => [name, { grpc, meaning, advice }]),
);

/** @param name upper snake case */
export function reasonByName(name: string): Reason | undefined {
  return BY_NAME.get(name);
}

export function reasonNames(): string[] {
  return [...BY_NAME.keys()];
}
