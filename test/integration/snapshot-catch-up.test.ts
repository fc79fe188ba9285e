import { ClusterProcess } from '../support/cluster-process';
import { LedgerClient, packTransfers } from '../../src/client';

const ROWS_PER_BATCH = 8_000;

describe('a node that was away for longer than the log is kept', () => {
  let cluster: ClusterProcess;
  let client: LedgerClient;

  beforeAll(async () => {
    const flags = ['--snapshot-bytes', '2MiB', '--segment-bytes', '1MiB', '--retention-bytes', '1MiB'];
    cluster = await ClusterProcess.start({ nodes: 3, flags });
    client = await LedgerClient.connect({ addresses: cluster.addresses });
  }, 90_000);

  afterAll(async () => {
    await client?.close();
    await cluster?.close();
  });

  test('catches up by a snapshot, agrees to the hash, and serves the older records from its peers', async () => {
    const [funding, alice] = await client.openAccounts([
      { name: 'funding', ledger: 'USD', minBalance: null },
      { name: 'Alice', ledger: 'USD' },
    ]);
    const leader = await cluster.leader();
    const away = (leader + 1) % 3;
    await cluster.stop(away);
    let sequence = 0;
    const batch = (): Promise<unknown> =>
      client.submitRows(
        packTransfers(
          Array.from({ length: ROWS_PER_BATCH }, () => ({
            id: `00000000-0000-4000-8000-${String(++sequence).padStart(12, '0')}`,
            debitHandle: funding!.handle,
            creditHandle: alice!.handle,
            amountMinor: 1n,
          })),
        ),
      );
    for (let round = 0; round < 40; round += 1) await batch();
    await cluster.restart(away);

    const back = await LedgerClient.connect({ addresses: [cluster.addresses[away] as string] });
    expect((await back.balance('Alice')).posted).toBe(((40 * ROWS_PER_BATCH) / 100).toFixed(2));
    expect(cluster.node(away).log(1 << 20)).toContain('a snapshot of the leader was installed');
    const transfer = await back.getTransfer('00000000-0000-4000-8000-000000000001');
    expect(transfer.amount).toBe('0.01');
    await batch();
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
    expect(new Set(hashes).size).toBe(1);
    expect(hashes).toHaveLength(3);
    await back.close();
  }, 120_000);
});
