import { Contact, pickAtRandom, type ContactOptions } from '../../src/discovery/contact';
import { Lines } from './nodes';
import { seededRandom } from './seeded-random';

const random = seededRandom('test/discovery/contact.test.ts');

function contact(more: Partial<ContactOptions>): { contact: Contact; asked: string[][]; log: Lines } {
  const asked: string[][] = [];
  const log = new Lines();
  const options: ContactOptions = {
    self: 'self:1',
    seeds: [],
    retryMinMs: 100,
    retryMaxMs: 1_000,
    resyncMs: 500,
    sync: (hosts) => asked.push([...hosts].sort()),
    liveHosts: () => [],
    failedHosts: () => [],
    clock: { wallMicros: () => 0, monotonicMillis: () => 0 },
    random: { next: () => 0.5 },
    log,
    ...more,
  };
  return { contact: new Contact(options), asked, log };
}

test('the seeds are asked with growing pauses until a member of a cluster answers, each time with a line', () => {
  const { contact: joining, asked, log } = contact({ seeds: ['a:1', 'b:1', 'self:1', 'a:1'], resyncMs: 1e9 });
  const times: number[] = [];
  for (let now = 0; now <= 4_000; now += 50) {
    const before = asked.length;
    joining.round(now);
    if (asked.length > before) times.push(now);
  }
  expect(times).toEqual([0, 100, 300, 700, 1_500, 2_500, 3_500]);
  expect(asked.every((hosts) => hosts.join() === 'a:1,b:1')).toBe(true);
  expect(log.lines.map(({ level }) => level)).toEqual(['info', 'warn', 'warn', 'warn', 'warn', 'warn', 'warn']);
  expect(joining.joined).toBe(false);
  joining.heardFromCluster('b:1', 'c');
  joining.round(1e6);
  expect(joining.joined).toBe(true);
  expect(asked).toHaveLength(7);
  expect(log.lines.at(-1)).toMatchObject({ level: 'info', fields: { sender: 'b:1', attempts: 7 } });
});

test('with nobody to ask there is nothing to wait for', () => {
  const { contact: first, asked } = contact({ seeds: ['self:1'] });
  expect(first.joined).toBe(true);
  first.round(0);
  first.round(1_000);
  expect(asked).toEqual([]);
});

test('all is exchanged with one who lives and one who is held for dead or was never reached', () => {
  const { contact: joined, asked } = contact({
    seeds: ['a:1', 'seed:1'],
    liveHosts: () => ['a:1', 'b:1'],
    failedHosts: () => ['dead:1'],
    random,
  });
  joined.heardFromCluster('a:1', 'c');
  for (let now = 0; now < 100_000; now += 100) joined.round(now);
  expect(asked.length).toBeGreaterThan(100);
  const pairs = new Set(asked.map((hosts) => hosts.join()));
  expect([...pairs].sort()).toEqual(['a:1,dead:1', 'a:1,seed:1', 'b:1,dead:1', 'b:1,seed:1']);
});

test('a random choice has no repetitions and reaches everyone', () => {
  const hosts = ['a', 'b', 'c', 'd'];
  const reached = new Set<string>();
  for (let round = 0; round < 200; round++) {
    const chosen = pickAtRandom(hosts, 2, random);
    expect(new Set(chosen).size).toBe(2);
    reached.add(chosen.join(''));
  }
  expect(reached.size).toBe(12);
  expect(pickAtRandom(hosts, 9, random).sort()).toEqual(hosts);
  expect(pickAtRandom([], 1, random)).toEqual([]);
});
