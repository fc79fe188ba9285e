import { PEER_CALLS } from '../../src/node/peer-calls';
import type { ConfigurationRefusal } from '../../src/raft/core';
import { CLUSTER, configurationOf, gossiped, idOf, nameOf, rpcOf } from './members';
import { World, type Answer } from './membership-world';

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
    world.newcomer(2, nameOf(2), CLUSTER);
    await world.manager.step();
    expect(world.changes).toEqual([]);
    world.heard = [2];
    await world.manager.step();
    expect(world.changes).toEqual([{ type: 'promote', id: idOf(2) }]);
  });

  describe('where newer rules hold', () => {
    beforeEach(() => {
      world.requiredRules = 2;
    });
    const knows = (rulesVersion: number, clusterId = ''): Answer => ({
      nodeId: idOf(2),
      name: nameOf(2),
      clusterId,
      rulesVersion,
    });

    test.each<[string, Answer]>([
      ['knows older ones', knows(1)],
      ['does not say what it knows', { nodeId: idOf(2), name: nameOf(2), clusterId: '' }],
    ])('a newcomer that %s is refused with the reason, and not adopted', async (_who, answer) => {
      world.newcomer(2);
      world.answers.set(rpcOf(2), answer);
      await world.manager.step();
      expect(world.methods()).toEqual([PEER_CALLS.identify, PEER_CALLS.refuse]);
      expect(world.calls[1]?.body).toEqual({
        nodeId: idOf(2),
        reason: expect.stringContaining('stands under version 2 of the rules') as string,
      });
      expect(world.changes).toEqual([]);
      expect(world.events.of('warn')).toHaveLength(1);
    });

    test('a newcomer that knows them is taken in', async () => {
      world.newcomer(2);
      world.answers.set(rpcOf(2), knows(2));
      await world.manager.step();
      expect(world.changes).toMatchObject([{ type: 'addLearner' }]);
    });

    test('one that was refused does not keep the others waiting', async () => {
      world.newcomer(2, nameOf(2), CLUSTER);
      world.newcomer(3);
      world.answers.set(rpcOf(3), { nodeId: idOf(3), name: nameOf(3), clusterId: '', rulesVersion: 2 });
      await world.manager.step();
      await world.manager.step();
      expect(world.changes).toMatchObject([{ type: 'addLearner', server: { id: idOf(3) } }]);
    });

    test('rules that are switched on while a newcomer is adopted keep it out', async () => {
      world.newcomer(2);
      world.answers.set(rpcOf(2), knows(2));
      world.onCall = (method) => {
        if (method === PEER_CALLS.adopt) world.requiredRules = 3;
      };
      await world.manager.step();
      expect(world.methods()).toEqual([PEER_CALLS.identify, PEER_CALLS.adopt]);
      expect(world.changes).toEqual([]);
    });

    test('a learner that was started with an older program does not get a vote', async () => {
      world.configuration = configurationOf([1], [2]);
      world.newcomer(2, nameOf(2), CLUSTER);
      world.heard = [2];
      await world.manager.step();
      expect(world.changes).toEqual([]);
      expect(world.events.errors()).toEqual([expect.stringContaining('does not vote')]);
      world.answers.set(rpcOf(2), knows(2, CLUSTER));
      world.now = 60_000;
      await world.manager.step();
      expect(world.changes).toEqual([{ type: 'promote', id: idOf(2) }]);
    });
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
