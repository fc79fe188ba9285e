import type { Message, NodeId, SnapshotMeta } from '../core';
import {
  isAttachment,
  SnapshotError,
  type Attachment,
  type AttachmentStore,
  type IncomingSnapshot,
  type SnapshotFileMeta,
  type SnapshotStore,
  type StoredSnapshot,
} from '../snapshot';
import { CallError, type IncomingCall } from '../transport';
import type { CatchUpPace } from './catch-up-pace';
import type { EventLog } from './environment';

/** The numbers of the calls that move a snapshot. */
export interface SnapshotCalls {
  readonly begin: number;
  readonly chunk: number;
  readonly finish: number;
  readonly attachmentBegin: number;
  readonly attachmentChunk: number;
  readonly attachmentFinish: number;
}

export interface SnapshotTransferOptions {
  readonly id: NodeId;
  readonly group: number;
  readonly store: SnapshotStore;
  readonly attachments: AttachmentStore;
  readonly calls: SnapshotCalls;
  readonly call: (to: NodeId, group: number, method: number, body: Buffer, deadlineMs: number) => Promise<Buffer>;
  /** Hands the finished snapshot to the core, as a message of its sender. */
  readonly step: (message: Message) => void;
  readonly pace: CatchUpPace;
  /** From now on the peer needs the log behind this index: what it is sent ends there. */
  readonly onSending: (to: NodeId, index: number) => void;
  /** The newest snapshot turned out to be damaged here, and is set aside: peers that need one need another. */
  readonly onDamaged: () => void;
  readonly events: EventLog;
}

const CHUNK_BYTES = 1 << 20;
const CALL_MILLIS = 10_000;
/** A slow disk: 16 MB a second. */
const VERIFIED_BYTES_A_MILLI = 16_000;
const BEGIN_BYTES = 24;
const RECEIVED_BYTES = 8;
const OFFSET_BYTES = 8;
const FINISH_BYTES = 8;

/** Moves whole snapshot files between members, in chunks, one chunk at a time; an attempt goes on where the last one ended. */
export class SnapshotTransfer {
  private incoming:
    | {
        readonly from: NodeId;
        readonly meta: { index: number; term: number };
        readonly snapshot: IncomingSnapshot<StoredSnapshot>;
      }
    | undefined;

  constructor(private readonly options: SnapshotTransferOptions) {}

  /** Sends the newest snapshot; resolves to its index, or to undefined where that failed. `term` is the sender's. */
  async send(to: NodeId, term: number): Promise<number | undefined> {
    const { store, pace, events } = this.options;
    const newest = store.newest;
    if (!newest) return undefined;
    this.options.onSending(to, newest.meta.index);
    try {
      const reader = await store.read(newest.meta.index);
      try {
        let at = readU64(await this.ask(to, this.options.calls.begin, encodeBegin(newest)), 0);
        while (at < newest.bytes) {
          const bytes = await reader.read(at, Math.min(CHUNK_BYTES, newest.bytes - at));
          await this.ask(to, this.options.calls.chunk, Buffer.concat([u64(at), bytes]));
          at += bytes.length;
          pace.sent(to, bytes.length);
          await pace.turn(to);
        }
        for (const attachment of newest.meta.attachments ?? []) await this.sendAttachment(to, attachment);
        await this.ask(to, this.options.calls.finish, u64(term), newest.bytes);
      } finally {
        await reader.close();
      }
      return newest.meta.index;
    } catch (error) {
      if (!(error instanceof CallError) && !(error instanceof SnapshotError)) throw error;
      events.warn(
        { peer: to, index: newest.meta.index, err: error },
        'a snapshot did not reach a peer; trying again when it asks',
      );
      if ((error instanceof CallError ? error.reason : error.code) === 'DAMAGED') await this.doubted(newest);
      return undefined;
    }
  }

  /** It may have been damaged on its way, or lie so on this disk: then no peer would ever get a whole one. */
  private async doubted(snapshot: StoredSnapshot): Promise<void> {
    const { store, events, onDamaged } = this.options;
    const error = await store.check(snapshot);
    if (!error) return;
    events.error(
      { file: snapshot.file, err: error },
      'the newest snapshot is damaged; it is set aside for another one',
    );
    onDamaged();
  }

  /** What the peer has already is not sent again. */
  private async sendAttachment(to: NodeId, attachment: Attachment): Promise<void> {
    const { attachments, calls, pace } = this.options;
    let at = readU64(await this.ask(to, calls.attachmentBegin, encodeAttachment(attachment)), 0);
    while (at < attachment.bytes) {
      const bytes = await attachments.read(attachment.name, at, Math.min(CHUNK_BYTES, attachment.bytes - at));
      if (bytes.length === 0)
        throw new SnapshotError('DAMAGED', `The attachment ${attachment.name} ends at byte ${at}.`);
      at = readU64(await this.ask(to, calls.attachmentChunk, Buffer.concat([u64(at), bytes])), 0);
      pace.sent(to, bytes.length);
      await pace.turn(to);
    }
    try {
      await this.ask(to, calls.attachmentFinish, encodeAttachment(attachment), attachment.bytes);
    } catch (error) {
      // Damaged here already, perhaps: then no peer would ever get a whole one.
      if (error instanceof CallError && error.reason === 'DAMAGED') await attachments.doubted(attachment.name);
      throw error;
    }
  }

