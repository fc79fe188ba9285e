import type { Gossip } from '../discovery/gossip';
import { systemClock, systemScheduler, type Clock, type EventLog, type Scheduler } from '../raft/replica/environment';
import type { PeerTransport } from '../raft/transport';
import type { DataDirectory } from './data-directory';
import type { GroupRuntime } from './group-runtime';
import { MembershipManager } from './membership-manager';

export interface MembershipLoopOptions {
  readonly data: Pick<DataDirectory, 'clusterId' | 'nodeId' | 'saveKnownPeers'>;
  readonly group: Pick<GroupRuntime, 'replica' | 'addresses' | 'rulesUpgrade'>;
  readonly gossip: Pick<Gossip, 'members'>;
  readonly transport: Pick<PeerTransport, 'callAddress'>;
  readonly events: EventLog;
  readonly partitions: number;
  /** The system's where nothing is said. */
  readonly clock?: Clock;
  readonly scheduler?: Scheduler;
}

const STEP_MILLIS = 200;
const CALL_MILLIS = 2_000;
/** While newer rules wait for a member, all are asked again after so many steps. */
const RULES_STEPS = 5;

/** Keeps the addresses of the peers as they are now, and on the leader the membership in line with who is there. */
export class MembershipLoop {
  private readonly manager: MembershipManager;
  private stopTimer: (() => void) | undefined;
  private steps = 0;
  private savedPeers = '';
  private saving = false;

  constructor(private readonly options: MembershipLoopOptions) {
    const { data, group, gossip, transport, events, partitions, clock = systemClock } = options;
    this.manager = new MembershipManager({
      replica: group.replica,
      clusterId: data.clusterId,
      partitions,
      members: () => gossip.members(),
      callAddress: async (address, method, body) =>
        (await transport.callAddress(address, method, body, { deadlineMs: CALL_MILLIS })).body,
      setAddress: (id, address) => group.addresses.set(id, address),
      requiredRules: () => group.rulesUpgrade.required,
      events,
      now: () => clock.monotonicMillis(),
    });
  }

  start(): void {
    this.step();
    this.stopTimer = (this.options.scheduler ?? systemScheduler).every(STEP_MILLIS, () => this.step());
  }

  stop(): void {
    this.stopTimer?.();
  }

  private step(): void {
    const { data, group, gossip } = this.options;
    group.addresses.follow(group.replica.status().configuration.servers, gossip.members(), data.clusterId);
    this.rememberPeers();
    void this.manager.step();
    if (this.steps++ % RULES_STEPS === 0) void group.rulesUpgrade.step();
  }

  /** So that a node whose join addresses are all gone still finds its cluster after a restart. */
  private rememberPeers(): void {
    const { data, gossip, events } = this.options;
    if (this.saving) return;
    const peers = gossip
      .members()
      .filter(
        (member) =>
          member.state === 'alive' && member.tags.nodeId !== data.nodeId && member.tags.clusterId === data.clusterId,
      )
      .map((member) => member.gossipAddr);
    const key = peers.join(',');
    if (peers.length === 0 || key === this.savedPeers) return;
    this.saving = true;
    data.saveKnownPeers(peers).then(
      () => {
        this.savedPeers = key;
        this.saving = false;
      },
      (error: unknown) => {
        this.saving = false;
        events.warn({ err: error }, 'the known peers were not saved; trying again');
      },
    );
  }
}
