import { ClusterProcess } from '../support/cluster-process';
import { LedgerClient } from '../../src/client';

describe('a running cluster of three', () => {
  let cluster: ClusterProcess;
  let client: LedgerClient;

  beforeAll(async () => {
    cluster = await ClusterProcess.start({ nodes: 3 });
    client = await LedgerClient.connect({ addresses: cluster.addresses });
    await client.openAccounts([
      { name: 'funding', ledger: 'USD', minBalance: null },
      { name: 'Alice', ledger: 'USD' },
    ]);
  }, 90_000);

  afterAll(async () => {
    await client?.close();
    await cluster?.close();
  });

  test('each follower answers a linearizable balance right after the leader’s write', async () => {
    const readers = await Promise.all(
      cluster.addresses.map((address) => LedgerClient.connect({ addresses: [address] })),
    );
    for (let round = 1; round <= 50; round += 1) {
      await client.transfer({ debitAccount: 'funding', creditAccount: 'Alice', amount: '1.00' });
      const answers = await Promise.all(readers.map((reader) => reader.balance('Alice')));
      expect(answers.map((answer) => answer.posted)).toEqual(Array.from({ length: 3 }, () => `${round}.00`));
    }
    await Promise.all(readers.map((reader) => reader.close()));
  });

  test('a token from a write makes a read on any other node at least as new', async () => {
    const { token } = await client.transfer({ debitAccount: 'Alice', creditAccount: 'funding', amount: '50.00' });
    for (const address of cluster.addresses) {
      const reader = await LedgerClient.connect({ addresses: [address] });
      expect((await reader.balance('Alice', { consistency: { atLeast: token } })).posted).toBe('0.00');
      await reader.close();
    }
  });

  test('a write to a follower is forwarded, once', async () => {
    const leader = await cluster.leader();
    const follower = cluster.addresses[(leader + 1) % 3] as string;
    const one = await LedgerClient.connect({ addresses: [follower] });
    const offset = await one.produce(Buffer.from('over the follower'));
    expect((await one.consume(offset)).value.toString()).toBe('over the follower');
    expect((await one.logRange()).nextOffset).toBe(offset + 1);
    await one.close();
  });

  test('a batch takes one fdatasync on each node, however many writes it carries', async () => {
    const figures = async (): Promise<{ fsyncs: number; batches: number }[]> =>
      Promise.all(
        cluster.nodes.map(async (node) => {
          const text = await node.metrics();
          const figure = (name: string): number =>
            Number(new RegExp(`^${name}\\{[^}]*\\} (\\d+)`, 'm').exec(text)?.[1]);
          return { fsyncs: figure('ledger_log_fsyncs_total'), batches: figure('ledger_log_batches_total') };
        }),
      );
    const before = await figures();
    const writes = 5_000;
    await Promise.all(
      Array.from({ length: writes }, () =>
        client.transfer({ debitAccount: 'funding', creditAccount: 'Alice', amount: '0.01' }),
      ),
    );
    const after = await figures();
    after.forEach((now, node) => {
      const then = before[node] as { fsyncs: number; batches: number };
      const batches = now.batches - then.batches;
      expect(batches).toBeGreaterThan(0);
      expect(batches).toBeLessThan(writes / 5);
      expect(now.fsyncs - then.fsyncs).toBeLessThanOrEqual(batches);
    });
  });

  test('leadership can be handed to a named node, and writes go on', async () => {
    const leader = await cluster.leader();
    const target = `node-${((leader + 1) % 3) + 1}`;
    expect(await client.transferLeadership(target)).toBe(target);
    const outcome = await client.transfer({ debitAccount: 'funding', creditAccount: 'Alice', amount: '0.01' });
    expect(outcome.result).toBe('ok');
  });

  test('all nodes have the same state, to the hash', async () => {
    await Promise.all(
      cluster.addresses.map(async (address) => {
        const one = await LedgerClient.connect({ addresses: [address] });
        await one.balance('Alice');
        await one.close();
      }),
    );
    const hashes = (await client.status({ stateHash: true })).map(
      (server) => JSON.stringify(server).match(/"stateHash":"([0-9a-f]{64})"/)?.[1],
    );
    expect(hashes).toHaveLength(3);
    expect(hashes[0]).toMatch(/^[0-9a-f]{64}$/);
    expect(new Set(hashes).size).toBe(1);
  });
});
