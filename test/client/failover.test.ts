import { LedgerClient, type LedgerError } from '../../src/client';
import { NodeError } from '../../src/api/node-port';
import { ClusterOfDoors, eventually, noLeader } from './cluster-of-doors';

const TRANSFER = { debitAccount: 'A', creditAccount: 'B', amount: '1', ledger: 'USD' };

let cluster: ClusterOfDoors;
let client: LedgerClient;

beforeEach(async () => {
  cluster = await ClusterOfDoors.start(3);
  client = await LedgerClient.connect({ addresses: cluster.addresses, refreshIntervalMs: 50 });
});

afterEach(async () => {
  await client.close();
  await cluster.close();
  expect(cluster.unforeseen).toEqual([]);
});

function promiseWithKey(): { promise: Promise<void>; open: () => void } {
  let open = (): void => undefined;
  const promise = new Promise<void>((resolve) => (open = resolve));
  return { promise, open };
}

describe('a transfer whose leader dies', () => {
  test('after it was done, before it was answered, is done once and answered as a repeat', async () => {
    let died = false;
    cluster.door(0).beforeAnswer = async () => {
      if (died) return;
      died = true;
      cluster.leader = 'node-2';
      await cluster.door(0).die();
    };
    const outcome = await client.transfer(TRANSFER);
    expect(outcome).toMatchObject({ result: 'ok', replayed: true, offset: 0 });
    expect(cluster.shared.posted('B')).toBe('1.00');
  });

  test('while many are under way: each is done exactly once', async () => {
    let batches = 0;
    cluster.door(0).beforeAnswer = async () => {
      if (++batches !== 3) return;
      cluster.leader = 'node-2';
      await cluster.door(0).die();
    };
    const worker = async (): Promise<string[]> => {
      const results: string[] = [];
      for (let i = 0; i < 20; i++) results.push((await client.transfer(TRANSFER)).result);
      return results;
    };
    const results = (await Promise.all(Array.from({ length: 32 }, worker))).flat();
    expect(results.every((result) => result === 'ok')).toBe(true);
    expect(cluster.shared.posted('B')).toBe('640.00');
  });
});

describe('a change of the leader', () => {
  test('without any failure takes the writes along', async () => {
    await client.transfer(TRANSFER);
    cluster.leader = 'node-3';
    await eventually('the client to hear of the new leader', () => client.servers()[2]!.isLeader);
    await client.transfer(TRANSFER);
    expect(cluster.door(2).writes).toBe(1);
  });

  test('that the old one does not notice is found out when it is silent', async () => {
    const stuck = promiseWithKey();
    cluster.door(0).beforeWrite = () => stuck.promise;
    const answer = client.transfer(TRANSFER);
    await eventually('the transfer to arrive', () => cluster.door(0).writes === 1);
    cluster.leader = 'node-2';
    expect(await answer).toMatchObject({ result: 'ok' });
    expect(cluster.door(1).writes).toBe(1);
    stuck.open();
  });

  test('by way of an election: what is refused in between is sent again', async () => {
    let refusals = 0;
    cluster.leader = undefined;
    for (const door of cluster.doors) {
      door.beforeWrite = () => {
        if (++refusals > 5) cluster.leader = 'node-2';
        if (cluster.leader !== door.name) throw noLeader();
      };
    }
    expect(await client.transfer(TRANSFER)).toMatchObject({ result: 'ok', replayed: false });
  });
});

describe('an overloaded leader', () => {
  test('is asked again after the time that it named', async () => {
    let refusals = 0;
    cluster.door(0).beforeWrite = () => {
      if (++refusals > 2) return;
      throw new NodeError('RESOURCE_EXHAUSTED', 'OVERLOADED', 'Too much waits.', { retryAfterMs: 20 });
    };
    expect(await client.transfer(TRANSFER)).toMatchObject({ result: 'ok' });
    expect(refusals).toBe(3);
  });
});

describe('the deadline', () => {
  test('of a transfer that nobody takes: the reason is the last refusal, and nothing was done', async () => {
    const refusal = { code: 'RESOURCE_EXHAUSTED', reason: 'OVERLOADED' } as const;
    for (const door of cluster.doors) {
      door.beforeWrite = () => {
        // Longer than the caller waits: its time ends between two tries, and not while one is under way.
        throw new NodeError(refusal.code, refusal.reason, 'Too much waits.', { retryAfterMs: 60_000 });
      };
    }
    const answer = client.transfer(TRANSFER, { timeoutMs: 1_000 });
    await expect(answer).rejects.toMatchObject({ ...refusal, outcomeUnknown: false });
  });

  test('of a transfer that was sent and not answered: the outcome is unknown', async () => {
    const stuck = promiseWithKey();
    for (const door of cluster.doors) door.beforeWrite = () => stuck.promise;
    const answer = client.transfer(TRANSFER, { timeoutMs: 200 });
    await expect(answer).rejects.toMatchObject({ reason: 'OUTCOME_UNKNOWN', outcomeUnknown: true });
    stuck.open();
  });

  test('of one transfer in a batch does not end the others', async () => {
    const stuck = promiseWithKey();
    cluster.door(0).beforeWrite = () => stuck.promise;
    const impatient = client.transfer(TRANSFER, { timeoutMs: 100 });
    const patient = client.transfer(TRANSFER, { timeoutMs: 20_000 });
    await expect(impatient).rejects.toMatchObject({ reason: 'OUTCOME_UNKNOWN' });
    stuck.open();
    expect(await patient).toMatchObject({ result: 'ok' });
  });

  test('of a read that nobody answers', async () => {
    const stuck = promiseWithKey();
    for (const door of cluster.doors) door.beforeRead = () => stuck.promise;
    const read = client.balance('A', { timeoutMs: 200 });
    // Of the server's answer that it has none yet and the end of the time, either may come first.
    await expect(read.catch((error: LedgerError) => error.code)).resolves.toMatch(/^(UNAVAILABLE|DEADLINE_EXCEEDED)$/);
    stuck.open();
  });
});

describe('a cluster of which nobody answers', () => {
  test('cannot be connected to', async () => {
    await Promise.all(cluster.doors.map((door) => door.die()));
    const connecting = LedgerClient.connect({ addresses: cluster.addresses, timeoutMs: 100 });
    await expect(connecting).rejects.toMatchObject({ code: 'UNAVAILABLE', reason: 'NO_CLUSTER' });
  });

  test('is found again when it comes back, transfers under way included', async () => {
    await Promise.all(cluster.doors.map((door) => door.die()));
    const answer = client.transfer(TRANSFER, { timeoutMs: 20_000 });
    await Promise.all(cluster.doors.map((door) => door.listen()));
    expect(await answer).toMatchObject({ result: 'ok' });
    expect(cluster.shared.posted('B')).toBe('1.00');
  });
});

describe('a clean stop of the leader', () => {
  test('loses nothing: what it no longer takes goes to the next', async () => {
    const worker = async (): Promise<void> => {
      for (let i = 0; i < 30; i++) expect(await client.transfer(TRANSFER)).toMatchObject({ result: 'ok' });
    };
    const work = Promise.all(Array.from({ length: 8 }, worker));
    await eventually('transfers to be under way', () => cluster.door(0).writes > 2);
    cluster.leader = 'node-2';
    await cluster.door(0).stop();
    await work;
    expect(cluster.shared.posted('B')).toBe('240.00');
  });
});
