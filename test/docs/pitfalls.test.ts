import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(__dirname, '..', '..');
const text = readFileSync(join(ROOT, 'docs', 'internals', 'pitfalls.md'), 'utf8');
const rows = text.split('\n').flatMap((line) => {
  const [, number, , tests] = line.split('|').map((cell) => cell.trim());
  return number !== undefined && /^\d+$/.test(number) ? [{ number: Number(number), tests: tests ?? '' }] : [];
});

test('all pitfalls are in the table, in order', () => {
  expect(rows.map(({ number }) => number)).toEqual(Array.from({ length: 42 }, (_, at) => at + 1));
});

test.each(rows)('the tests against pitfall $number are there', ({ tests }) => {
  const named = [...tests.matchAll(/`([^`]+)` "([^"]+)"/g)];
  expect(named.length).toBeGreaterThan(0);
  for (const [, file, words] of named) {
    const path = join(ROOT, file as string);
    expect([file, existsSync(path)]).toEqual([file, true]);
    expect([file, readFileSync(path, 'utf8').includes(words as string)]).toEqual([file, true]);
  }
});
