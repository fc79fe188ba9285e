import { decodeLedgerRecord, LedgerClient, packTransfers } from '../../src/client';
import { ClusterOfDoors, noLeader } from './cluster-of-doors';

let cluster: ClusterOfDoors;
let client: LedgerClient;

beforeEach(async () => {
  cluster = await ClusterOfDoors.start(3);
  client = await LedgerClient.connect({ addresses: cluster.addresses });
  await client.openAccounts([
    { name: 'funds', ledger: 'USD', minBalance: null, importedTime: 1_400_000_000_000_000 },
    { name: 'Alice', ledger: 'USD', minBalance: '0' },
    { name: 'Bob', ledger: 'USD', minBalance: '0' },
  ]);
  await client.transfer({ id: 'seed', debitAccount: 'funds', creditAccount: 'Alice', amount: '10' });
});

afterEach(async () => {
  await client.close();
  await cluster.close();
  expect(cluster.unforeseen).toEqual([]);
});

const pay = { debitAccount: 'Alice', creditAccount: 'Bob' };

test('a hold is made, posted in part, and looked up', async () => {
  const held = await client.hold({ ...pay, id: 'h', amount: '6', timeoutMs: 60_000 });
  expect(held).toMatchObject({ id: 'h', result: 'ok', amountMoved: '0.00', amountHeld: '6.00' });
  const made = await client.getTransfer('h');
  expect(made).toMatchObject({ kind: 'pending', timeoutMs: 60_000, transaction: '', effectiveTime: 0 });
  expect(made.hold).toEqual({
    amount: '6.00',
    status: 'pending',
    expiresAt: made.timestamp + 60_000_000,
    resolvedBy: '',
  });
  expect(await client.post('h', { id: 'p', amount: '4' })).toMatchObject({ result: 'ok', amountMoved: '4.00' });
  expect((await client.getTransfer('h')).hold).toMatchObject({ status: 'posted', resolvedBy: 'p' });
  expect(await client.getTransfer('p')).toMatchObject({ kind: 'post', pendingId: 'h', hold: undefined });
  expect(await client.void('h')).toMatchObject({ result: 'pending_transfer_already_posted', amountHeld: '' });
});

test('a transfer balances, is reversed, and keeps its times', async () => {
  const times = { effectiveTime: 1_500_000_000_000_000, importedTime: 1_400_000_000_000_000 };
  const all = await client.transfer({ ...pay, id: 'all', amount: '99', balancing: true, ...times });
  expect(all.amountMoved).toBe('10.00');
  expect(await client.reverse('all', { id: 'back' })).toMatchObject({ result: 'ok', amountMoved: '10.00' });
  const seen = { ...times, balancing: true, amount: '99.00', reversedBy: ['back'] };
  expect(await client.getTransfer('all')).toMatchObject(seen);
  expect(await client.getTransfer('back')).toMatchObject({ kind: 'plain', reverses: 'all' });
});

describe('a transaction', () => {
  const transfers = [
    { ...pay, id: 'a', amount: '10' },
    { id: 'b', debitAccount: 'Bob', creditAccount: 'Alice', amount: '1' },
  ];

  test('is done whole and answered whole, once', async () => {
    const done = await client.transaction({ id: 'g', transfers });
    expect(done).toMatchObject({ id: 'g', result: 'ok', replayed: false, failed: undefined });
    expect(done.transfers).toMatchObject([
      { id: 'a', amountMoved: '10.00' },
      { id: 'b', amountMoved: '1.00' },
    ]);
    const again = await client.transaction({ id: 'g', transfers });
    expect(again).toMatchObject({ result: 'ok', replayed: true, offset: done.offset });
    expect(cluster.shared.posted('Alice')).toBe('1.00');
    expect(client.newestToken).toBe(again.token);
  });

  test('says which transfer failed it', async () => {
    const refused = await client.transaction({ id: 'g', transfers: [...transfers, { ...pay, id: 'c', amount: '5' }] });
    expect(refused).toMatchObject({ result: 'insufficient_funds', failed: 2 });
    expect(refused.transfers.map(({ result }) => result)).toEqual([
      ...['linked_transfer_failed', 'linked_transfer_failed', 'insufficient_funds'],
    ]);
  });

  test('is sent again with the same ids when the answer is lost', async () => {
    const leader = cluster.door(0);
    leader.beforeAnswer = () => {
      leader.beforeAnswer = () => undefined;
      throw noLeader();
    };
    const anonymous = [{ ...pay, amount: '4' }];
    expect(await client.transaction({ transfers: anonymous })).toMatchObject({ result: 'ok', replayed: true });
    expect(cluster.shared.posted('Bob')).toBe('4.00');
  });
});

