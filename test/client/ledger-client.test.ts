import { LedgerClient, LedgerError, packTransfers } from '../../src/client';
import { ClusterOfDoors } from './cluster-of-doors';

let cluster: ClusterOfDoors;
let client: LedgerClient;

beforeEach(async () => {
  cluster = await ClusterOfDoors.start(3);
  client = await LedgerClient.connect({ addresses: [cluster.addresses[2]!] });
});

afterEach(async () => {
  await client.close();
  await cluster.close();
  expect(cluster.unforeseen).toEqual([]);
});

describe('a transfer', () => {
  test('is answered with its place in the log and what moved', async () => {
    const outcome = await client.transfer({
      debitAccount: 'Alice',
      creditAccount: 'Bob',
      amount: '0.5',
      ledger: 'USD',
    });
    expect(outcome).toMatchObject({ result: 'ok', message: '', offset: 0, replayed: false, amountMoved: '0.50' });
    expect(outcome.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(outcome.timestamp).toBeGreaterThan(1e15);
    expect(cluster.shared.posted('Bob')).toBe('0.50');
    expect(client.newestToken).toBe(outcome.token);
  });

  test('goes to the leader, wherever the client first asked', async () => {
    await client.transfer({ debitAccount: 'Alice', creditAccount: 'Bob', amount: '1', ledger: 'USD' });
    expect(cluster.doors.map((door) => door.writes)).toEqual([1, 0, 0]);
  });

  test('that was done before gets the first answer again', async () => {
    const transfer = { id: 'rent-2024-05', debitAccount: 'A', creditAccount: 'B', amount: '1', ledger: 'USD' };
    const first = await client.transfer(transfer);
    const second = await client.transfer(transfer);
    expect(second).toEqual({ ...first, replayed: true, token: second.token });
  });

  test('that the ledger refuses is an outcome, not an error', async () => {
    await client.openAccounts([{ name: 'Poor', ledger: 'USD', minBalance: '0' }]);
    const outcome = await client.transfer({ debitAccount: 'Poor', creditAccount: 'B', amount: '1', ledger: 'USD' });
    expect(outcome).toMatchObject({ result: 'insufficient_funds', amountMoved: '0.00' });
    expect(outcome.message).not.toBe('');
  });

  test('with a fault of shape is an outcome without an offset', async () => {
    const outcome = await client.transfer({ debitAccount: 'A', creditAccount: 'A', amount: '1' });
    expect(outcome).toMatchObject({ result: 'accounts_must_be_different', offset: -1 });
  });

  test('that cannot be put on the wire rejects, and spoils nothing for others', async () => {
    const good = client.transfer({ debitAccount: 'A', creditAccount: 'B', amount: '1', ledger: 'USD' });
    const bad = client.transfer({ debitAccount: 'A\ud800', creditAccount: 'B', amount: '1', ledger: 'USD' });
    await expect(bad).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(client.transfer({ amount: '1', code: -1 })).rejects.toThrow(LedgerError);
    expect(await good).toMatchObject({ result: 'ok' });
  });

  test('by handle, with code, user data and metadata, is kept as given', async () => {
    const [alice, bob] = await client.openAccounts([
      { name: 'alice', ledger: 'USD', minBalance: null },
      { name: 'bob', ledger: 'USD' },
    ]);
    const transfer = { debitHandle: alice!.handle, creditHandle: bob!.handle, amount: '2', id: 'x' };
    await client.transfer({ ...transfer, code: 7, userData: 2n ** 63n, metadata: Buffer.from('why') });
    const kept = await client.getTransfer('x');
    expect(kept).toMatchObject({ debitAccount: 'alice', creditAccount: 'bob', amount: '2.00', code: 7 });
    expect(kept.userData).toBe(2n ** 63n);
    expect(kept.metadata.toString()).toBe('why');
  });

  test('of text beyond ASCII arrives as it was written', async () => {
    const name = 'Zoë 😀 '.repeat(4) + 'x'.repeat(70);
    await client.transfer({ id: 'Ä', debitAccount: name, creditAccount: 'B', amount: '1', ledger: 'USD' });
    expect(await client.getTransfer('Ä')).toMatchObject({ id: 'Ä', debitAccount: name });
  });
});

describe('many transfers', () => {
  test('at once travel in a few batches and are answered each with its own', async () => {
    const count = 2_000;
    const outcomes = await Promise.all(
      Array.from({ length: count }, (_, i) =>
        client.transfer({ id: `t${i}`, debitAccount: 'A', creditAccount: 'B', amount: '0.01', ledger: 'USD' }),
      ),
    );
    expect(new Set(outcomes.map((outcome) => outcome.offset)).size).toBe(count);
    expect(outcomes.map((outcome) => outcome.id)).toEqual(Array.from({ length: count }, (_, i) => `t${i}`));
    expect(cluster.door(0).writes).toBeLessThan(20);
    expect(cluster.shared.posted('B')).toBe('20.00');
  });

  test('given as a list keep their order, beyond the size of one batch', async () => {
    const list = Array.from({ length: 10_000 }, (_, i) => ({
      ...{ id: `t${i}`, debitAccount: 'A', creditAccount: 'B', amount: '0.01', ledger: 'USD' },
    }));
    const outcomes = await client.transfers(list);
    expect(outcomes.map((outcome) => outcome.offset)).toEqual(list.map((_, i) => i));
  });

  test('beyond what may be queued wait their turn', async () => {
    const small = await LedgerClient.connect({
      ...{ addresses: cluster.addresses, maxQueuedTransfers: 10, transferBatchesInFlight: 1 },
    });
    const outcomes = await Promise.all(
      Array.from({ length: 200 }, () =>
        small.transfer({ debitAccount: 'A', creditAccount: 'B', amount: '1', ledger: 'USD' }),
      ),
    );
    expect(outcomes.every((outcome) => outcome.result === 'ok')).toBe(true);
    expect(Math.max(...cluster.shared.submitted.map((request) => request.count))).toBeLessThanOrEqual(10);
    await small.close();
  });

  test('are all answered before close is done', async () => {
    const answers = Array.from({ length: 500 }, () =>
      client.transfer({ debitAccount: 'A', creditAccount: 'B', amount: '1', ledger: 'USD' }),
    );
    const closed = client.close();
    await expect(client.transfer({ amount: '1' })).rejects.toMatchObject({ reason: 'CLIENT_CLOSED' });
    await closed;
    expect((await Promise.all(answers)).every((outcome) => outcome.result === 'ok')).toBe(true);
  });
});

describe('packed rows', () => {
  test('are done, refused and repeated, each told apart', async () => {
    const [a, b, poor] = await client.openAccounts([
      { name: 'a', ledger: 'USD', minBalance: null },
      { name: 'b', ledger: 'USD' },
      { name: 'poor', ledger: 'USD', minBalance: '0' },
    ]);
    const row = { debitHandle: a!.handle, creditHandle: b!.handle, amountMinor: 50n };
    const rows = packTransfers([row, { ...row, debitHandle: poor!.handle, creditHandle: a!.handle }, row]);
    const first = await client.submitRows(rows);
    expect(first).toMatchObject({ count: 3, baseOffset: 3, repeats: [] });
    expect(first.refused).toEqual([{ row: 1, result: 6, replayed: false, offset: 4 }]);
    const again = await client.submitRows(rows);
    expect(again.repeats.map(({ row: n, offset }) => [n, offset])).toEqual([
      [0, 3],
      [2, 5],
    ]);
    expect(again.refused).toEqual([{ row: 1, result: 6, replayed: true, offset: 4 }]);
    expect(cluster.shared.posted('b')).toBe('1.00');
  });

  test('that are no whole rows, or too many, are refused before they are sent', async () => {
    await expect(client.submitRows(Buffer.alloc(63))).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(client.submitRows(Buffer.alloc(0))).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(client.submitRows(Buffer.alloc(64 * 8191))).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  test('beyond what may be in flight wait their turn', async () => {
    const [a, b] = await client.openAccounts([
      { name: 'a', ledger: 'USD', minBalance: null },
      { name: 'b', ledger: 'USD' },
    ]);
    const narrow = await LedgerClient.connect({ addresses: cluster.addresses, rowBatchesInFlight: 2 });
    const row = { debitHandle: a!.handle, creditHandle: b!.handle, amountMinor: 1n };
    const batches = Array.from({ length: 20 }, () => narrow.submitRows(packTransfers([row, row])));
    expect((await Promise.all(batches)).every((outcome) => outcome.refused.length === 0)).toBe(true);
    expect(cluster.shared.posted('b')).toBe('0.40');
    await narrow.close();
  });
});
