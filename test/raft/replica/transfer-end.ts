import { join } from 'node:path';
import { NodeFiles } from '../../../src/log/node-files';
import { RunReceiver } from '../../../src/node/ids/run-receiver';
import { SNAPSHOT_CALLS } from '../../../src/node/snapshot-calls';
import type { Message } from '../../../src/raft/core';
import { CatchUpPace } from '../../../src/raft/replica/catch-up-pace';
import { systemClock, systemScheduler } from '../../../src/raft/replica/environment';
import { SnapshotTransfer } from '../../../src/raft/replica/snapshot-transfer';
import { SnapshotStore } from '../../../src/raft/snapshot';
import { CallError, type IncomingCall } from '../../../src/raft/transport';
import { recordedEvents } from '../../node/recorded-events';
import { CLUSTER, SnapshottedGroup } from './snapshotted-group';

export const CALLS = SNAPSHOT_CALLS;

interface Sent {
  readonly method: number;
  readonly offset: number;
  readonly bytes: number;
}

/** A node's end of the transfer, on a folder of its own. */
export class TransferEnd {
  readonly steps: Message[] = [];
  readonly sent: Sent[] = [];
  readonly events = recordedEvents();
  /** How often its own newest snapshot turned out to be damaged. */
  damaged = 0;
  /** What it said that it is sending. */
  readonly sending: string[] = [];
  /** Milliseconds that each kind of call may take, as was said last. */
  readonly deadlines = new Map<number, number>();
  readonly transfer: SnapshotTransfer;
  /** Looks at, changes or breaks what is on its way; throws to lose it. */
  onTheWay: (method: number, body: Buffer) => Buffer | Promise<Buffer> = (_method, body) => body;

  private constructor(
    readonly id: string,
    readonly folder: string,
    readonly store: SnapshotStore,
    peers: ReadonlyMap<string, TransferEnd>,
  ) {
    this.transfer = new SnapshotTransfer({
      id,
      group: 0,
      store,
      calls: CALLS,
      attachments: new RunReceiver(new NodeFiles(), this.runs),
      call: async (to, group, method, body, deadlineMs) => {
        this.deadlines.set(method, deadlineMs);
        const offset = method === CALLS.chunk ? Number(body.readBigUInt64LE(0)) : 0;
        this.sent.push({ method, offset, bytes: body.length });
        const changed = await this.onTheWay(method, body);
        return (peers.get(to) as TransferEnd).serve(method, this.call(group, changed));
      },
      step: (message) => void this.steps.push(message),
      pace: new CatchUpPace(systemClock, systemScheduler, 1 << 30),
      onDamaged: () => void (this.damaged += 1),
      onSending: (to, index) => void this.sending.push(`${index} to ${to}`),
      events: this.events,
    });
  }

  static async open(
    id: string,
    peers: Map<string, TransferEnd>,
    folder = SnapshottedGroup.folder(),
  ): Promise<TransferEnd> {
    const files = new NodeFiles();
    await files.makeDirectory(runsIn(folder));
    const store = await SnapshotStore.open({ directory: folder, files, clusterId: CLUSTER, group: 0 });
    const end = new TransferEnd(id, folder, store, peers);
    peers.set(id, end);
    return end;
  }

  call(group: number, body: Buffer): IncomingCall {
    const peer = { clusterId: CLUSTER, nodeId: this.id, nodeName: this.id };
    return { from: this.id, peer, group, body, deadline: 0 };
  }

  /** As the transport does it: what the handler throws is the caller's. */
  async serve(method: number, call: IncomingCall): Promise<Buffer> {
    try {
      switch (method) {
        case CALLS.begin:
          return await this.transfer.begin(call);
        case CALLS.chunk:
          return await this.transfer.chunk(call);
        case CALLS.attachmentBegin:
          return await this.transfer.attachmentBegin(call);
        case CALLS.attachmentChunk:
          return await this.transfer.attachmentChunk(call);
        case CALLS.attachmentFinish:
          return await this.transfer.attachmentFinish(call);
        default:
          return await this.transfer.finish(call);
      }
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      throw new CallError(error.code, error.reason, error.message, { sent: true, remote: true });
    }
  }

  /** The folder of the files that snapshots lean on. */
  get runs(): string {
    return runsIn(this.folder);
  }

  offsets(): number[] {
    return this.sent.filter(({ method }) => method === CALLS.chunk).map(({ offset }) => offset);
  }
}

function runsIn(folder: string): string {
  return join(folder, 'runs');
}
