import { resolve } from 'node:path';
import { prove, verdictIn } from './prove';

const script = resolve(__dirname, '../../../scripts/simulate.cjs');

async function output(...argv: string[]): Promise<{ status: number; text: string }> {
  const printed: string[] = [];
  const status = await prove(['--prove', ...argv], script, (text) => printed.push(text));
  return { status, text: printed.join('') };
}

describe('the proof', () => {
  test('puts in a bug, in a process of its own, and says what found it', async () => {
    const { status, text } = await output('--only', 'id-not-looked-for', '--seeds', '10');
    expect(text).toMatch(/^\| id-not-looked-for \| [a-z ]+ \| \d+ \| \d+ \|$/m);
    expect(text).toContain('1 of 1 mutations found');
    expect(status).toBe(0);
  }, 300_000);

  test('says how it is used where it is used otherwise', async () => {
    expect(await output('--only', 'no-such-bug')).toMatchObject({ status: 2 });
    expect(await output('--jobs', '0')).toMatchObject({ status: 2 });
    expect((await output('--what')).text).toContain('usage: ./scripts/simulate --prove');
  });
});

describe('the verdict on a run', () => {
  test('is the property that was violated, with its seed', () => {
    const text = '1.0 n1 boot\nseed 12: Violation: one vote a term: n1 voted twice\nViolation: …\n';
    expect(verdictIn(text, 1, null)).toEqual({ kind: 'found', seed: 12, property: 'one vote a term' });
  });

  test('names the assertion of the program where that was first', () => {
    const text = 'seed 3: RaftInvariantError: Entry 7 is committed\n';
    expect(verdictIn(text, 1, null)).toEqual({ kind: 'found', seed: 3, property: 'its own RaftInvariantError' });
  });

  test.each([
    ['every seed was clean', 'clean; 3 simulated minutes\n', 0, null],
    [
      'the run broke: EditError: src/a.ts holds this fragment 0 times',
      'EditError: src/a.ts holds this fragment 0 times',
      1,
      null,
    ],
    [
      'the mutation does not run: ReferenceError: notCommited is not defined',
      'seed 1: ReferenceError: notCommited is not defined\n',
      1,
      null,
    ],
    ['it took more than 30 minutes', '', null, 'SIGTERM'],
  ])('is none where %s', (why, text, status, signal) => {
    expect(verdictIn(text, status, signal)).toEqual({ kind: 'missed', why });
  });
});
