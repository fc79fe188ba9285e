import { ReplicaError } from '../../../src/raft/replica/errors';
import { beginningOfRounds, ReadRounds } from '../../../src/raft/replica/read-rounds';
import { SeededRandom } from '../../support/seeded-random';

const RETRY_MILLIS = 100;
const MAX_READERS = 4;

type Ending = number | string | undefined;

class World {
  now = 0;
  readonly started: number[] = [];
  readonly rounds = new ReadRounds(
    0,
    (context) => this.started.push(context),
    () => this.now,
    RETRY_MILLIS,
    MAX_READERS,
  );

  /** A reader whose ending can be looked at. */
  read(deadlineAt = 10_000): { ending: Ending } {
    const reader: { ending: Ending } = { ending: undefined };
    this.rounds.request(deadlineAt).then(
      (index) => (reader.ending = index),
      (error: unknown) => (reader.ending = (error as ReplicaError).reason),
    );
    return reader;
  }

  /** Lets what was settled be seen. */
  seen(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve));
  }
}

describe('ReadRounds', () => {
  let world: World;
  beforeEach(() => {
    world = new World();
  });

  test('a read starts a round, and is answered with the index that the leader confirmed', async () => {
    const reader = world.read();
    expect(world.started).toEqual([1]);
    world.rounds.confirmed(1, 42);
    await world.seen();
    expect(reader.ending).toBe(42);
  });

  test('whoever asks while a round is under way waits for the next: that one began after the question', async () => {
    const first = world.read();
    const [second, third] = [world.read(), world.read()];
    expect(world.started).toEqual([1]);
    world.rounds.confirmed(1, 42);
    expect(world.started).toEqual([1, 2]);
    await world.seen();
    expect([first.ending, second.ending]).toEqual([42, undefined]);
    world.rounds.confirmed(2, 50);
    await world.seen();
    expect([second.ending, third.ending]).toEqual([50, 50]);
    expect(world.started).toEqual([1, 2]);
  });

  test('a round that is lost or refused is started again, together with those who came meanwhile', async () => {
    const [first, second] = [world.read(), world.read()];
    world.now = RETRY_MILLIS - 1;
    world.rounds.tick();
    expect(world.started).toEqual([1]);
    world.now = RETRY_MILLIS;
    world.rounds.tick();
    expect(world.started).toEqual([1, 2]);
    world.rounds.confirmed(2, 7);
    await world.seen();
    expect([first.ending, second.ending]).toEqual([7, 7]);
  });

  test('the answer to a round that was given up says nothing: whoever joined later asked after it', async () => {
    const first = world.read();
    world.now = RETRY_MILLIS;
    const second = world.read();
    world.rounds.tick();
    world.rounds.confirmed(1, 42);
    await world.seen();
    expect([first.ending, second.ending]).toEqual([undefined, undefined]);
    world.rounds.confirmed(2, 43);
    world.rounds.confirmed(2, 99);
    await world.seen();
    expect([first.ending, second.ending]).toEqual([43, 43]);
  });

  test('nobody waits beyond his deadline, in the round or before it', async () => {
    const [first, second] = [world.read(150), world.read(50)];
    world.now = 50;
    world.rounds.tick();
    await world.seen();
    expect([first.ending, second.ending]).toEqual([undefined, 'NO_LEADER']);
    world.now = 150;
    world.rounds.tick();
    await world.seen();
    expect(first.ending).toBe('NO_LEADER');
    world.now = 300;
    world.rounds.tick();
    expect(world.started).toEqual([1]);
  });

  test('so many may wait, and not more', async () => {
    const readers = Array.from({ length: MAX_READERS + 1 }, () => world.read());
    await world.seen();
    expect(readers.map(({ ending }) => ending)).toEqual([undefined, undefined, undefined, undefined, 'OVERLOADED']);
    world.rounds.confirmed(1, 1);
    await world.seen();
    const another = world.read();
    await world.seen();
    expect(another.ending).toBeUndefined();
  });

  test('at a stop everyone is told', async () => {
    const readers = [world.read(), world.read()];
    world.rounds.rejectAll(new ReplicaError('STOPPING', 'bye'));
    await world.seen();
    expect(readers.map(({ ending }) => ending)).toEqual(['STOPPING', 'STOPPING']);
    world.rounds.confirmed(1, 1);
    world.rounds.tick();
    expect(world.started).toEqual([1]);
  });

  test('a process numbers its rounds in other numbers than the one before: late answers to that one say nothing', async () => {
    const random = new SeededRandom(494);
    const begun = new Set<number>();
    for (let life = 0; life < 1_000; life += 1) {
      const contexts: number[] = [];
      const rounds = new ReadRounds(
        beginningOfRounds(random),
        (context) => contexts.push(context),
        () => 0,
        RETRY_MILLIS,
        MAX_READERS,
      );
      const read = rounds.request(1);
      for (const old of begun) rounds.confirmed(old, 10);
      rounds.confirmed(contexts[0]!, 20);
      expect(await read).toBe(20);
      expect(Number.isSafeInteger(contexts[0]! + 2 ** 20)).toBe(true);
      begun.add(contexts[0]!);
    }
  });

  test('a leader that confirms at once serves one reader after the other', async () => {
    const answered: number[] = [];
    const eager: ReadRounds = new ReadRounds(
      0,
      (context) => eager.confirmed(context, context * 10),
      () => 0,
      RETRY_MILLIS,
      MAX_READERS,
    );
    for (let reader = 0; reader < 10; reader += 1) answered.push(await eager.request(1));
    expect(answered).toEqual([10, 20, 30, 40, 50, 60, 70, 80, 90, 100]);
  });
});
