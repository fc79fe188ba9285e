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
type Answer = { readonly nodeId: string; readonly name: string; readonly clusterId: string } | Error;

/** The world of a leader, node 1: who gossips, who answers at which address, and what it did. */
class World {
  readonly id = idOf(1);
  configuration = configurationOf([1]);
  gossip: GossipMember[] = [gossiped(1)];
  heard: number[] = [];
  isLeader = true;
  refusal: ConfigurationRefusal | undefined;
  now = 0;
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

  private answer(address: string, method: number, body: Buffer): Buffer {
    this.calls.push({ address, method, body: decodeJson(body) });
    const answer = this.answers.get(address) ?? new Error(`nobody is at ${address}`);
    if (answer instanceof Error) throw answer;
    return encodeJson(method === PEER_CALLS.identify ? answer : {});
  }
}

describe('MembershipManager', () => {
  let world: World;
  beforeEach(() => {
    world = new World();
  });

  test('does nothing on a follower', async () => {
    world.newcomer(2);
    world.isLeader = false;
    await world.manager.step();
    expect(world.calls).toEqual([]);
    expect(world.changes).toEqual([]);
  });

  test('a newcomer is asked who it is, adopted, and becomes a learner', async () => {
    world.newcomer(2);
    await world.manager.step();
    expect(world.calls.map(({ address, method }) => [address, method])).toEqual([
      [rpcOf(2), PEER_CALLS.identify],
      [rpcOf(2), PEER_CALLS.adopt],
    ]);
    expect(world.calls[1]?.body).toEqual({ clusterId: CLUSTER, partitions: 1, nodeId: idOf(2) });
    const server = { id: idOf(2), name: nameOf(2), rpcAddr: rpcOf(2) };
    expect(world.changes).toEqual([{ type: 'addLearner', server }]);
    expect(world.addresses.get(idOf(2))).toBe(rpcOf(2));
  });

  test('one that was adopted by an earlier leader is only added', async () => {
    world.newcomer(2, nameOf(2), CLUSTER);
    await world.manager.step();
    expect(world.methods()).toEqual([PEER_CALLS.identify]);
    expect(world.changes).toMatchObject([{ type: 'addLearner' }]);
  });

  test.each<[string, Answer, string]>([
    ['another disk', { nodeId: idOf(7), name: nameOf(2), clusterId: '' }, 'answers there'],
    ['another name', { nodeId: idOf(2), name: 'else', clusterId: '' }, 'answers there'],
    [
      'a member of another cluster',
      { nodeId: idOf(2), name: nameOf(2), clusterId: 'd'.repeat(32) },
      'belongs to cluster',
    ],
    ['nobody', new Error('connection refused'), 'connection refused'],
  ])('%s at the address that gossip gave: no change, and the event says why', async (_who, answer, why) => {
    world.newcomer(2);
    world.answers.set(rpcOf(2), answer);
    await world.manager.step();
    expect(world.changes).toEqual([]);
    expect(world.events.errors()).toEqual([expect.stringContaining(why)]);
  });

  test('a newcomer that cannot be reached does not keep the others waiting, and is tried again', async () => {
    world.newcomer(2);
    world.newcomer(3);
    const reachable = world.answers.get(rpcOf(2)) as Answer;
    world.answers.set(rpcOf(2), new Error('connection refused'));
    await world.manager.step();
    await world.manager.step();
    expect(world.changes).toMatchObject([{ type: 'addLearner', server: { id: idOf(3) } }]);
    world.answers.set(rpcOf(2), reachable);
    world.now = 60_000;
    await world.manager.step();
    expect(world.changes[1]).toMatchObject({ type: 'addLearner', server: { id: idOf(2) } });
  });

  test('a learner that has the log and was heard lately is promoted', async () => {
    world.configuration = configurationOf([1], [2]);
    world.gossip.push(gossiped(2));
    await world.manager.step();
    expect(world.changes).toEqual([]);
    world.heard = [2];
    await world.manager.step();
    expect(world.changes).toEqual([{ type: 'promote', id: idOf(2) }]);
  });

  test('a wiped disk under its old name replaces the old one by one change', async () => {
    world.configuration = configurationOf([1, 2, 3]);
    world.newcomer(9, nameOf(2));
    await world.manager.step();
    const server = { id: idOf(9), name: nameOf(2), rpcAddr: rpcOf(9) };
    expect(world.changes).toEqual([{ type: 'replace', old: idOf(2), server }]);
  });

  test('while the old disk still answers this leader, its name is not given away', async () => {
    world.configuration = configurationOf([1, 2, 3]);
    world.heard = [2, 3];
    world.newcomer(9, nameOf(2));
    await world.manager.step();
    expect(world.calls).toEqual([]);
    expect(world.changes).toEqual([]);
  });

  describe('a name that is taken', () => {
    beforeEach(() => {
      world.configuration = configurationOf([1, 2, 3]);
      world.gossip.push(gossiped(2));
      world.newcomer(9, nameOf(2));
    });

    test('is refused with the reason, once the namesake has answered for itself', async () => {
      world.answers.set(rpcOf(2), { nodeId: idOf(2), name: nameOf(2), clusterId: CLUSTER });
      await world.manager.step();
      await world.manager.step();
      expect(world.changes).toEqual([]);
      const refusals = world.calls.filter((call) => call.method === PEER_CALLS.refuse);
      expect(refusals).toHaveLength(2);
      expect(refusals[0]).toMatchObject({
        address: rpcOf(9),
        body: { nodeId: idOf(9), reason: expect.stringContaining('names are unique') as string },
      });
      expect(world.events.of('warn')).toHaveLength(1);
    });

    test('by the leader itself is refused without asking anybody', async () => {
      world.gossip = [gossiped(1)];
      world.newcomer(9, nameOf(1));
      await world.manager.step();
      expect(world.methods()).toEqual([PEER_CALLS.refuse]);
    });

    test.each<[string, Answer]>([
      ['nobody', new Error('connection refused')],
      ['the newcomer itself', { nodeId: idOf(9), name: nameOf(2), clusterId: '' }],
    ])('is not refused where %s answers: gossip has not noticed yet', async (_who, answer) => {
      world.answers.set(rpcOf(2), answer);
      await world.manager.step();
      expect(world.methods()).toEqual([PEER_CALLS.identify]);
      expect(world.changes).toEqual([]);
    });
  });

  test('a new address of a member goes into the log', async () => {
    world.configuration = configurationOf([1, 2]);
    world.gossip.push(gossiped(2, { tags: { rpcAddr: '127.0.0.1:7' } }));
    await world.manager.step();
    const server = { id: idOf(2), name: nameOf(2), rpcAddr: '127.0.0.1:7' };
    expect(world.changes).toEqual([{ type: 'updateServer', server }]);
    expect(world.addresses.get(idOf(2))).toBe('127.0.0.1:7');
  });

  test('while its old address still counts as alive, only the newer one goes into the log', async () => {
    world.configuration = configurationOf([1, 2]);
    world.gossip.push(gossiped(2, { incarnation: 2, gossipAddr: '127.0.0.1:1', tags: { rpcAddr: '127.0.0.1:7' } }));
    world.gossip.push(gossiped(2, { incarnation: 1, gossipAddr: '127.0.0.1:2', tags: { rpcAddr: '127.0.0.1:8' } }));
    await world.manager.step();
    expect(world.changes).toMatchObject([{ type: 'updateServer', server: { rpcAddr: '127.0.0.1:7' } }]);
  });

  test.each<[ConfigurationRefusal, number]>([
    ['change_pending', 0],
    ['not_committed_in_term', 0],
    ['learner_not_caught_up', 1],
  ])('a change that the core refuses (%s) is tried again, with %d lines about it', async (refusal, lines) => {
    world.newcomer(2, nameOf(2), CLUSTER);
    world.refusal = refusal;
    await world.manager.step();
    await world.manager.step();
    expect(world.changes).toHaveLength(2);
    expect(world.events.of('info')).toHaveLength(2 * lines);
  });
});
