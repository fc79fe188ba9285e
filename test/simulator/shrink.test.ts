import { chosen } from './choice';
import type { FaultKind } from './fault-plan';
import type { SeedChoice, SeedResult } from './seed-run';
import { shrunk } from './shrink';

const failure = { message: 'Violation: money: 3 cents are gone', stack: '', lastLines: [], seconds: 5 };

/** A bug that shows from so many seconds on, where none of the needed kinds is left out. */
function bug(seconds: number, needed: readonly FaultKind[], message = failure.message) {
  return (seed: number, choice: SeedChoice): Promise<SeedResult> => {
    const shows = choice.seconds >= seconds && !needed.some((kind) => choice.without.includes(kind));
    const other = { ...failure, message: shows ? message : 'Violation: liveness: nothing happens' };
    return Promise.resolve({ kind: 'failed', seed, failure: other });
  };
}

describe('a run that found something', () => {
  test('is made as short as it can be, with no kind of fault that it does not need', async () => {
    const { choice } = await shrunk(chosen(['--seed', '7']), failure, bug(3, ['kill', 'clock']));
    expect(choice.seconds).toBe(3);
    expect(choice.without).not.toContain('kill');
    expect(choice.without).not.toContain('clock');
    expect(choice.without).toContain('rot');
  });

  test('stays as it is where everything smaller finds something else', async () => {
    const given = chosen(['--seed', '7', '--seconds', '9']);
    const result = await shrunk(given, failure, bug(1, [], 'Violation: durability: it is gone'));
    expect(result.choice).toEqual(given);
    expect(result.failure).toBe(failure);
  });
});