test('accounts are closed, opened again and given other limits', async () => {
  const changes = [
    { account: 'Alice', minBalance: '-5', maxBalance: '20' },
    { account: 'Bob', closed: true },
    { handle: 3, minBalance: null, maxBalance: 'default' },
  ];
  expect(await client.updateAccounts(changes)).toMatchObject([{ result: 'ok' }, { result: 'ok' }, { result: 'ok' }]);
  const alice = (await client.account('Alice')).account;
  expect(alice).toMatchObject({ minBalance: '-5.00', maxBalance: '20.00', importedTime: 0 });
  expect((await client.account('Bob')).account).toMatchObject({ closed: true, minBalance: undefined });
  expect((await client.account('funds')).account.importedTime).toBe(1_400_000_000_000_000);
  expect(await client.transfer({ ...pay, amount: '1' })).toMatchObject({ result: 'credit_account_closed' });
  await expect(client.updateAccounts([{ handle: -1 }])).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
});

test('what would be another transfer on the wire is refused before it leaves', async () => {
  const invalid = { code: 'INVALID_ARGUMENT' };
  const transfers = [
    { ...pay, amount: '10' },
    { ...pay, amount: '1' },
  ];
  // Without an id of the whole they would be done one by one.
  await expect(client.transaction({ id: '', transfers })).rejects.toMatchObject(invalid);
  // As a program without types may say it: not a payment that is done at once.
  const held = { ...pay, amount: '1', kind: 'PENDING' as 'pending' };
  await expect(client.transfer(held)).rejects.toMatchObject(invalid);
  await expect(client.transaction({ transfers: [held] })).rejects.toMatchObject(invalid);
  await expect(client.createLedgers([{ code: 'EUR', scale: 2.5 }])).rejects.toMatchObject(invalid);
  expect((await client.balance('Alice')).posted).toBe('10.00');
});

test('packed rows may hold and balance', async () => {
  const handles = { debitHandle: 2, creditHandle: 3 };
  const id = 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11';
  const rows = packTransfers([
    { ...handles, id, amountMinor: 300n, pending: true },
    { ...handles, amountMinor: 9_999n, balancing: true },
  ]);
  expect(await client.submitRows(rows)).toMatchObject({ refused: [], amounts: [{ row: 1, amountMinor: 700n }] });
  expect(await client.post(id)).toMatchObject({ result: 'ok', amountMoved: '3.00' });
});

test('records say what they did to a hold, and no more than that', async () => {
  await client.hold({ ...pay, id: 'h', amount: '6', timeoutMs: 1_000 });
  await client.post('h', { id: 'p', amount: '4' });
  await client.updateAccounts([{ account: 'Alice', closed: true }]);
  await client.transaction({
    id: 'g',
    transfers: [{ id: 'm', debitAccount: 'funds', creditAccount: 'Bob', amount: '1' }],
  });
  const read = async (offset: number): Promise<object> => decodeLedgerRecord((await client.consume(offset)).value);
  expect(await read(4)).toMatchObject({
    fields: { text_id: 'h', flags: 1, timeout_ms: '1000' },
    outcome: { amount_moved: '0.00', amount_held: '6.00', hold: '1', hold_text_id: 'h' },
  });
  expect(await read(5)).toMatchObject({
    fields: { pending_text_id: 'h', flags: 2 },
    outcome: { amount_moved: '4.00', amount_released: '6.00', hold_text_id: 'h' },
  });
  expect(await read(6)).toMatchObject({ command: 'update_account', fields: { account: 'Alice', closed: 1 } });
  expect(await read(7)).toMatchObject({ fields: { group_text_id: 'g', group_index: 0, group_size: 1 } });
  const seed = decodeLedgerRecord((await client.consume(3)).value);
  expect(Object.keys(seed.fields).filter((name) => /group|pending|reverses|time/.test(name))).toEqual([]);
  expect(Object.keys(seed.outcome!).filter((name) => /hold|held|released/.test(name))).toEqual([]);
});
