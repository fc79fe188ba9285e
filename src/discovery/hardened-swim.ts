import { randomInt } from 'node:crypto';
import Swim from 'swim';
import Member from 'swim/lib/member';
import { type MemberState, type Tags } from './member';
import { encodeRecord, SYNC, UPDATE, type MemberRecord } from './messages';

/*
 * npm swim 0.6.0 is the SWIM protocol itself: probing, indirect probing, suspicion and dissemination (Das, Gupta, Motivala:
 * SWIM, 2002). It was not written to face a network, so one instance of it is surrounded here and some of its methods are
 * replaced, on that instance only:
 *
 *  net          no socket of its own: what it sends goes through `send`, what arrives comes through `deliver`, already checked
 *  codec        the records of ./messages.ts
 *  suspicion    its timer starts again with each missed probe and, in a small cluster, never ends: ./suspicion.ts instead
 *  the dead     it refuses news about members that it knows to be dead, or does not know; a leave and a joiner need them
 *  sync         it sends its own record before what it believes of others, so that a healed partition takes two rounds
 */

const ALIVE = 0;
const SUSPECT = 1;
const FAULTY = 2;
const PROBE_RELAYS = 3;

interface SwimMeta {
  readonly tags: Tags;
  /** Said by a member that leaves, together with swim's "faulty". */
  readonly left: boolean;
}

export interface HardenedSwimOptions {
  readonly self: string;
  readonly tags: Tags;
  readonly incarnation: number;
  readonly ipv6: boolean;
  readonly probeMs: number;
  readonly probeTimeoutMs: number;
  readonly indirectProbeTimeoutMs: number;
  readonly maxMessageBytes: number;
  readonly send: (message: Buffer, to: string) => void;
  /** Something new about another member was accepted. */
  readonly onNews: (record: MemberRecord) => void;
  /** This node said something new about itself: its tags, or that it objects to being called dead. */
  readonly onOwnNews: () => void;
  readonly goneForMs: (host: string) => number;
}

export class HardenedSwim {
  private readonly swim: Swim<SwimMeta>;
  /** How long the member of the record in hand has been gone; swim has no field for it. */
  private goneForMs = 0;

