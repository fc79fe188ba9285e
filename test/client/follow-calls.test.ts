import { type BalanceChanges, LedgerClient, type RecordView } from '../../src/client';
import { ClusterOfDoors, eventually } from './cluster-of-doors';

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

const pay = (debitAccount: string, creditAccount: string, amount: string) =>
  client.transfer({ debitAccount, creditAccount, amount, ledger: 'USD' });

async function all<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of stream) items.push(item);
  return items;
}

describe('watchBalances', () => {
  test('gives balances, and those that have changed', async () => {
    await pay('Alice', 'Bob', '1');
    const watch = client.watchBalances(['Alice', 'Bob']);
    const first = (await watch.next()).value as BalanceChanges;
    expect(first.balances.map(({ account, posted }) => [account, posted])).toEqual([
      ['Alice', '-1.00'],
      ['Bob', '1.00'],
    ]);
    await pay('Bob', 'Carol', '0.25');
    const second = (await watch.next()).value as BalanceChanges;
    expect(second).toMatchObject({ balances: [{ account: 'Bob', posted: '0.75' }], position: { offset: 1 } });
    expect(client.newestToken).toBe(second.position.token);
    await watch.return();
    await eventually('nobody to wait', () => cluster.shared.waiters === 0);
  });

  test('goes on elsewhere when its server dies, with news only', async () => {
    await pay('Alice', 'Bob', '1');
    const abort = new AbortController();
    const seen: string[] = [];
    const reading = (async () => {
      for await (const { balances } of client.watchBalances(['Bob', 'Dora'], { signal: abort.signal })) {
        seen.push(...balances.map(({ account, posted }) => `${account} ${posted}`));
      }
    })();
    await eventually('the first answer', () => seen.length === 2);
    for (const i of [1, 2]) {
      await cluster.door(i).die();
      await cluster.door(i).listen();
      await eventually('a watch somewhere', () => cluster.shared.waiters === 1);
    }
    await pay('Alice', 'Bob', '2');
    await eventually('the change', () => seen.length === 3);
    expect(seen).toEqual(['Bob 1.00', 'Dora ', 'Bob 3.00']);
    abort.abort();
    await reading;
  });

  test('fails for what no server would serve', async () => {
    await expect(client.watchBalances([]).next()).rejects.toMatchObject({ reason: 'ACCOUNTS_REQUIRED' });
  });
});

describe('consumeStream with a filter', () => {
  test('gives what fits, says how far it is, and ends where it is told to', async () => {
    await pay('Alice', 'Bob', '1');
    for (let i = 0; i < 5; i++) await client.produce('noise');
    await pay('Bob', 'Carol', '1');
    await client.produce('noise');
    const progress: number[] = [];
    const options = { filter: { accounts: ['Bob'] }, until: 8, onProgress: (next: number) => void progress.push(next) };
    const records = await all<RecordView>(client.consumeStream(0, options));
    expect(records.map(({ offset }) => offset)).toEqual([0, 6]);
    expect(progress).toEqual([1, 7, 8]);
    expect(await all(client.consumeStream(7, options))).toEqual([]);
    expect(await all(client.consumeStream(8, options))).toEqual([]);
  });

  test('ends before a record that is beyond where it is to end', async () => {
    for (const amount of ['1', '2', '3']) await pay('Alice', 'Bob', amount);
    const records = await all<RecordView>(client.consumeStream(0, { filter: { results: ['ok'] }, until: 2 }));
    expect(records.map(({ offset }) => offset)).toEqual([0, 1]);
    expect(await all(client.consumeStream(1, { until: 2 }))).toHaveLength(1);
  });

  test('goes on elsewhere from where it was, without a gap and without a repeat', async () => {
    const abort = new AbortController();
    const seen: number[] = [];
    const reading = (async () => {
      const options = { filter: { types: [1] }, signal: abort.signal };
      for await (const { offset } of client.consumeStream(0, options)) seen.push(offset);
    })();
    const expected: number[] = [];
    for (let i = 0; i < 40; i++) {
      if (i % 2 === 0) expected.push((await pay('Alice', 'Bob', '1')).offset);
      else await client.produce('noise');
      if (i % 10 !== 5) continue;
      const door = cluster.door(1 + (i % 20 === 5 ? 0 : 1));
      await door.die();
      await door.listen();
    }
    await eventually('all of them', () => seen.length === expected.length);
    expect(seen).toEqual(expected);
    abort.abort();
    await reading;
  });
});
