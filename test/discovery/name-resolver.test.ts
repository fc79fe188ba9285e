import { NameResolver } from '../../src/discovery/name-resolver';
import { eventually } from './nodes';

interface Question {
  readonly name: string;
  readonly answer: (address: string) => void;
  readonly fail: (error: Error) => void;
}

function resolver(): { names: NameResolver; asked: Question[]; failures: string[]; time: { now: number } } {
  const asked: Question[] = [];
  const failures: string[] = [];
  const time = { now: 0 };
  const names = new NameResolver(
    4,
    () => time.now,
    (name) => failures.push(name),
    (name) => new Promise((answer, fail) => asked.push({ name, answer, fail })),
  );
  return { names, asked, failures, time };
}

test('an answer is remembered, and used while a newer one is asked for', async () => {
  const { names, asked, time } = resolver();
  expect(names.resolve('a')).toBeUndefined();
  expect(names.resolve('a')).toBeUndefined();
  asked[0]!.answer('10.0.0.1');
  await eventually(() => names.resolve('a') === '10.0.0.1', 'it is resolved');
  expect(asked).toHaveLength(1);
  time.now = 30_000;
  expect(names.resolve('a')).toBe('10.0.0.1');
  expect(asked).toHaveLength(2);
  asked[1]!.answer('10.0.0.2');
  await eventually(() => names.resolve('a') === '10.0.0.2', 'the new address is used');
});

test('one name is asked for at a time', async () => {
  const { names, asked } = resolver();
  for (const name of ['a', 'b', 'c']) names.resolve(name);
  expect(asked.map(({ name }) => name)).toEqual(['a']);
  asked[0]!.answer('10.0.0.1');
  await eventually(() => names.resolve('b') === undefined && asked.length === 2, 'the next is asked for');
  expect(asked[1]!.name).toBe('b');
});

test('a failure is told, keeps the last answer, and is tried again a little later', async () => {
  const { names, asked, failures, time } = resolver();
  names.resolve('a');
  asked[0]!.answer('10.0.0.1');
  await eventually(() => names.resolve('a') === '10.0.0.1', 'it is resolved');
  time.now = 30_000;
  names.resolve('a');
  asked[1]!.fail(new Error('no name server'));
  await eventually(() => failures.length === 1, 'the failure is told');
  expect(names.resolve('a')).toBe('10.0.0.1');
  expect(asked).toHaveLength(2);
  time.now = 32_000;
  expect(names.resolve('a')).toBe('10.0.0.1');
  expect(asked).toHaveLength(3);
});