  constructor(private readonly options: HardenedSwimOptions) {
    const { self, tags, incarnation } = options;
    this.swim = new Swim<SwimMeta>({
      local: { host: self, meta: { tags, left: false }, incarnation },
      codec: 'json',
      interval: options.probeMs,
      pingTimeout: options.probeTimeoutMs,
      pingReqTimeout: options.indirectProbeTimeoutMs,
      pingReqGroupSize: PROBE_RELAYS,
      suspectTimeout: 1,
      udp: { type: options.ipv6 ? 'udp6' : 'udp4', maxDgramSize: options.maxMessageBytes },
      preferCurrentMeta: true,
    });
    // Probes are numbered from a random start: a recorded answer to a probe of an earlier run answers none of this one.
    this.swim.failureDetector.seq = randomInt(2 ** 40);
    this.replaceNet();
    this.replaceCodec();
    this.replaceSuspicion();
    this.replaceFaulty();
    this.replaceSync();
    this.swim.membership.on('update', (data: Swim.MemberData<SwimMeta>) => this.onUpdate(data));
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.swim.bootstrap([], (error) => (error ? reject(error) : resolve()));
    });
  }

  get tags(): Tags {
    return this.swim.membership.local.meta.tags;
  }

  get incarnation(): number {
    return this.swim.membership.local.incarnation;
  }

  setTags(tags: Tags): void {
    this.swim.membership.updateMeta({ tags, left: false });
  }

  isKnown(host: string): boolean {
    const { hostToMember, hostToFaulty } = this.swim.membership;
    return hostToMember[host] !== undefined || hostToFaulty[host] !== undefined;
  }

  /** @param replyTo where the datagram came from; the address the prober says it has may be a name, or another one */
  pinged(seq: number, sender: string, replyTo: string): void {
    const held = this.swim.membership.hostToFaulty[sender];
    // Whoever probes is not dead; it is told that it is held for dead, so that it objects at once.
    if (held) this.swim.net.sendMessages([{ type: UPDATE, data: held.data() }], replyTo);
    this.swim.net.emit('ping', { seq }, replyTo);
  }

  acknowledged(seq: number, sender: string): void {
    this.swim.net.emit('ack', { seq }, sender);
  }

  askedToProbe(seq: number, destination: string, replyTo: string): void {
    this.swim.net.emit('pingreq', { seq, destination }, replyTo);
  }

  /** A full exchange was asked for: takes the asker's own record in and answers with everything known. */
  synced(record: MemberRecord): void {
    this.swim.net.emit('sync', this.toSwim(record));
  }

  updated(record: MemberRecord): void {
    this.goneForMs = record.goneForMs;
    this.swim.net.emit('update', this.toSwim(record));
    this.goneForMs = 0;
  }

  /** A suspect did not object in time. Nothing happens if it did. */
  declareFailed(host: string, incarnation: number): void {
    const { membership } = this.swim;
    const member = membership.get(host);
    if (member?.state !== SUSPECT || member.incarnation !== incarnation) return;
    membership.onUpdate({ ...member.data(), state: FAULTY });
  }

  sync(hosts: readonly string[]): void {
    this.swim.membership.sync([...hosts]);
  }

  /** Tells these hosts at once what this node says about itself; everyone else hears it by gossip. */
  announce(hosts: readonly string[]): void {
    for (const host of hosts) {
      this.swim.net.sendMessages([{ type: UPDATE, data: this.swim.membership.local.data() }], host);
    }
  }

  forget(host: string): void {
    const { hostToMember, hostToIterable, hostToFaulty } = this.swim.membership;
    delete hostToMember[host];
    delete hostToIterable[host];
    delete hostToFaulty[host];
    this.swim.disseminator.removeUpdate({ host });
  }

  /** Stops the protocol. What arrives afterwards is ignored; `sayGoodbye` still works. */
  stop(): void {
    this.swim.leave();
  }

  /** Tells the hosts that this node is gone: for good (`left`), or stopped. Only after `stop`, or it would object itself. */
  sayGoodbye(hosts: readonly string[], left: boolean): void {
    const own = this.swim.membership.local.data();
    const meta: SwimMeta = { tags: own.meta.tags, left };
    const data = { ...own, meta, state: FAULTY, incarnation: own.incarnation + 1 } as const;
    for (const host of hosts) this.swim.net.sendMessages([{ type: UPDATE, data }], host);
  }

  private onUpdate(data: Swim.MemberData<SwimMeta>): void {
    if (this.swim.membership.isLocal(data.host)) this.options.onOwnNews();
    else this.options.onNews(toRecord(data, data.state === FAULTY ? this.goneForMs : 0));
  }

  private replaceNet(): void {
    const { net } = this.swim;
    net.udpSocket.close();
    net.listen = (callback) => callback();
    net.close = () => undefined;
    net.sendBuffer = (buffer, host) => this.options.send(buffer, host);
  }

  private replaceCodec(): void {
    const { codec } = this.swim;
    codec.encode = (data) =>
      isMemberData(data)
        ? encodeRecord(toRecord(data, this.options.goneForMs(data.host)))
        : Buffer.from(JSON.stringify(data));
    codec.decode = () => {
      throw new Error('swim was to decode a message itself; every message is checked and parsed before it gets there');
    };
  }

  private replaceSuspicion(): void {
    const { membership, net } = this.swim;
    membership.suspectListener = (probed) => {
      const current = membership.get(probed.host);
      // The probe was of an older incarnation, or the member is gone since: there is news, so the suspicion is void.
      if (current?.state !== ALIVE || current.incarnation !== probed.incarnation) return;
      const data = { ...current.data(), state: SUSPECT } as const;
      membership.onUpdate(data);
      net.sendMessage({ type: UPDATE, data }, probed.host);
    };
  }

  private replaceFaulty(): void {
    const { membership } = this.swim;
    const original = membership.updateFaulty.bind(membership);
    membership.updateFaulty = (data) => {
      const held = membership.hostToFaulty[data.host];
      if (membership.isLocal(data.host) || membership.get(data.host)) return original(data);
      if (held && held.incarnation >= data.incarnation) {
        membership.emit('drop', data);
        return;
      }
      membership.hostToFaulty[data.host] = new Member(data);
      membership.emit('update', data);
    };
  }

  private replaceSync(): void {
    const { membership, net } = this.swim;
    membership.sync = (hosts) => {
      const others = membership.all(false, true).map((data) => ({ type: UPDATE, data }) as const);
      // The last message makes the other side answer: by then it has objected to what is wrong about itself.
      const messages = [...others, { type: SYNC, data: membership.local.data() } as const];
      for (const host of hosts) net.sendMessages(messages, host);
    };
  }

  private toSwim(record: MemberRecord): Swim.MemberData<SwimMeta> {
    const state = record.state === 'alive' ? ALIVE : record.state === 'suspect' ? SUSPECT : FAULTY;
    const meta = { tags: record.tags, left: record.state === 'left' };
    return { host: record.gossipAddr, incarnation: record.incarnation, state, meta };
  }
}

function toRecord(data: Swim.MemberData<SwimMeta>, goneForMs: number): MemberRecord {
  const { host: gossipAddr, meta, incarnation } = data;
  return { gossipAddr, tags: meta.tags, state: stateOf(data), incarnation, goneForMs };
}

function stateOf({ state, meta }: Swim.MemberData<SwimMeta>): MemberState {
  if (state === ALIVE) return 'alive';
  if (state === SUSPECT) return 'suspect';
  return meta.left ? 'left' : 'failed';
}

function isMemberData(data: unknown): data is Swim.MemberData<SwimMeta> {
  return typeof data === 'object' && data !== null && 'host' in data;
}
