import type { GossipMember } from '../../src/discovery/member';
import { MembershipManager } from '../../src/node/membership-manager';
import { PEER_CALLS, decodeJson, encodeJson } from '../../src/node/peer-calls';
import type { ConfigurationChange, ConfigurationRefusal, CoreStatus } from '../../src/raft/core';
import { recordedEvents, type RecordedEvents } from './recorded-events';
import { CLUSTER, configurationOf, gossiped, idOf, leaderStatus, nameOf, rpcOf } from './members';

interface Call {
  readonly address: string;
  readonly method: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** What whoever listens at an address says of itself. */
export type Answer =
  | { readonly nodeId: string; readonly name: string; readonly clusterId: string; readonly rulesVersion?: number }
  | Error;

/** The world of a leader, node 1: who gossips, who answers at which address, and what it did. */
export class World {
  readonly id = idOf(1);
  configuration = configurationOf([1]);
  gossip: GossipMember[] = [gossiped(1)];
  heard: number[] = [];
  isLeader = true;
  refusal: ConfigurationRefusal | undefined;
  now = 0;
  requiredRules = 1;
  readonly answers = new Map<string, Answer>();
  readonly calls: Call[] = [];
  readonly changes: ConfigurationChange[] = [];
  readonly addresses = new Map<string, string>();
  readonly events: RecordedEvents = recordedEvents();
  readonly manager: MembershipManager;

  constructor() {
    this.manager = new MembershipManager({
      replica: this,
      clusterId: CLUSTER,
      partitions: 1,
      members: () => this.gossip,
      callAddress: async (address, method, body) => this.answer(address, method, body),
      setAddress: (id, address) => this.addresses.set(id, address),
      requiredRules: () => this.requiredRules,
      events: this.events,
      now: () => this.now,
    });
  }

  status(): CoreStatus {
    return leaderStatus(this.configuration, this.heard);
  }

  changeConfiguration(change: ConfigurationChange): ConfigurationRefusal | undefined {
    this.changes.push(change);
    return this.refusal;
  }

  /** A node that looks for a cluster, and answers for itself. */
  newcomer(number: number, name = nameOf(number), clusterId = ''): void {
    this.gossip.push(gossiped(number, { tags: { name, clusterId } }));
    this.answers.set(rpcOf(number), { nodeId: idOf(number), name, clusterId });
  }

  methods(): number[] {
    return this.calls.map((call) => call.method);
  }

  /** What happens while a call is on its way. */
  onCall: (method: number) => void = () => undefined;

  private answer(address: string, method: number, body: Buffer): Buffer {
    this.calls.push({ address, method, body: decodeJson(body) });
    this.onCall(method);
    const answer = this.answers.get(address) ?? new Error(`nobody is at ${address}`);
    if (answer instanceof Error) throw answer;
    return encodeJson(method === PEER_CALLS.identify ? answer : {});
  }
}
