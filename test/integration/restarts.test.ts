import { ClusterProcess } from '../support/cluster-process';
import { LedgerClient, LedgerError } from '../../src/client';

describe('a cluster of three that is stopped and started', () => {
  let cluster: ClusterProcess;
  let client: LedgerClient;

  beforeAll(async () => {
    cluster = await ClusterProcess.start({ nodes: 3 });
    client = await LedgerClient.connect({ addresses: cluster.addresses, timeoutMs: 30_000 });
    await client.openAccounts([
      { name: 'funding', ledger: 'USD', minBalance: null },
      { name: 'Alice', ledger: 'USD' },
    ]);
  }, 90_000);

  afterAll(async () => {
    await client?.close();
    await cluster?.close();
  });

  const pay = (): Promise<{ result: string; replayed: boolean }> =>
    client.transfer({ debitAccount: 'funding', creditAccount: 'Alice', amount: '0.01' });

  test('a rolling restart with SIGTERM under load: three voters before and after, no acknowledged write lost', async () => {
    let paid = Number((await client.balance('Alice')).posted.replace('.', ''));
    let running = true;
    const load = Promise.all(
      Array.from({ length: 8 }, async () => {
        while (running) {
          const outcome = await pay();
          expect(outcome.result).toBe('ok');
          paid += 1;
        }
      }),
    );
    for (let node = 0; node < 3; node += 1) {
      expect(await cluster.stop(node)).toEqual({ code: 0, signal: null });
      await cluster.restart(node);
    }
    running = false;
    await load;
    await cluster.untilVoters(3);
    expect(await client.members()).toHaveLength(3);
    expect((await client.balance('Alice')).posted).toBe((paid / 100).toFixed(2));
  }, 120_000);

  test('all three killed at once: everything acknowledged is there afterwards', async () => {
    const before = await client.balance('Alice');
    const outcomes = await Promise.all(Array.from({ length: 500 }, pay));
    expect(outcomes.filter((outcome) => outcome.result === 'ok')).toHaveLength(500);
    await Promise.all([0, 1, 2].map((node) => cluster.kill9(node)));
    for (const node of cluster.nodes) node.start();
    await Promise.all(cluster.nodes.map((node) => node.untilReady(30_000)));
    const expected = Number(before.posted) + 5;
    for (const address of cluster.addresses) {
      const one = await LedgerClient.connect({ addresses: [address] });
      expect((await one.balance('Alice')).posted).toBe(expected.toFixed(2));
      await one.close();
    }
  }, 90_000);

  test('with two of three down writes are UNAVAILABLE within the deadline and stale reads go on', async () => {
    const before = (await client.balance('Alice')).posted;
    await cluster.kill9(1);
    await cluster.kill9(2);
    const survivor = await LedgerClient.connect({ addresses: [cluster.addresses[0] as string] });
    const started = performance.now();
    const refusal = await survivor.createLedgers([{ code: 'EUR', scale: 2 }], { timeoutMs: 5_000 }).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(refusal).toBeInstanceOf(LedgerError);
    expect(refusal).toMatchObject({ code: 'UNAVAILABLE' });
    expect(performance.now() - started).toBeLessThan(10_000);
    expect((await survivor.balance('Alice', { consistency: 'stale' })).posted).toBe(before);
    await expect(survivor.balance('Alice', { timeoutMs: 5_000 })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await survivor.close();
    await cluster.restart(1);
    await cluster.restart(2);
    expect((await client.balance('Alice')).posted).toBe(before);
  }, 90_000);
});