  /** Serves `attachmentBegin`: answers how many bytes of it are here already. It goes with the snapshot that was begun before. */
  async attachmentBegin(call: IncomingCall): Promise<Buffer> {
    this.expected(call.from);
    return u64(await told(this.options.attachments.beginReceive(decodeAttachment(call.body))));
  }

  /** Serves `attachmentChunk`. */
  async attachmentChunk(call: IncomingCall): Promise<Buffer> {
    this.expected(call.from);
    const at = readU64(call.body, 0);
    return u64(await told(this.options.attachments.write(at, call.body.subarray(OFFSET_BYTES))));
  }

  /** Serves `attachmentFinish`: verifies it. An older sender does not say which it means. */
  async attachmentFinish(call: IncomingCall): Promise<Buffer> {
    this.expected(call.from);
    const name = call.body.length > 0 ? decodeAttachment(call.body).name : undefined;
    await told(this.options.attachments.finishReceive(name));
    return Buffer.alloc(0);
  }

  /** Serves `begin`: answers how many bytes of this snapshot are here already. */
  async begin(call: IncomingCall): Promise<Buffer> {
    const meta = { index: readU64(call.body, 0), term: readU64(call.body, 8) };
    await this.suspendIncoming();
    const bytes = readU64(call.body, 16);
    const snapshot = await told(this.options.store.beginReceive(meta, bytes, (whole) => this.expectAttachments(whole)));
    // Another sender may have begun meanwhile; the last one goes on.
    await this.suspendIncoming();
    this.incoming = { from: call.from, meta, snapshot };
    return u64(snapshot.received);
  }

  /** Serves `chunk`. */
  async chunk(call: IncomingCall): Promise<Buffer> {
    const { snapshot } = this.expected(call.from);
    await told(snapshot.write(readU64(call.body, 0), call.body.subarray(OFFSET_BYTES)));
    return u64(snapshot.received);
  }

  /** Serves `finish`: verifies the whole and offers it to the core. */
  async finish(call: IncomingCall): Promise<Buffer> {
    const { snapshot } = this.expected(call.from);
    const term = readU64(call.body, 0);
    this.incoming = undefined;
    const { meta } = await told(snapshot.finish());
    const { index, configuration } = meta;
    const offered: SnapshotMeta = { index, term: meta.term, configuration };
    this.options.step({ type: 'snapshot', from: call.from, to: this.options.id, term, meta: offered });
    return Buffer.alloc(FINISH_BYTES);
  }

  /** A late call of an earlier attempt may have let the sender believe that all of them arrived. */
  private async expectAttachments({ attachments = [] }: SnapshotFileMeta): Promise<void> {
    for (const { name } of attachments) {
      if (await this.options.attachments.has(name)) continue;
      throw new SnapshotError('MISSING', `The attachment ${name} of the snapshot has not arrived; send it again.`);
    }
  }

  private async suspendIncoming(): Promise<void> {
    while (this.incoming) {
      const { snapshot } = this.incoming;
      this.incoming = undefined;
      await snapshot.suspend();
    }
  }

  private expected(from: NodeId): { readonly snapshot: IncomingSnapshot<StoredSnapshot> } {
    if (this.incoming?.from === from) return this.incoming;
    throw new CallError('FAILED_PRECONDITION', 'SNAPSHOT_NOT_BEGUN', 'no snapshot of this sender is being received', {
      sent: true,
    });
  }

  /** @param toVerify bytes that the peer reads once more before it answers */
  private ask(to: NodeId, method: number, body: Buffer, toVerify = 0): Promise<Buffer> {
    const millis = CALL_MILLIS + Math.ceil(toVerify / VERIFIED_BYTES_A_MILLI);
    return this.options.call(to, this.options.group, method, body, millis);
  }
}

/** What is wrong with a snapshot is the sender's to know. */
async function told<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof SnapshotError)
      throw new CallError('FAILED_PRECONDITION', error.code, error.message, { sent: true });
    throw error;
  }
}

function encodeBegin({ meta, bytes }: StoredSnapshot): Buffer {
  const body = Buffer.alloc(BEGIN_BYTES);
  body.writeBigUInt64LE(BigInt(meta.index), 0);
  body.writeBigUInt64LE(BigInt(meta.term), 8);
  body.writeBigUInt64LE(BigInt(bytes), 16);
  return body;
}

/** u64 length of the file, its name. */
function encodeAttachment({ name, bytes }: Attachment): Buffer {
  return Buffer.concat([u64(bytes), Buffer.from(name, 'utf8')]);
}

function decodeAttachment(body: Buffer): Attachment {
  const attachment = { bytes: readU64(body, 0), name: body.toString('utf8', OFFSET_BYTES) };
  if (isAttachment(attachment)) return attachment;
  throw new CallError('INVALID_ARGUMENT', 'NO_ATTACHMENT', 'the body does not name an attachment', { sent: true });
}

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(RECEIVED_BYTES);
  bytes.writeBigUInt64LE(BigInt(value), 0);
  return bytes;
}

function readU64(body: Buffer, at: number): number {
  if (at + 8 > body.length)
    throw new CallError('INVALID_ARGUMENT', 'BODY_TOO_SHORT', `a body of ${body.length} bytes ends too early`, {
      sent: true,
    });
  return Number(body.readBigUInt64LE(at));
}
