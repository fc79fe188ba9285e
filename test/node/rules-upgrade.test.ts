import { decodeRulesVersion } from '../../src/ledger/rules-versions';
import { encodeJson, PEER_CALLS } from '../../src/node/peer-calls';
import { RulesUpgrade } from '../../src/node/rules-upgrade';
import type { Configuration, CoreStatus } from '../../src/raft/core';
import { ReplicaError } from '../../src/raft/replica/errors';
import type { Applied } from '../../src/raft/replica/proposal-queue';
import { CallError } from '../../src/raft/transport';
import { rulesUpTo } from '../support/test-rules';
import { configurationOf, idOf, leaderStatus } from './members';
import { recordedEvents, type RecordedEvents } from './recorded-events';

const KIND_VERSION = 4;

/** A leader, node 1, that knows rules up to version 3, and what its members say they know. */
class World {
  readonly id = idOf(1);
  isLeader = true;
  active = 1;
  appliedIndex = 10;
  configuration: Configuration = configurationOf([1, 2], [3]);
  configurationIndex = 1;
  lastIndex = 10;
  readonly known = new Map<string, number | 'silent' | 'unaware'>([
    [idOf(2), 3],
    [idOf(3), 3],
  ]);
  readonly proposed: number[] = [];
  asked = 0;
  linearizable: () => Promise<void> = async () => undefined;
  /** What becomes of an entry of ours. */
  outcome: () => Promise<Applied> = async () => this.applied();
  onAsked: () => void = () => undefined;
  readonly events: RecordedEvents = recordedEvents();
  readonly upgrade: RulesUpgrade;

  constructor() {
    this.upgrade = new RulesUpgrade({
      replica: this,
      rules: rulesUpTo(3),
      activeVersion: () => this.active,
      call: async (to, method) => this.answer(to, method),
      events: this.events,
    });
  }

  status(): CoreStatus {
    const { configurationIndex, lastIndex } = this;
    return { ...leaderStatus(this.configuration), configurationIndex, lastIndex };
  }

  submit(kind: number, payload: Buffer, count: number): Promise<Applied> {
    expect([kind, count]).toEqual([KIND_VERSION, 0]);
    this.proposed.push(decodeRulesVersion(payload));
    this.lastIndex += 1;
    return this.outcome();
  }

  private applied(): Applied {
    this.active = this.proposed.at(-1) as number;
    this.appliedIndex = this.lastIndex;
    return { index: this.lastIndex, term: 1, baseOffset: 0, time: 1, outcomes: Buffer.alloc(0) };
  }

  private answer(to: string, method: number): Buffer {
    expect(method).toBe(PEER_CALLS.identify);
    this.asked += 1;
    this.onAsked();
    const known = this.known.get(to);
    if (known === 'silent' || known === undefined) {
      throw new CallError('UNAVAILABLE', 'PEER_UNREACHABLE', 'nobody answers', { sent: false });
    }
    return encodeJson({ nodeId: to, ...(known !== 'unaware' && { rulesVersion: known }) });
  }
}

describe('RulesUpgrade', () => {
  let world: World;
  beforeEach(() => {
    world = new World();
  });

  test('switches the newest rules on by one entry when every member knows them, and asks nobody afterwards', async () => {
    await world.upgrade.step();
    expect(world.proposed).toEqual([3]);
    const { asked } = world;
    await world.upgrade.step();
    expect(world.proposed).toEqual([3]);
    expect(world.asked).toBe(asked);
  });

  test.each<[string, number, number | 'silent' | 'unaware', number[]]>([
    ['a voter knows less', 2, 2, [2]],
    ['a learner knows less', 3, 2, [2]],
    ['a voter does not answer', 2, 'silent', []],
    ['a learner does not answer', 3, 'silent', []],
    ['a program is so old that it does not say', 2, 'unaware', []],
    ['a member knows more than the leader', 2, 9, [3]],
  ])('where %s, only what all know is switched on', async (_what, member, known, proposed) => {
    world.known.set(idOf(member), known);
    await world.upgrade.step();
    expect(world.proposed).toEqual(proposed);
  });

  test('says once for whom it waits, and again when it is somebody else', async () => {
    world.known.set(idOf(2), 'silent');
    await world.upgrade.step();
    await world.upgrade.step();
    world.known.set(idOf(3), 1);
    await world.upgrade.step();
    const lines = world.events.of('info').map(({ fields }) => fields['waitsFor']);
    expect(lines).toEqual([['node-2 (no answer)'], ['node-2 (no answer)', 'node-3 (1)']]);
  });

  test('a follower does nothing', async () => {
    world.isLeader = false;
    await world.upgrade.step();
    expect([world.asked, world.proposed]).toEqual([0, []]);
  });

  test('nothing before it has committed in its term', async () => {
    world.linearizable = async () => {
      throw new ReplicaError('NO_LEADER', 'not committed in its term');
    };
    await world.upgrade.step();
    expect([world.asked, world.proposed]).toEqual([0, []]);
  });

  test('nothing where a member came while the others were asked', async () => {
    world.onAsked = () => {
      world.configurationIndex = 9;
    };
    await world.upgrade.step();
    expect(world.proposed).toEqual([]);
  });

  test('nothing where leadership was lost while the members were asked', async () => {
    world.onAsked = () => {
      world.isLeader = false;
    };
    await world.upgrade.step();
    expect(world.proposed).toEqual([]);
  });

  test('no second entry while it is not known what became of the first', async () => {
    world.outcome = async () => {
      throw new ReplicaError('OUTCOME_UNKNOWN', 'not committed in time');
    };
    await world.upgrade.step();
    await world.upgrade.step();
    expect(world.proposed).toEqual([3]);
    world.appliedIndex = world.lastIndex;
    await world.upgrade.step();
    expect(world.proposed).toEqual([3, 3]);
  });

  test('one look at a time', async () => {
    let goOn: () => void = () => undefined;
    world.linearizable = () => new Promise((resolve) => (goOn = resolve));
    const first = world.upgrade.step();
    await world.upgrade.step();
    goOn();
    await first;
    expect(world.proposed).toEqual([3]);
  });

  test('a newcomer has to know what is about to hold, as long as this node leads', async () => {
    expect(world.upgrade.required).toBe(1);
    world.outcome = () => new Promise(() => undefined);
    void world.upgrade.step();
    for (let turn = 0; world.proposed.length === 0 && turn < 100; turn += 1) await Promise.resolve();
    expect(world.upgrade.required).toBe(3);
    world.isLeader = false;
    expect(world.upgrade.required).toBe(1);
    await world.upgrade.step();
    world.isLeader = true;
    expect(world.upgrade.required).toBe(1);
  });

  test('what is no refusal of the replica is not swallowed', async () => {
    world.linearizable = async () => {
      throw new TypeError('a fault of the program');
    };
    await expect(world.upgrade.step()).rejects.toThrow('a fault of the program');
  });
});
