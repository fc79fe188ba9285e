import type { SnapshotTransfer } from '../raft/replica/snapshot-transfer';
import type { IncomingCall } from '../raft/transport';
import { PEER_CALLS } from './peer-calls';

/** As SnapshotTransfer names them. */
export const SNAPSHOT_CALLS = {
  begin: PEER_CALLS.snapshotBegin,
  chunk: PEER_CALLS.snapshotChunk,
  finish: PEER_CALLS.snapshotFinish,
  attachmentBegin: PEER_CALLS.attachmentBegin,
  attachmentChunk: PEER_CALLS.attachmentChunk,
  attachmentFinish: PEER_CALLS.attachmentFinish,
} as const;

/** Answers the calls of those who send this node a snapshot. */
export function serveSnapshots(
  handle: (method: number, answer: (call: IncomingCall) => Promise<Buffer>) => unknown,
  transfer: SnapshotTransfer,
): void {
  handle(SNAPSHOT_CALLS.begin, (call) => transfer.begin(call));
  handle(SNAPSHOT_CALLS.chunk, (call) => transfer.chunk(call));
  handle(SNAPSHOT_CALLS.finish, (call) => transfer.finish(call));
  handle(SNAPSHOT_CALLS.attachmentBegin, (call) => transfer.attachmentBegin(call));
  handle(SNAPSHOT_CALLS.attachmentChunk, (call) => transfer.attachmentChunk(call));
  handle(SNAPSHOT_CALLS.attachmentFinish, (call) => transfer.attachmentFinish(call));
}
