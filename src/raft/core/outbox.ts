import type { Message } from './messages';
import type { ReadRefusal, ReadState } from './ready';
import type { NodeId, SnapshotMeta } from './types';

/** What has to be done outside, collected for the next Ready. */
export class Outbox {
  readonly messages: Message[] = [];
  readonly messagesAfterSync: Message[] = [];
  readonly readStates: ReadState[] = [];
  readonly readRefusals: ReadRefusal[] = [];
  readonly snapshotsToSend: { to: NodeId }[] = [];
  readonly reads: { peer: NodeId; from: number }[] = [];
  installSnapshot: SnapshotMeta | undefined;
  lossSettled = false;

  get isEmpty(): boolean {
    return (
      this.messages.length === 0 &&
      this.messagesAfterSync.length === 0 &&
      this.readStates.length === 0 &&
      this.readRefusals.length === 0 &&
      this.snapshotsToSend.length === 0 &&
      this.reads.length === 0 &&
      this.installSnapshot === undefined &&
      !this.lossSettled
    );
  }

  /** For what tells others about a term, a vote or entries that a crash could still take back. */
  sendAfterSync(message: Message): void {
    const last = this.messagesAfterSync.at(-1);
    if (last !== undefined && supersedes(message, last)) this.messagesAfterSync.pop();
    this.messagesAfterSync.push(message);
  }
}

/** Of two acceptances in one Ready the higher one says everything. */
function supersedes(message: Message, earlier: Message): boolean {
  return (
    message.type === 'appendResp' &&
    earlier.type === 'appendResp' &&
    !message.reject &&
    !earlier.reject &&
    message.to === earlier.to &&
    message.term === earlier.term &&
    message.index >= earlier.index
  );
}
