import { StateComparison } from '../../src/node/state-comparison';
import type { StateCheck } from '../../src/node/group-history';
import { encodeJson, PEER_CALLS, PeerBodyError } from '../../src/node/peer-calls';
import type { CoreStatus } from '../../src/raft/core';
import { CallError } from '../../src/raft/transport';
import { configurationOf, idOf, nameOf } from './members';
import { recordedEvents } from './recorded-events';

const check = (index: number, byte: number): StateCheck => ({ index, digest: Buffer.alloc(32, byte) });

/** One member that compares itself with others, whose checks a test sets. */
class Member {
  readonly events = recordedEvents();
  readonly diverged: string[] = [];
  readonly peers = new Map<string, readonly StateCheck[] | Error>();
  checks: readonly StateCheck[] = [];
  asked = 0;
  readonly comparison: StateComparison;

  constructor(self: number, voters: readonly number[]) {
    const status = { id: idOf(self), configuration: configurationOf([...voters]) } as CoreStatus;
    this.comparison = new StateComparison({
      replica: { status: () => status },
      checks: () => this.checks,
      call: async (to, method) => {
        expect(method).toBe(PEER_CALLS.checks);
        this.asked += 1;
        const answer = this.peers.get(to) ?? new CallError('UNAVAILABLE', 'GONE', 'not there', { sent: false });
        if (answer instanceof Error) throw answer;
        return encodeJson({ checks: answer.map(({ index, digest }) => [index, digest.toString('hex')]) });
      },
      nameOf: () => nameOf(9),
      events: this.events,
      diverged: (why) => void this.diverged.push(why),
    });
  }

  has(own: readonly StateCheck[], ...peers: (readonly StateCheck[] | Error)[]): Promise<void> {
    this.checks = own;
    peers.forEach((checks, at) => this.peers.set(idOf(at + 2), checks));
    return this.comparison.step();
  }

  get errors(): string[] {
    return this.events.of('error').map(({ message }) => message);
  }
}

describe('comparing states', () => {
  test('those that agree are well, and nobody is asked again before there is more to compare', async () => {
    const member = new Member(1, [1, 2, 3]);
    await member.has([check(256, 1)], [check(256, 1)], [check(256, 1)]);
    expect(member.comparison.comparedIndex).toBe(256);
    await member.comparison.step();
    expect(member.asked).toBe(2);
    expect([member.diverged, member.errors]).toEqual([[], []]);
  });

  test('who differs from a majority is wrong, also where one peer is not heard', async () => {
    const member = new Member(1, [1, 2, 3]);
    await member.has([check(256, 9)], [check(256, 1)], [check(256, 1)]);
    expect(member.diverged).toEqual([expect.stringContaining('At entry 256')]);
    const alone = new Member(1, [1, 2, 3]);
    await alone.has([check(256, 9)], [check(256, 1)]);
    expect([alone.diverged, alone.comparison.comparedIndex]).toEqual([[], 0]);
    await alone.has([check(256, 9)], [check(256, 1)], [check(256, 1)]);
    expect(alone.diverged).toHaveLength(1);
  });

  test('who is in the majority says who is not, once', async () => {
    const member = new Member(1, [1, 2, 3]);
    await member.has([check(256, 1)], [check(256, 1)], [check(256, 9)]);
    await member.has([check(256, 1), check(512, 2)], [check(512, 2)], [check(512, 9)]);
    expect(member.diverged).toEqual([]);
    expect(member.errors).toEqual(['the state of a node is not that of the majority']);
  });

  test('two that differ, without a third, are both told of and go on', async () => {
    const member = new Member(1, [1, 2]);
    await member.has([check(256, 1)], [check(256, 9)]);
    expect(member.diverged).toEqual([]);
    expect(member.errors).toEqual([expect.stringContaining('no majority')]);
    expect(member.comparison.comparedIndex).toBe(256);
  });

  test('of five, two that are wrong in the same way are wrong all the same', async () => {
    const member = new Member(1, [1, 2, 3, 4, 5]);
    await member.has([check(256, 9)], [check(256, 9)], [check(256, 1)], [check(256, 1)], [check(256, 1)]);
    expect(member.diverged).toHaveLength(1);
  });

  test('waits for a peer that is behind, and goes through what it has missed in order', async () => {
    const member = new Member(1, [1, 2, 3]);
    await member.has([check(256, 1), check(512, 2)], [], []);
    expect(member.comparison.comparedIndex).toBe(0);
    await member.has([check(256, 1), check(512, 2)], [check(256, 1)], []);
    expect(member.comparison.comparedIndex).toBe(256);
    await member.has([check(256, 1), check(512, 2)], [check(256, 1), check(512, 2)], []);
    expect(member.comparison.comparedIndex).toBe(512);
  });

  test('a learner compares itself with the voters and has no voice', async () => {
    const learner = new Member(4, [1, 2, 3]);
    learner.checks = [check(256, 9)];
    for (const voter of [1, 2]) learner.peers.set(idOf(voter), [check(256, 1)]);
    await learner.comparison.step();
    expect(learner.diverged).toHaveLength(1);
  });

  test('a node that is alone compares nothing', async () => {
    const member = new Member(1, [1]);
    await member.has([check(256, 1)]);
    expect([member.asked, member.diverged]).toEqual([0, []]);
  });

  test('what is no answer counts for nothing', async () => {
    const member = new Member(1, [1, 2, 3]);
    await member.has([check(256, 9)], new PeerBodyError('no JSON'), [check(256, 1)]);
    expect([member.diverged, member.errors, member.comparison.comparedIndex]).toEqual([[], [expect.any(String)], 0]);
  });

  test('gives its own checks', () => {
    const member = new Member(1, [1, 2]);
    member.checks = [check(256, 0xab)];
    expect(JSON.parse(member.comparison.serve().toString())).toEqual({ checks: [[256, 'ab'.repeat(32)]] });
  });
});
