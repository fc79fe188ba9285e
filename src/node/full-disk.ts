import type { DiskSpace } from '../log/disk-space';
import type { NodeId } from '../raft/core';
import type { EventLog } from '../raft/replica/environment';
import type { Replica } from '../raft/replica/replica';
import { CallError } from '../raft/transport';
import { decodeJson, encodeJson, PEER_CALLS, PeerBodyError } from './peer-calls';

export interface FullDiskOptions {
  readonly space: Pick<DiskSpace, 'full'>;
  readonly replica: Pick<Replica, 'isLeader' | 'status'>;
  readonly call: (to: NodeId, method: number, body: Buffer) => Promise<Buffer>;
  /** Begins to hand leadership over; rejects where it does not even start. */
  readonly handOver: (to: NodeId) => Promise<void>;
  readonly nameOf: (id: NodeId) => string;
  readonly events: EventLog;
}

/**
 * A leader whose disk is full takes no writes, so it looks for a voter that can: it asks them about their disks, the one with
 * most of the log first, and hands over to the first that has room. Where nobody has, it goes on leading, for the reads.
 */
export class FullDisk {
  private busy = false;

  constructor(private readonly options: FullDiskOptions) {}

  /** Serves PEER_CALLS.disk: how it is with this node's disk. */
  serve(): Buffer {
    return encodeJson({ full: this.options.space.full });
  }

  /** To be called now and then. Never rejects. */
  async step(): Promise<void> {
    const { space, replica, events } = this.options;
    if (this.busy || !space.full || !replica.isLeader) return;
    this.busy = true;
    try {
      await this.handOver();
    } catch (error) {
      events.warn({ err: error }, 'the disk is full, and leadership was not handed over; trying again');
    } finally {
      this.busy = false;
    }
  }

  private async handOver(): Promise<void> {
    for (const voter of this.candidates()) {
      if (!(await this.hasRoom(voter))) continue;
      const { space, replica, events, nameOf, handOver } = this.options;
      if (!space.full || !replica.isLeader) return;
      events.warn({ to: nameOf(voter) }, 'the disk is full: handing leadership over to a voter that has room');
      await handOver(voter);
      return;
    }
  }

  private candidates(): NodeId[] {
    const { id, configuration, peers } = this.options.replica.status();
    const voters = new Set(configuration.voters);
    const able = peers.filter((peer) => peer.id !== id && voters.has(peer.id) && peer.recentActive);
    return able.sort((a, b) => b.match - a.match).map((peer) => peer.id);
  }

  /** Who does not answer, or runs a program that does not know the question, is not handed anything. */
  private async hasRoom(voter: NodeId): Promise<boolean> {
    try {
      return decodeJson(await this.options.call(voter, PEER_CALLS.disk, encodeJson({})))['full'] === false;
    } catch (error) {
      if (!(error instanceof CallError) && !(error instanceof PeerBodyError)) throw error;
      this.options.events.debug({ peer: voter, err: error }, 'a voter did not say whether its disk has room');
      return false;
    }
  }
}
