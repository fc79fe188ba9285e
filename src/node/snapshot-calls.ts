import type { Replica } from '../raft/replica/replica';
import { SnapshotTransfer, type SnapshotTransferOptions } from '../raft/replica/snapshot-transfer';
import type { CoreStatus, NodeId } from '../raft/core';
import type { IncomingCall } from '../raft/transport';
import type { GroupStorage } from './group-storage';
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

type Surroundings = Pick<SnapshotTransferOptions, 'id' | 'group' | 'call' | 'pace' | 'events'>;

/** Sends this group's snapshots, and takes those of others. */
export function snapshotTransfer(
  { snapshots, ids, snapshotter, unread }: Pick<GroupStorage, 'snapshots' | 'ids' | 'snapshotter' | 'unread'>,
  replica: () => Pick<Replica, 'receive' | 'status'>,
  surroundings: Surroundings,
): SnapshotTransfer {
  return new SnapshotTransfer({
    ...surroundings,
    store: snapshots,
    attachments: ids.receiver,
    calls: SNAPSHOT_CALLS,
    step: (message) => replica().receive(message),
    onSending: (to, index) => unread.read(`peer ${to}`, () => unreadBy(replica().status(), to, index)),
    onDamaged: () => snapshotter.replaceNewest(),
  });
}

/** What a peer lacks that was sent a snapshot at `index`: nothing any more once it has come to what is committed. */
function unreadBy({ peers, commit }: CoreStatus, to: NodeId, index: number): number | undefined {
  const peer = peers.find(({ id }) => id === to);
  if (!peer || peer.match >= commit) return undefined;
  return Math.max(peer.match, index) + 1;
}

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
