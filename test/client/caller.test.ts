import { type LedgerError } from '../../src/client';
import { Caller } from '../../src/client/caller';
import { Directory } from '../../src/client/directory';
import { paused, systemEnvironment } from '../../src/client/environment';
import { ClientReason, LedgerError as ErrorOfCalls } from '../../src/client/errors';
import { ClusterOfDoors } from './cluster-of-doors';

let cluster: ClusterOfDoors;
let directory: Directory;
let caller: Caller;

beforeEach(async () => {
  cluster = await ClusterOfDoors.start(2);
  const environment = systemEnvironment;
  const { addresses } = cluster;
  directory = new Directory({ addresses, refreshIntervalMs: 60_000, environment, onNews: () => undefined });
  const { now, random, timers } = environment;
  caller = new Caller({ directory, attemptTimeoutMs: 60_000, now, random, timers });
});

afterEach(async () => {
  directory.close();
  await cluster.close();
});

const noLeader = (): LedgerError => new ErrorOfCalls('UNAVAILABLE', 'NO_LEADER', 'No leader is known.');

/** A try that lasts until its time is over. */
async function unanswered(timeoutMs: number): Promise<never> {
  await paused(systemEnvironment.timers, timeoutMs);
  throw new ErrorOfCalls('DEADLINE_EXCEEDED', ClientReason.DEADLINE, 'Not answered in time.');
}

describe('a call whose time is over', () => {
  test('in the middle of a try tells what a server said before it', async () => {
    let tries = 0;
    const answer = caller.call({ target: 'leader', kind: 'read', timeoutMs: 300 }, (_server, timeoutMs) =>
      ++tries === 1 ? Promise.reject(noLeader()) : unanswered(timeoutMs),
    );
    await expect(answer).rejects.toMatchObject({ code: 'UNAVAILABLE', reason: 'NO_LEADER' });
    expect(tries).toBe(2);
  });

  test('and that nobody has answered at all is DEADLINE_EXCEEDED', async () => {
    const answer = caller.call({ target: 'leader', kind: 'read', timeoutMs: 100 }, (_server, timeoutMs) =>
      unanswered(timeoutMs),
    );
    await expect(answer).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED', reason: ClientReason.DEADLINE });
  });

  test('in the middle of a try of a write leaves its outcome unknown, whatever was said before', async () => {
    let tries = 0;
    const answer = caller.call({ target: 'leader', kind: 'idempotent', timeoutMs: 300 }, (_server, timeoutMs) =>
      ++tries === 1 ? Promise.reject(noLeader()) : unanswered(timeoutMs),
    );
    await expect(answer).rejects.toMatchObject({ reason: ClientReason.OUTCOME_UNKNOWN, outcomeUnknown: true });
  });
});
