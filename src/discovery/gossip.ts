import { EventEmitter } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { formatAddress } from './address';
import { Contact, pickAtRandom } from './contact';
import { DatagramGuard } from './datagram-guard';
import { Drops, type DropReason } from './drops';
import { Sealer } from './envelope';
import { wallMillis } from './environment';
import { messageOf } from './error-message';
import { UserEvents } from './events';
import { HardenedSwim } from './hardened-swim';
import { Intake } from './intake';
import { isLive, mayGossip, type GossipMember, type MemberState, type Tags } from './member';
import { MemberTable } from './member-table';
import { type MemberRecord } from './messages';
import {
  checkedBindAddress,
  checkedIntervals,
  checkTags,
  DEFAULT_MAX_MEMBERS,
  type GossipIntervals,
  type GossipOptions,
} from './options';
import { Suspicions } from './suspicion';
import { openUdpSocket, type DatagramSocket } from './udp-socket';

interface GossipEvents {
  /** Another member is new, has other tags, or is in another state; `previousState` is undefined when it is new. */
  change: [member: GossipMember, previousState: MemberState | undefined];
  /** A user event, once on each node, its sender included. `from` is the gossip address of the node that broadcast it. */
  event: [name: string, payload: Buffer, from: string];
}

const GOODBYES = 3;
const GOODBYE_PAUSE_MS = 30;
const ANNOUNCED_AT_ONCE = 16;

/**
 * Who is alive, and what each says about itself. SWIM by npm `swim`, surrounded so that it may face a network; what was wrong
 * and what is done about it: docs/internals/gossip.md. Gossip tells and decides nothing: no name here is a member of the
 * Raft group before it was asked over RPC who it is.
 */
export class Gossip extends EventEmitter<GossipEvents> {
  private readonly intervals: GossipIntervals;
  private readonly sealer: Sealer;
  private readonly swim: HardenedSwim;
  private readonly table: MemberTable;
  private readonly suspicions: Suspicions;
  private readonly events: UserEvents;
  private readonly contact: Contact;
  private readonly intake: Intake;
  private readonly startedAt: number;
  private timer: NodeJS.Timeout | undefined;
  private lastRoundAt: number;
  private ownNews = false;
  private departure: Promise<void> | undefined;

  /** Binds, starts probing and looks for the cluster in the background. Rejects when an option or the address is no good. */
  static async start(options: GossipOptions): Promise<Gossip> {
    const bind = checkedBindAddress(options);
    const drops = new Drops(options.log, options.clock);
    const socket = await (options.openSocket ?? openUdpSocket)(
      bind,
      () => options.clock.monotonicMillis(),
      (to, error) => drops.count('undeliverable', { to, error: messageOf(error) }),
    );
    const self = options.advertiseAddr ?? formatAddress({ host: bind.host, port: socket.bound.port });
    try {
      const gossip = new Gossip(options, self, socket, drops);
      await gossip.begin();
      return gossip;
    } catch (error) {
      await socket.close();
      throw error;
    }
  }

  private constructor(
    private readonly options: GossipOptions,
    /** The address that this node gossips under. */
    readonly gossipAddr: string,
    private readonly socket: DatagramSocket,
    private readonly drops: Drops,
  ) {
    super();
    const { clock, keyring, log, tags } = options;
    const maxMembers = options.maxMembers ?? DEFAULT_MAX_MEMBERS;
    this.intervals = checkedIntervals(options.intervals);
    this.startedAt = wallMillis(clock);
    this.lastRoundAt = clock.monotonicMillis();
    this.sealer = new Sealer(gossipAddr, keyring, clock);
    this.suspicions = new Suspicions(this.intervals.suspectMs);
    const { reapAfterMs } = this.intervals;
    this.table = new MemberTable({ clock, maxMembers, reapAfterMs, onChange: (...news) => this.onChange(...news) });
    this.swim = new HardenedSwim({
      ...this.intervals,
      self: gossipAddr,
      tags,
      incarnation: this.startedAt,
      ipv6: socket.bound.host.includes(':'),
      maxMessageBytes: this.sealer.maxMessageBytes,
      send: (message, to) => this.send(message, to),
      onNews: (record) => this.onNews(record),
      onOwnNews: () => (this.ownNews = true),
      goneForMs: (host) => this.table.goneForMs(host),
    });
    this.events = new UserEvents({
      self: gossipAddr,
      session: this.sealer.session,
      originLimit: 2 * maxMembers,
      mayRelay: () => this.swim.tags.clusterId !== '',
      pick: (count) => this.pickLive(count),
      send: (message, to) => this.send(message, to),
      deliver: ({ name, payload, origin }) => this.emit('event', name, payload, origin),
    });
    this.contact = new Contact({
      ...this.intervals,
      self: gossipAddr,
      seeds: [...options.joinAddrs, ...(options.knownPeers ?? [])],
      retryMinMs: this.intervals.joinRetryMinMs,
      retryMaxMs: this.intervals.joinRetryMaxMs,
      sync: (hosts) => this.swim.sync(hosts),
      liveHosts: () => this.table.hosts('alive', 'suspect'),
      failedHosts: () => this.table.hosts('failed'),
      clock,
      random: options.random,
      log,
    });
    this.intake = this.makeIntake(maxMembers);
  }

  /** True once a member of a cluster answered, and from the start where there was nobody to ask. */
  get joined(): boolean {
    return this.contact.joined;
  }

