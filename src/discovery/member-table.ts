import { wallMillis, type Clock } from './environment';
import { isLive, sameTags, type GossipMember, type MemberState } from './member';
import { type MemberRecord } from './messages';

interface Entry {
  readonly member: GossipMember;
  /** Since when, on the clock that never goes back. */
  readonly sinceMonotonic: number;
}

export interface MemberTableOptions {
  readonly clock: Clock;
  /** Other members held at most, the gone ones included. */
  readonly maxMembers: number;
  readonly reapAfterMs: number;
  readonly onChange: (member: GossipMember, previousState: MemberState | undefined) => void;
}

/** The other members as this node knows them, with their tags, and for how long each has been in its state. */
export class MemberTable {
  private readonly entries = new Map<string, Entry>();

  constructor(private readonly options: MemberTableOptions) {}

  observe(record: MemberRecord): void {
    const { clock, onChange } = this.options;
    const { gossipAddr, tags, state, incarnation, goneForMs } = record;
    const previous = this.entries.get(gossipAddr);
    const same = previous?.member.state === state;
    const since = same ? previous.member.since : wallMillis(clock) - goneForMs;
    const sinceMonotonic = same ? previous.sinceMonotonic : clock.monotonicMillis() - goneForMs;
    const member: GossipMember = Object.freeze({
      gossipAddr,
      tags: Object.freeze({ ...tags }),
      state,
      incarnation,
      since,
    });
    this.entries.set(gossipAddr, { member, sinceMonotonic });
    const news = !same || !sameTags(previous.member.tags, tags);
    if (news && !this.isSuperseded(member)) onChange(member, previous?.member.state);
  }

  /** All but the old addresses of nodes that are alive at another one. */
  members(): GossipMember[] {
    return [...this.entries.values()].map((entry) => entry.member).filter((member) => !this.isSuperseded(member));
  }

  hosts(...states: MemberState[]): string[] {
    return [...this.entries.values()]
      .filter(({ member }) => states.includes(member.state))
      .map((e) => e.member.gossipAddr);
  }

  /** For how long a member has been failed or left, in milliseconds; 0 when it is neither or unknown. */
  goneForMs(host: string): number {
    const entry = this.entries.get(host);
    return entry && !isLive(entry.member.state) ? this.options.clock.monotonicMillis() - entry.sinceMonotonic : 0;
  }

  forget(host: string): void {
    this.entries.delete(host);
  }

  /** Who has been gone for longer than the bound. */
  reapable(): string[] {
    return this.hosts('failed', 'left').filter((host) => this.goneForMs(host) >= this.options.reapAfterMs);
  }

  /**
   * What has to be forgotten for one more member to fit: nothing (an empty list), whoever has been gone for longest, or
   * undefined when all are alive and there is no place.
   */
  makeRoom(): readonly string[] | undefined {
    if (this.entries.size < this.options.maxMembers) return [];
    const gone = this.hosts('failed', 'left').sort((a, b) => this.goneForMs(b) - this.goneForMs(a));
    return gone[0] === undefined ? undefined : [gone[0]];
  }

  private isSuperseded(member: GossipMember): boolean {
    if (member.state === 'alive') return false;
    for (const { member: other } of this.entries.values()) {
      const elsewhere = other.tags.nodeId === member.tags.nodeId && other.gossipAddr !== member.gossipAddr;
      if (elsewhere && other.state === 'alive' && other.incarnation > member.incarnation) return true;
    }
    return false;
  }
}
