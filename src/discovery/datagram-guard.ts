import { type Drops } from './drops';
import { openEnvelope, type OpenedEnvelope } from './envelope';
import { type Keyring } from './keyring';
import { mayGossip } from './member';
import { parseMessages, type GossipMessage } from './messages';
import { SenderSessions } from './replay-window';

export interface DatagramGuardOptions {
  readonly self: string;
  /** This node's own session: a datagram that carries it came back to where it was sent from. */
  readonly ownSession: () => string;
  readonly clusterId: () => string;
  readonly keyring: Keyring | undefined;
  /** Senders whose datagrams are told from repetitions. */
  readonly senderLimit: number;
  readonly monotonicMillis: () => number;
  readonly drops: Drops;
}

export interface AcceptedDatagram {
  readonly sender: string;
  /** Empty while the sender is joining. */
  readonly clusterId: string;
  readonly messages: readonly GossipMessage[];
}

/**
 * Lets a datagram in or counts why not: sealed as this node expects, from a member of this cluster or one that is joining, not
 * said before, and every message in it exactly of the expected shape. Nothing it is given makes it throw.
 */
export class DatagramGuard {
  private readonly senders: SenderSessions;

  constructor(private readonly options: DatagramGuardOptions) {
    this.senders = new SenderSessions(options.senderLimit);
  }

  admit(datagram: Buffer, from: string): AcceptedDatagram | undefined {
    const { drops, keyring } = this.options;
    const opened = openEnvelope(datagram, keyring);
    if (typeof opened === 'string') {
      drops.count(opened, { from, bytes: datagram.length });
      return undefined;
    }
    if (!this.isWelcome(opened, from)) return undefined;
    const messages = parseMessages(opened.message);
    if (!messages) {
      drops.count('malformed', { from, sender: opened.sender, bytes: datagram.length });
      return undefined;
    }
    return { sender: opened.sender, clusterId: opened.clusterId, messages };
  }

  private isWelcome({ sender, clusterId, session, counter, authentic }: OpenedEnvelope, from: string): boolean {
    const { self, ownSession, drops } = this.options;
    if (sender === self) {
      drops.count(session.id === ownSession() ? 'own_datagram' : 'address_conflict', { from, sender });
      return false;
    }
    if (!mayGossip(this.options.clusterId(), clusterId)) {
      drops.count('foreign_cluster', { from, sender, clusterId, ownClusterId: this.options.clusterId() });
      return false;
    }
    // Without a key anyone can write a later session into a datagram; remembering it would silence the real sender.
    if (!authentic) return true;
    const verdict = this.senders.accept(sender, session, counter, this.options.monotonicMillis());
    if (verdict !== 'accepted') drops.count(verdict, { from, sender });
    return verdict === 'accepted';
  }
}
