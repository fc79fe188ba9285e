import {
  MAX_VOTERS,
  nextMembershipAction,
  type Candidate,
  type MembershipView,
} from '../../src/node/membership-policy';
import { CLUSTER, configurationOf, idOf, nameOf, rpcOf } from './members';

const candidate = (number: number, rest: Partial<Candidate> = {}): Candidate => ({
  nodeId: idOf(number),
  name: nameOf(number),
  rpcAddr: rpcOf(number),
  clusterId: CLUSTER,
  alive: true,
  suspect: false,
  nonVoter: false,
  ...rest,
});

/** Seen by node 1, which leads. */
const view = (rest: Partial<MembershipView> = {}): MembershipView => ({
  self: idOf(1),
  clusterId: CLUSTER,
  configuration: configurationOf([1, 2, 3]),
  candidates: [candidate(1), candidate(2), candidate(3)],
  caughtUp: () => true,
  heardLately: () => false,
  ...rest,
});

describe('nextMembershipAction', () => {
  test('does nothing where everybody is there, and nothing while a change of voters is half done', () => {
    expect(nextMembershipAction(view())).toBeUndefined();
    const joint = { ...configurationOf([1, 2]), votersOutgoing: [idOf(1)] };
    expect(nextMembershipAction(view({ configuration: joint, candidates: [candidate(9)] }))).toBeUndefined();
  });

  test('a newcomer is added, with or without a cluster of its own yet', () => {
    for (const clusterId of ['', CLUSTER]) {
      const newcomer = candidate(4, { clusterId });
      const action = nextMembershipAction(view({ candidates: [candidate(1), newcomer] }));
      expect(action).toEqual({ kind: 'add', candidate: newcomer, replaces: undefined });
    }
  });

  test('one that is not alive, or of another cluster, is left alone', () => {
    for (const rest of [{ alive: false }, { alive: false, suspect: true }, { clusterId: 'd'.repeat(32) }]) {
      expect(nextMembershipAction(view({ candidates: [candidate(4, rest)] }))).toBeUndefined();
    }
  });

  test('nobody is ever removed: not the failed, not the unknown', () => {
    expect(nextMembershipAction(view({ candidates: [] }))).toBeUndefined();
    expect(nextMembershipAction(view({ candidates: [candidate(2, { alive: false })] }))).toBeUndefined();
  });

  test('one that was removed for good is told so, and not taken in again; a new disk of its name is', () => {
    const configuration = { ...configurationOf([1, 2]), removed: [{ id: idOf(3), name: nameOf(3) }] };
    const action = nextMembershipAction(view({ configuration }));
    expect(action).toEqual({ kind: 'tell_removed', candidate: candidate(3) });
    const gone = [candidate(1), candidate(2), candidate(3, { alive: false })];
    expect(nextMembershipAction(view({ configuration, candidates: gone }))).toBeUndefined();
    const wiped = candidate(9, { name: nameOf(3), clusterId: '' });
    const taken = nextMembershipAction(view({ configuration, candidates: [...gone, wiped] }));
    expect(taken).toEqual({ kind: 'add', candidate: wiped, replaces: undefined });
  });

  describe('two disks under one name', () => {
    const newcomer = candidate(9, { name: nameOf(2), clusterId: '' });

    test('a live namesake: the newcomer is refused, and told where the other is', () => {
      const known = candidate(2);
      const refusal = nextMembershipAction(view({ candidates: [known, newcomer] }));
      expect(refusal).toMatchObject({
        kind: 'refuse',
        candidate: newcomer,
        namesake: { id: idOf(2), rpcAddr: rpcOf(2) },
        reason: expect.stringContaining(`a node named "node-2" is alive in this cluster at ${rpcOf(2)}`) as string,
      });
    });

    test('the name of the leader itself is taken, whatever gossip says', () => {
      const thief = candidate(9, { name: nameOf(1) });
      expect(nextMembershipAction(view({ candidates: [thief] }))).toMatchObject({ kind: 'refuse' });
    });

    test('a namesake that is gone is replaced, whether gossip knows it as failed or not at all', () => {
      for (const candidates of [[candidate(2, { alive: false }), newcomer], [newcomer]]) {
        const action = nextMembershipAction(view({ candidates }));
        expect(action).toEqual({ kind: 'add', candidate: newcomer, replaces: idOf(2) });
      }
    });

    test('a namesake that is suspect, or that this leader heard lately, is neither replaced nor the newcomer refused', () => {
      const suspect = candidate(2, { alive: false, suspect: true });
      expect(nextMembershipAction(view({ candidates: [suspect, newcomer] }))).toBeUndefined();
      const heardLately = (id: string): boolean => id === idOf(2);
      expect(nextMembershipAction(view({ candidates: [newcomer], heardLately }))).toBeUndefined();
    });

    test('while one newcomer waits, others get their turn', () => {
      const suspect = candidate(2, { alive: false, suspect: true });
      const action = nextMembershipAction(view({ candidates: [suspect, newcomer, candidate(4)] }));
      expect(action).toMatchObject({ kind: 'add', candidate: candidate(4) });
    });
  });

  describe('a learner', () => {
    const configuration = configurationOf([1, 2], [3]);

    test('that is alive and caught up becomes a voter', () => {
      expect(nextMembershipAction(view({ configuration }))).toEqual({ kind: 'promote', id: idOf(3) });
    });

    test.each<[string, Partial<Candidate>, () => boolean]>([
      ['is not caught up', {}, () => false],
      ['does not want to vote', { nonVoter: true }, () => true],
      ['is not alive', { alive: false }, () => true],
      ['has not taken up this cluster yet', { clusterId: '' }, () => true],
    ])('that %s stays one', (_why, rest, caughtUp) => {
      const candidates = [candidate(1), candidate(2), candidate(3, rest)];
      expect(nextMembershipAction(view({ configuration, candidates, caughtUp }))).toBeUndefined();
    });

    test('of whom gossip says nothing stays one', () => {
      expect(nextMembershipAction(view({ configuration, candidates: [candidate(1)] }))).toBeUndefined();
    });

    test(`stays one where ${MAX_VOTERS} vote already; the next in line is promoted where one of two is not able to`, () => {
      const candidates = [1, 2, 3, 4, 5, 6].map((number) => candidate(number));
      const full = configurationOf([1, 2, 3, 4, 5], [6]);
      expect(nextMembershipAction(view({ configuration: full, candidates }))).toBeUndefined();
      const room = configurationOf([1, 2, 3, 4], [5, 6]);
      const caughtUp = (id: string): boolean => id === idOf(6);
      const action = nextMembershipAction(view({ configuration: room, candidates, caughtUp }));
      expect(action).toEqual({ kind: 'promote', id: idOf(6) });
    });
  });

  describe('an address', () => {
    test('that a member gives itself anew goes into the log, the own one, too', () => {
      for (const number of [1, 2]) {
        const candidates = [candidate(number, { rpcAddr: '127.0.0.1:7' })];
        expect(nextMembershipAction(view({ candidates }))).toEqual({
          kind: 'update_address',
          id: idOf(number),
          rpcAddr: '127.0.0.1:7',
        });
      }
    });

    test('of one that is gone, or that says it belongs elsewhere, does not', () => {
      for (const rest of [{ alive: false }, { clusterId: '' }, { clusterId: 'd'.repeat(32) }]) {
        const candidates = [candidate(2, { rpcAddr: '127.0.0.1:7', ...rest })];
        expect(nextMembershipAction(view({ candidates }))).toBeUndefined();
      }
    });
  });
});
