import { SenderSessions, type Session } from './replay-window';
import {
  MAX_EVENT_NAME_BYTES,
  MAX_EVENT_PAYLOAD_BYTES,
  isEventName,
  writeUserEvent,
  type UserEvent,
} from './user-event';

const MAX_QUEUED = 128;
const FANOUT = 3;

interface Queued {
  readonly bytes: Buffer;
  readonly origin: string;
  sendsLeft: number;
}

export interface UserEventsOptions {
  readonly self: string;
  readonly session: Session;
  /** Origins whose events are told from repetitions. */
  readonly originLimit: number;
  /** False while this node is joining: it might hear two clusters, and must not carry events from one to the other. */
  readonly mayRelay: () => boolean;
  /** Up to `count` live members in random order, this node not among them. */
  readonly pick: (count: number) => readonly string[];
  readonly send: (message: Buffer, to: string) => void;
  readonly deliver: (event: UserEvent) => void;
}

/**
 * Broadcasts by rumour (Demers et al., 1987): the origin sends an event to every live member at once, each that hears it
 * for the first time passes it on to a few others at once and again in some rounds after, so that lost datagrams do not
 * matter. Every node delivers an event once, told by its origin's session and number. An event is a hint: a member that is
 * cut off while it spreads never hears it.
 */
export class UserEvents {
  private readonly seen: SenderSessions;
  private readonly queue: Queued[] = [];
  private nextNumber = 0;

  constructor(private readonly options: UserEventsOptions) {
    this.seen = new SenderSessions(options.originLimit);
  }

  /** Throws `RangeError` when the name or the payload is out of bounds. Delivers on this node before it returns. */
  broadcast(name: string, payload: Buffer, now: number): void {
    if (!isEventName(name)) {
      throw new RangeError(
        `The event name "${name}" is not 1 to ${MAX_EVENT_NAME_BYTES} letters, digits, ".", "_", ":" or "-".`,
      );
    }
    if (payload.length > MAX_EVENT_PAYLOAD_BYTES) {
      throw new RangeError(
        `The event's payload has ${payload.length} bytes; at most ${MAX_EVENT_PAYLOAD_BYTES} fit a datagram.`,
      );
    }
    const { self, session } = this.options;
    const event: UserEvent = { origin: self, session, number: this.nextNumber, name, payload: Buffer.from(payload) };
    this.nextNumber += 1;
    this.seen.accept(self, session, event.number, now);
    this.spread(event, this.options.pick(Infinity));
    this.options.deliver(event);
  }

  receive(event: UserEvent, now: number): void {
    if (this.seen.accept(event.origin, event.session, event.number, now) !== 'accepted') return;
    if (this.options.mayRelay()) this.spread(event, this.options.pick(FANOUT));
    this.options.deliver(event);
  }

  /** Sends once more what was heard lately; called once a gossip round. */
  round(): void {
    for (const queued of this.queue) {
      for (const to of this.options.pick(FANOUT)) {
        if (to !== queued.origin) this.options.send(queued.bytes, to);
      }
      queued.sendsLeft -= 1;
    }
    const kept = this.queue.filter((queued) => queued.sendsLeft > 0);
    this.queue.splice(0, this.queue.length, ...kept);
  }

  private spread(event: UserEvent, to: readonly string[]): void {
    const bytes = writeUserEvent(event);
    for (const host of to) {
      if (host !== event.origin) this.options.send(bytes, host);
    }
    const members = this.options.pick(Infinity).length + 1;
    const sendsLeft = 2 + Math.ceil(Math.log2(members + 1));
    if (this.queue.length >= MAX_QUEUED) this.queue.shift();
    this.queue.push({ bytes, origin: event.origin, sendsLeft });
  }
}
