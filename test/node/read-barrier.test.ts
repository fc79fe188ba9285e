import type { Consistency } from '../../src/api/node-port';
import { ReadBarrier } from '../../src/node/read-barrier';
import { encodeToken } from '../../src/node/token';
import { ReplicaError, type ReplicaErrorReason } from '../../src/raft/replica/errors';
import { CLUSTER } from './members';

/** What is asked of the replica, and how fresh and how far it is. */
class FakeReplica {
  age = Number.POSITIVE_INFINITY;
  failure: Error | undefined;
  readonly asked: string[] = [];

  async linearizable(deadlineMs: number): Promise<void> {
    this.asked.push(`linearizable within ${deadlineMs}`);
    if (this.failure) throw this.failure;
    this.age = 0;
  }

  async waitApplied(index: number, deadlineMs: number): Promise<void> {
    this.asked.push(`applied ${index} within ${deadlineMs}`);
    if (this.failure) throw this.failure;
  }

  staleness(): number {
    return this.age;
  }
}

const refused = (reason: ReplicaErrorReason): ReplicaError => new ReplicaError(reason, `because ${reason}`);

describe('ReadBarrier', () => {
  let replica: FakeReplica;
  let barrier: ReadBarrier;
  beforeEach(() => {
    replica = new FakeReplica();
    barrier = new ReadBarrier(replica, 0, () => CLUSTER);
  });
  const wait = (consistency: Consistency): Promise<void> => barrier.wait(consistency, 1_000);

  describe('LINEARIZABLE', () => {
    test('asks the leader, within the deadline', async () => {
      await wait({ level: 'LINEARIZABLE' });
      expect(replica.asked).toEqual(['linearizable within 1000']);
    });

    test.each<[ReplicaErrorReason, string, string]>([
      ['NO_LEADER', 'UNAVAILABLE', 'NO_LEADER'],
      ['NOT_LEADER', 'UNAVAILABLE', 'NO_LEADER'],
      ['STOPPING', 'UNAVAILABLE', 'STOPPING'],
      ['OVERLOADED', 'RESOURCE_EXHAUSTED', 'OVERLOADED'],
      ['DISK_FULL', 'RESOURCE_EXHAUSTED', 'DISK_FULL'],
    ])('%s is refused as %s, %s', async (reason, code, told) => {
      replica.failure = refused(reason);
      await expect(wait({ level: 'LINEARIZABLE' })).rejects.toMatchObject({ name: 'NodeError', code, reason: told });
    });

    test('an error that nobody foresaw is passed on as it is', async () => {
      replica.failure = new TypeError('a bug');
      await expect(wait({ level: 'LINEARIZABLE' })).rejects.toBe(replica.failure);
    });
  });

  describe('AT_LEAST', () => {
    const atLeast = (token: string): Promise<void> => wait({ level: 'AT_LEAST', token });

    test('waits for the index of the token, without asking anybody', async () => {
      await atLeast(encodeToken(CLUSTER, { group: 0, index: 42 }));
      expect(replica.asked).toEqual(['applied 42 within 1000']);
    });

    test('says that this node is behind where it does not get there in time', async () => {
      replica.failure = refused('NO_LEADER');
      await expect(atLeast(encodeToken(CLUSTER, { group: 0, index: 42 }))).rejects.toMatchObject({
        code: 'UNAVAILABLE',
        reason: 'STALE_READ',
      });
    });

    test.each([
      ['no token', 'what?', 'not one that a node of this software gave'],
      ['a token of another cluster', encodeToken('d'.repeat(32), { group: 0, index: 1 }), 'given by another cluster'],
      ['a token of another group', encodeToken(CLUSTER, { group: 1, index: 1 }), 'group 1, which does not exist'],
    ])('%s is a fault of the caller', async (_what, token, why) => {
      await expect(atLeast(token)).rejects.toMatchObject({
        ...{ code: 'INVALID_ARGUMENT', reason: 'TOKEN_INVALID', field: 'consistency.token' },
      });
      await expect(atLeast(token)).rejects.toThrow(why);
      expect(replica.asked).toEqual([]);
    });
  });

  describe('STALE', () => {
    const stale = (maxStalenessMs: number): Promise<void> => wait({ level: 'STALE', maxStalenessMs });

    test('without a bound always answers, and asks nobody', async () => {
      replica.failure = refused('NO_LEADER');
      await stale(0);
      expect(replica.asked).toEqual([]);
    });

    test('with a bound answers at once while the state is fresh enough', async () => {
      replica.age = 100;
      await stale(100);
      expect(replica.asked).toEqual([]);
    });

    test('asks the leader where it is not, but not for long', async () => {
      replica.age = 101;
      await stale(100);
      expect(replica.asked).toEqual(['linearizable within 500']);
      await barrier.wait({ level: 'STALE', maxStalenessMs: 1 }, 200);
      expect(replica.asked).toHaveLength(1);
      replica.age = 2;
      await barrier.wait({ level: 'STALE', maxStalenessMs: 1 }, 200);
      expect(replica.asked[1]).toBe('linearizable within 200');
    });

    test('is refused beyond the bound, with the age', async () => {
      replica.failure = refused('NO_LEADER');
      replica.age = 1_234.4;
      const refusal = stale(1_000);
      await expect(refusal).rejects.toMatchObject({ code: 'UNAVAILABLE', reason: 'STALE_READ', retryAfterMs: 500 });
      await expect(refusal).rejects.toThrow('has not heard for 1234 ms');
    });

    test('is refused beyond the bound on a node that never heard', async () => {
      replica.failure = refused('NO_LEADER');
      await expect(stale(1_000)).rejects.toThrow('has not heard since it started');
    });
  });
});
