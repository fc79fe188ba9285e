import { type Contact } from './contact';
import { type DatagramGuard } from './datagram-guard';
import { type Drops } from './drops';
import { type UserEvents } from './events';
import { type HardenedSwim } from './hardened-swim';
import { isLive, mayGossip } from './member';
import { type MemberTable } from './member-table';
import { type GossipMessage, type MemberRecord } from './messages';

export interface IntakeOptions {
  readonly self: string;
  readonly guard: DatagramGuard;
  readonly swim: HardenedSwim;
  readonly table: MemberTable;
  readonly events: UserEvents;
  readonly contact: Contact;
  readonly drops: Drops;
  readonly reapAfterMs: number;
  readonly monotonicMillis: () => number;
  readonly isStopping: () => boolean;
  /** Forgets a member that has been gone for longest, to make room for one that is alive. */
  readonly forget: (host: string) => void;
}

/** News of a member that is about to be forgotten anyway is not taken in from those who forget it a little later. */
const REAP_MARGIN = 0.9;

/** Hands what the guard let in to whom it concerns, and decides which members this node takes notice of. */
export class Intake {
  constructor(private readonly options: IntakeOptions) {}

  receive(datagram: Buffer, from: string): void {
    const { guard, contact, isStopping } = this.options;
    if (isStopping()) return;
    const accepted = guard.admit(datagram, from);
    if (!accepted) return;
    const { sender, clusterId, messages } = accepted;
    if (clusterId !== '') contact.heardFromCluster(sender, clusterId);
    for (const message of messages) {
      // A listener may have stopped this node in answer to the message before.
      if (!isStopping()) this.dispatch(message, sender, from);
    }
  }

  private dispatch(message: GossipMessage, sender: string, from: string): void {
    const { self, swim, events, drops } = this.options;
    switch (message.type) {
      case 'ping':
        return swim.pinged(message.seq, sender, from);
      case 'ack':
        return swim.acknowledged(message.seq, sender);
      case 'pingReq':
        // With two members left the one that did not answer is its own relay: asked to probe itself, it just answers.
        if (message.destination === self) return swim.pinged(message.seq, sender, from);
        if (swim.isKnown(message.destination)) return swim.askedToProbe(message.seq, message.destination, from);
        return drops.count('unknown_destination', { sender, destination: message.destination });
      case 'sync':
        // The answer goes to the address in the record: only a node itself may ask for it to be sent there.
        if (message.record.gossipAddr !== sender) return drops.count('malformed', { from, sender });
        if (this.isWelcome(message.record, sender)) swim.synced(message.record);
        return;
      case 'update':
        if (this.isWelcome(message.record, sender)) swim.updated(message.record);
        return;
      case 'event':
        return events.receive(message.event, this.options.monotonicMillis());
    }
  }

  private isWelcome(record: MemberRecord, sender: string): boolean {
    const { self, swim, drops } = this.options;
    const { gossipAddr, tags } = record;
    // About this node itself: SWIM objects if it is wrong, and takes nothing else from it.
    if (gossipAddr === self) return true;
    if (!mayGossip(swim.tags.clusterId, tags.clusterId)) {
      drops.count('foreign_record', { sender, gossipAddr, clusterId: tags.clusterId });
      return false;
    }
    if (swim.isKnown(gossipAddr)) return true;
    return isLive(record.state) ? this.makeRoomFor(record, sender) : this.isWorthRemembering(record);
  }

  private makeRoomFor({ gossipAddr, tags }: MemberRecord, sender: string): boolean {
    const { table, drops, forget } = this.options;
    const room = table.makeRoom();
    if (!room) {
      drops.count('too_many_members', { sender, gossipAddr, name: tags.name });
      return false;
    }
    for (const host of room) forget(host);
    return true;
  }

  /** Someone who was gone before this node came. Never at the price of another: rumours of the dead would chase each other. */
  private isWorthRemembering({ goneForMs }: MemberRecord): boolean {
    return goneForMs < this.options.reapAfterMs * REAP_MARGIN && this.options.table.makeRoom()?.length === 0;
  }
}