  /** Everyone known, this node included, sorted by name and address. */
  members(): GossipMember[] {
    const self: GossipMember = {
      gossipAddr: this.gossipAddr,
      tags: this.swim.tags,
      state: 'alive',
      incarnation: this.swim.incarnation,
      since: this.startedAt,
    };
    return [self, ...this.table.members()].sort(
      (a, b) => compare(a.tags.name, b.tags.name) || compare(a.gossipAddr, b.gossipAddr),
    );
  }

  /** A live member that bears the name and has not the node id: two nodes were given one name. By default: this node's id. */
  duplicateOf(name: string, nodeId: string = this.swim.tags.nodeId): GossipMember | undefined {
    return this.members().find(({ tags, state }) => tags.name === name && tags.nodeId !== nodeId && isLive(state));
  }

  /** How many datagrams, or messages in them, were dropped so far, by reason. */
  dropped(): ReadonlyMap<DropReason, number> {
    return this.drops.snapshot();
  }

  /** Tells everyone the new tags. Throws `RangeError` when they are out of bounds. Members of another cluster are forgotten. */
  setTags(tags: Tags): void {
    checkTags(tags);
    this.assertRunning('change its tags');
    this.swim.setTags(Object.freeze({ ...tags }));
    for (const member of this.table.members()) {
      if (!mayGossip(tags.clusterId, member.tags.clusterId)) this.forget(member.gossipAddr);
    }
    this.swim.announce(this.pickLive(ANNOUNCED_AT_ONCE));
  }

  /**
   * Sends an event to all live members, this node included. The name: 1 to 64 letters, digits, ".", "_", ":" or "-"; the
   * payload: at most 512 bytes. Throws `RangeError` otherwise.
   */
  broadcast(name: string, payload: Buffer): void {
    this.assertRunning('broadcast');
    this.events.broadcast(name, payload, this.options.clock.monotonicMillis());
  }

  /** Tells the others that this node leaves for good, then stops. They list it as `left`. */
  leave(): Promise<void> {
    return (this.departure ??= this.depart(true));
  }

  /** Tells the others that this node stops, so that they list it as `failed` at once, and stops. It may come back. */
  stop(): Promise<void> {
    return (this.departure ??= this.depart(false));
  }

  private async begin(): Promise<void> {
    this.socket.onDatagram((datagram, from) => this.intake.receive(datagram, from));
    await this.swim.start();
    this.round();
    this.timer = setInterval(() => this.round(), this.roundMs);
  }

  private async depart(left: boolean): Promise<void> {
    clearInterval(this.timer);
    const others = this.table.hosts('alive', 'suspect');
    this.swim.stop();
    for (let said = 0; said < GOODBYES && others.length > 0; said++) {
      this.swim.sayGoodbye(others, left);
      await pause(GOODBYE_PAUSE_MS);
    }
    await this.socket.close();
  }

  private get roundMs(): number {
    return Math.max(10, this.intervals.probeMs / 2);
  }

  private round(): void {
    const now = this.options.clock.monotonicMillis();
    const lateMs = now - this.lastRoundAt - this.roundMs;
    this.lastRoundAt = now;
    if (lateMs > 2 * this.roundMs) this.suspicions.postpone(lateMs);
    for (const { host, incarnation } of this.suspicions.due(now)) this.swim.declareFailed(host, incarnation);
    this.contact.round(now);
    this.events.round();
    if (this.ownNews) this.swim.announce(this.pickLive(ANNOUNCED_AT_ONCE));
    this.ownNews = false;
    for (const host of this.table.reapable()) this.forget(host);
  }

  private onNews(record: MemberRecord): void {
    this.suspicions.observe(record.gossipAddr, record.state, record.incarnation, this.options.clock.monotonicMillis());
    this.table.observe(record);
  }
  private onChange(member: GossipMember, previousState: MemberState | undefined): void {
    const { gossipAddr, state, tags } = member;
    this.options.log.info(
      { name: tags.name, gossipAddr, state, previousState, role: tags.role },
      'gossip: a member changed',
    );
    this.emit('change', member, previousState);
  }

  private forget(host: string): void {
    this.swim.forget(host);
    this.table.forget(host);
    this.suspicions.forget(host);
  }

  private send(message: Buffer, to: string): void {
    this.socket.send(this.sealer.seal(this.swim.tags.clusterId, message), to);
  }

  private pickLive(count: number): string[] {
    return pickAtRandom(this.table.hosts('alive', 'suspect'), count, this.options.random);
  }

  private assertRunning(what: string): void {
    if (this.departure) throw new Error(`Gossip of ${this.gossipAddr} has stopped; it cannot ${what} any more.`);
  }

  private makeIntake(maxMembers: number): Intake {
    const { swim, table, events, contact, drops } = this;
    const { clock, keyring } = this.options;
    const self = this.gossipAddr;
    const monotonicMillis = () => clock.monotonicMillis();
    const guard = new DatagramGuard({
      self,
      ownSession: () => this.sealer.session.id,
      clusterId: () => swim.tags.clusterId,
      keyring,
      senderLimit: 2 * maxMembers,
      monotonicMillis,
      drops,
    });
    return new Intake({
      self,
      guard,
      swim,
      table,
      events,
      contact,
      drops,
      reapAfterMs: this.intervals.reapAfterMs,
      monotonicMillis,
      isStopping: () => this.departure !== undefined,
      forget: (host) => this.forget(host),
    });
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
