import type { GossipMember } from '../../src/discovery/member';
import { ClusterView } from '../../src/node/cluster-view';
import { configurationOf, gossiped, idOf, nameOf, rpcOf } from './members';

const viewOf = (
  gossip: readonly GossipMember[],
  leader = idOf(1),
  configuration = configurationOf([1, 2, 3], [4]),
): ClusterView => new ClusterView({ configuration: () => configuration, gossip: () => gossip, leaderId: () => leader });

describe('ClusterView', () => {
  test('the configuration says who belongs, gossip who is alive', () => {
    const view = viewOf([
      gossiped(1),
      gossiped(2, { state: 'failed' }),
      gossiped(4, { state: 'suspect' }),
      gossiped(9),
    ]);
    expect(
      view.members().map(({ name, suffrage, liveness, isLeader }) => [name, suffrage, liveness, isLeader]),
    ).toEqual([
      ['node-1', 'voter', 'alive', true],
      ['node-2', 'voter', 'failed', false],
      ['node-3', 'voter', 'unknown', false],
      ['node-4', 'learner', 'suspect', false],
      ['node-9', 'none', 'alive', false],
    ]);
  });

  test('who is no member and is gone is not listed: it may have been refused, or never have got so far', () => {
    const gone = [gossiped(8, { state: 'failed' }), gossiped(9, { state: 'left' })];
    expect(
      viewOf(gone)
        .members()
        .map(({ name }) => name),
    ).toEqual([1, 2, 3, 4].map(nameOf));
  });

  test('both halves of a joint configuration vote', () => {
    const joint = { ...configurationOf([1, 2], [4]), votersOutgoing: [idOf(4)], learners: [] };
    const voters = viewOf([], idOf(1), joint).members();
    expect(voters.map(({ suffrage }) => suffrage)).toEqual(['voter', 'voter', 'voter']);
  });

  test('an address is the one that the node says it has now', () => {
    const moved = gossiped(2, { gossipAddr: '127.0.0.1:7', tags: { rpcAddr: '127.0.0.1:8' } });
    expect(viewOf([moved]).members()).toContainEqual(
      expect.objectContaining({ nodeId: idOf(2), rpcAddr: '127.0.0.1:8', gossipAddr: '127.0.0.1:7' }),
    );
    expect(viewOf([]).members()).toContainEqual(
      expect.objectContaining({ nodeId: idOf(2), rpcAddr: rpcOf(2), gossipAddr: '' }),
    );
  });

  test('a node that moved is alive, though its old address still counts as failed', () => {
    const old = gossiped(2, { incarnation: 1, gossipAddr: '127.0.0.1:9', state: 'failed' });
    const moved = gossiped(2, { incarnation: 2, gossipAddr: '127.0.0.1:7' });
    for (const gossip of [
      [old, moved],
      [moved, old],
    ]) {
      expect(
        viewOf(gossip)
          .members()
          .filter(({ name }) => name === nameOf(2)),
      ).toMatchObject([{ liveness: 'alive' }]);
    }
  });

  test('clients are told of members that can be asked: not of the failed, the gone, or those that are none', () => {
    const gossip = [gossiped(1), gossiped(2, { state: 'failed' }), gossiped(3, { state: 'left' }), gossiped(9)];
    expect(viewOf(gossip).servers()).toEqual([
      { id: nameOf(1), rpcAddr: rpcOf(1), isLeader: true },
      { id: nameOf(4), rpcAddr: rpcOf(4), isLeader: false },
    ]);
    const suspect = gossip.map((member) => ({ ...member, state: 'suspect' as const }));
    expect(viewOf(suspect).servers()).toHaveLength(4);
  });

  test('peers are asked in the order of their chances', () => {
    const view = viewOf([gossiped(1), gossiped(2, { state: 'failed' }), gossiped(4), gossiped(9)]);
    expect(view.livePeers(idOf(1))).toEqual([idOf(4), idOf(2), idOf(3)]);
  });

  test('names, and the leader’s', () => {
    const view = viewOf([]);
    expect(view.nameOf(idOf(3))).toBe(nameOf(3));
    expect(view.nameOf(idOf(9))).toBe(idOf(9));
    expect(view.leaderName()).toBe(nameOf(1));
    expect(viewOf([], '').leaderName()).toBeUndefined();
    expect(
      viewOf([], '')
        .members()
        .some(({ isLeader }) => isLeader),
    ).toBe(false);
  });
});
