import { Leadership, bestSuccessor } from '../../src/node/leadership';
import { PEER_CALLS, decodeJson, encodeJson } from '../../src/node/peer-calls';
import type { CoreStatus } from '../../src/raft/core';
import { CallError } from '../../src/raft/transport';
import { configurationOf, idOf, leaderStatus, nameOf } from './members';

class World {
  isLeader = true;
  leader = idOf(1);
  refusal: string | undefined;
  failure: Error | undefined;
  heard = [2, 3, 4];
  readonly transfers: string[] = [];
  readonly calls: { to: string; method: number; name: unknown; deadlineMs: number }[] = [];

  readonly leadership = new Leadership({
    group: 0,
    replica: this,
    call: async (to, _group, method, body, deadlineMs) => {
      this.calls.push({ to, method, name: decodeJson(body)['name'], deadlineMs });
      if (this.failure) throw this.failure;
      return encodeJson({});
    },
  });

  /** Three voters and a learner. */
  status(): CoreStatus {
    return { ...leaderStatus(configurationOf([1, 2, 3], [4]), this.heard), leader: this.leader };
  }

  transferLeadership(to: string): string | undefined {
    this.transfers.push(to);
    return this.refusal;
  }
}

describe('Leadership', () => {
  let world: World;
  beforeEach(() => {
    world = new World();
  });

  describe('on the leader', () => {
    test.each([nameOf(3), idOf(3)])('goes to the voter that is named, %s', async (name) => {
      await world.leadership.handOver(name, 1_000);
      expect(world.transfers).toEqual([idOf(3)]);
    });

    test('goes to the best voter where none is named, never to a learner', async () => {
      world.heard = [4, 3];
      await world.leadership.handOver('', 1_000);
      expect(world.transfers).toEqual([idOf(3)]);
    });

    test('is there already', async () => {
      await world.leadership.handOver(nameOf(1), 1_000);
      expect(world.transfers).toEqual([]);
    });

    test.each([nameOf(4), nameOf(9)])('does not go to %s, which has no vote', async (name) => {
      await expect(world.leadership.handOver(name, 1_000)).rejects.toMatchObject({
        code: 'FAILED_PRECONDITION',
        reason: 'NOT_A_VOTER',
        message: expect.stringContaining(`"${name}"`) as string,
      });
      expect(world.transfers).toEqual([]);
    });

    test('stays where no voter was heard lately', async () => {
      world.heard = [];
      await expect(world.leadership.handOver('', 1_000)).rejects.toThrow('any other voter (not a voter)');
    });

    test('what the core refuses is said', async () => {
      world.refusal = 'not_leader';
      await expect(world.leadership.handOver(nameOf(2), 1_000)).rejects.toMatchObject({ reason: 'NOT_LEADER' });
    });
  });

  describe('on a follower', () => {
    beforeEach(() => {
      world.isLeader = false;
      world.leader = idOf(2);
    });

    test('the leader is asked to', async () => {
      await world.leadership.handOver(nameOf(3), 700);
      expect(world.calls).toEqual([
        { to: idOf(2), method: PEER_CALLS.transferLeadership, name: nameOf(3), deadlineMs: 700 },
      ]);
      expect(world.transfers).toEqual([]);
    });

    test('without a leader nobody can be asked', async () => {
      world.leader = '';
      await expect(world.leadership.handOver('', 1_000)).rejects.toMatchObject({
        code: 'UNAVAILABLE',
        reason: 'NO_LEADER',
      });
    });

    test('its refusal is passed on; where it does not answer, that is said', async () => {
      const remote = { sent: true, remote: true };
      world.failure = new CallError('FAILED_PRECONDITION', 'NOT_A_VOTER', 'no vote', remote);
      await expect(world.leadership.handOver('x', 1)).rejects.toMatchObject({
        name: 'NodeError',
        reason: 'NOT_A_VOTER',
      });
      world.failure = new CallError('UNAVAILABLE', 'CONNECTION_LOST', 'gone', { sent: true });
      await expect(world.leadership.handOver('x', 1)).rejects.toMatchObject({
        code: 'UNAVAILABLE',
        reason: 'NO_LEADER',
      });
      world.failure = new TypeError('a bug');
      await expect(world.leadership.handOver('x', 1)).rejects.toBe(world.failure);
    });

    test('it does not pass on what others ask of it', async () => {
      await expect(world.leadership.serve(encodeJson({ name: '' }))).rejects.toMatchObject({ reason: 'NOT_LEADER' });
      expect(world.calls).toEqual([]);
    });
  });

  describe('serves a follower', () => {
    test('and says why not in the transport’s words', async () => {
      await world.leadership.serve(encodeJson({ name: nameOf(2) }));
      expect(world.transfers).toEqual([idOf(2)]);
      const refusal = world.leadership.serve(encodeJson({ name: nameOf(9) }));
      await expect(refusal).rejects.toBeInstanceOf(CallError);
      await expect(refusal).rejects.toMatchObject({ code: 'FAILED_PRECONDITION', reason: 'NOT_A_VOTER' });
      await expect(world.leadership.serve(encodeJson({ name: 7 }))).rejects.toThrow('is not a text');
    });
  });
});

describe('bestSuccessor', () => {
  test('has most of the log among the voters that were heard lately', () => {
    const status = leaderStatus(configurationOf([1, 2, 3, 5], [4]), [2, 3, 4, 5]);
    const match = [7, 9, 99, 50];
    const peers = status.peers.map((peer, at) => ({
      ...peer,
      match: match[at] ?? 0,
      recentActive: peer.id !== idOf(5),
    }));
    expect(bestSuccessor({ ...status, peers })).toBe(idOf(3));
    expect(bestSuccessor({ ...status, peers: [] })).toBeUndefined();
  });
});
