import { type Client } from '@grpc/grpc-js';
import {
  type CreateTransfersResponse,
  HoldStatus,
  TransferKind,
  type TransferOut,
  type TransferView,
} from '../../../src/proto/ledger-v1';
import { clientDefinition } from '../../../src/proto/load';
import { call, GrpcDoor } from '../../support/doors';
import { SingleNodePort } from '../../support/single-node-port';

const { OpenAccounts, CreateTransfers, GetTransfer } = clientDefinition('ledger.v1.Ledger');
const { PENDING, POST, VOID } = TransferKind;

let port: SingleNodePort;
let door: GrpcDoor;
let ledger: Client;

beforeEach(async () => {
  port = new SingleNodePort();
  port.createUsd();
  door = await new GrpcDoor(port).listen();
  ledger = door.client('ledger.v1.Ledger');
  const accounts = [
    { name: 'funds', ledger: 'USD', no_min_balance: true },
    { name: 'Alice', ledger: 'USD' },
    { name: 'Bob', ledger: 'USD', max_balance: '100' },
  ];
  await call(ledger, OpenAccounts, { accounts });
  await transfer({ id: 'seed', debit_account: 'funds', credit_account: 'Alice', amount: '10' });
});

afterEach(async () => {
  await door.close();
  expect(door.unforeseen.errors).toEqual([]);
});

const pay = { debit_account: 'Alice', credit_account: 'Bob' };

async function transfer(...transfers: TransferOut[]): Promise<CreateTransfersResponse> {
  return (await call(ledger, CreateTransfers, { transfers })).response;
}

async function resultsOf(...transfers: TransferOut[]): Promise<string[]> {
  return (await transfer(...transfers)).results.map(({ result }) => result!.result);
}

async function look(id: string): Promise<TransferView> {
  return (await call(ledger, GetTransfer, { id })).response.transfer!;
}

describe('holds', () => {
  test('are made, posted in part, and looked up with what became of them', async () => {
    const { results } = await transfer({ ...pay, id: 'h', kind: PENDING, amount: '6', timeout_ms: 60_000 });
    expect(results).toMatchObject([{ result: { result: 'ok' }, amount_moved: '0.00', amount_held: '6.00' }]);
    const made = await look('h');
    expect(made).toMatchObject({ kind: PENDING, amount: '6.00', amount_moved: '0.00', timeout_ms: '60000' });
    expect(made.hold).toEqual({
      number: '1',
      amount: '6.00',
      status: HoldStatus.PENDING,
      expires_at: String(Number(made.timestamp) + 60_000_000),
      resolved_by: '',
    });
    const post = { id: 'p', kind: POST, pending_id: 'h', amount: '4' };
    expect((await transfer(post)).results).toMatchObject([{ amount_moved: '4.00', amount_held: '' }]);
    expect((await look('h')).hold).toMatchObject({ status: HoldStatus.POSTED, resolved_by: 'p' });
    expect(await look('p')).toMatchObject({ kind: POST, pending_id: 'h', reverses: '', hold: null, ...pay });
    expect(port.ledger.balance(2)).toMatchObject({ posted: 600n, debitsPending: 0n });
    expect((await transfer(post)).results).toMatchObject([{ result: { replayed: true }, amount_moved: '4.00' }]);
    expect(await resultsOf({ ...post, id: 'p2' })).toEqual(['pending_transfer_already_posted']);
  });

  test('are voided, or expire by the time of the batch', async () => {
    await transfer(
      { ...pay, id: 'h1', kind: PENDING, amount: '1' },
      { ...pay, id: 'h2', kind: PENDING, amount: '2', timeout_ms: 1 },
    );
    const { results } = await transfer({ id: 'v', kind: VOID, pending_id: 'h1' });
    expect(results).toMatchObject([{ result: { result: 'ok' }, amount_moved: '0.00', amount_held: '' }]);
    expect((await look('h1')).hold).toMatchObject({ status: HoldStatus.VOIDED, resolved_by: 'v' });
    expect(await resultsOf({ id: 'late', kind: POST, pending_id: 'h2' })).toEqual(['pending_transfer_expired']);
    expect((await look('h2')).hold).toMatchObject({ status: HoldStatus.PENDING });
  });
});

describe('balancing transfers, reversals and times', () => {
  test('move what is there, and answer with it', async () => {
    const { results } = await transfer({ ...pay, id: 'b', amount: '99', balancing: true });
    expect(results).toMatchObject([{ result: { result: 'ok' }, amount_moved: '10.00' }]);
    expect(await look('b')).toMatchObject({ amount: '99.00', amount_moved: '10.00', balancing: true });
  });

  test('go back, up to what was moved, and both ends are named', async () => {
    await transfer({ ...pay, id: 't', amount: '5' });
    expect(
      await resultsOf(
        { id: 'r1', reverses: 't', amount: '2' },
        { id: 'r2', reverses: 't', amount: '3.01' },
        { id: 'r3', reverses: 't', amount: '3' },
      ),
    ).toEqual(['ok', 'reversed_transfer_amount_exceeded', 'ok']);
    expect((await look('t')).reversed_by).toEqual(['r1', 'r3']);
    expect(await look('r3')).toMatchObject({ reverses: 't', pending_id: '', kind: TransferKind.PLAIN });
    expect(port.posted('Alice')).toBe('10.00');
  });

  test('keep the times that they are given', async () => {
    const times = { effective_time: '1500000000000000', imported_time: '1400000000000000' };
    expect(await resultsOf({ ...pay, id: 'old', amount: '1', ...times })).toEqual(['ok']);
    expect(await look('old')).toMatchObject(times);
    expect(await resultsOf({ ...pay, id: 'old', amount: '1' })).toEqual(['exists_with_different_effective_time']);
    const future = { imported_time: String(Number.MAX_SAFE_INTEGER) };
    expect(await resultsOf({ ...pay, id: 'new', amount: '1', ...future })).toEqual(['imported_time_in_future']);
  });
});

describe('linked groups', () => {
  const group = (id: string, ...members: TransferOut[]): TransferOut[] =>
    members.map((member) => ({ ...pay, amount: '1', group: id, ...member }));

  test('are all done, each item sees the one before it, and a repeat is answered whole', async () => {
    const members = group('g', { id: 'a', amount: '10' }, { id: 'b', debit_account: 'Bob', credit_account: 'Alice' });
    const { results, groups } = await transfer({ ...pay, id: 'before', amount: '0.01', reverses: '' }, ...members);
    expect(results.map(({ result }) => result!.result)).toEqual(['ok', 'insufficient_funds', 'linked_transfer_failed']);
    expect(groups).toMatchObject([
      { group: 'g', first: 1, count: 2, failed: 1, result: { result: 'insufficient_funds', replayed: false } },
    ]);
    const done = group('g2', { id: 'c', amount: '9.99' }, { id: 'd', debit_account: 'Bob', credit_account: 'Alice' });
    const first = await transfer(...done);
    expect(first.groups).toMatchObject([{ group: 'g2', first: 0, count: 2, failed: -1, result: { result: 'ok' } }]);
    const again = await transfer(...done);
    expect(again.results).toMatchObject([{ result: { replayed: true } }, { result: { replayed: true } }]);
    expect(again.groups[0]!.result).toEqual({ ...first.groups[0]!.result, replayed: true });
    expect((await transfer(...members)).groups).toMatchObject([{ failed: 0, result: { replayed: true } }]);
    expect(await look('d')).toMatchObject({ group: 'g2' });
    expect(port.posted('Alice')).toBe('1.00');
  });

  test('with one transfer of the wrong shape do not reach the log', async () => {
    const before = port.submitted.length;
    const { results, groups } = await transfer(...group('g', { id: 'a' }, { id: 'b', amount: '0' }, { id: 'c' }));
    expect(results.map(({ result }) => [result!.result, result!.offset])).toEqual([
      ['linked_transfer_failed', '-1'],
      ['amount_must_not_be_zero', '-1'],
      ['linked_transfer_failed', '-1'],
    ]);
    expect(groups).toMatchObject([{ failed: 1, result: { result: 'amount_must_not_be_zero', offset: '-1' } }]);
    expect(port.submitted).toHaveLength(before);
    expect(await resultsOf(...group('g', { id: 'a' }, { id: 'b' }, { id: 'c' }))).toEqual(['ok', 'ok', 'ok']);
  });

  test('stand in one piece, whatever the spelling of their id', async () => {
    const uuid = 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11';
    const one = [...group(uuid, { id: 'a' }), ...group(uuid.toUpperCase(), { id: 'b' })];
    const { groups } = await transfer(...one);
    expect(groups).toMatchObject([{ group: uuid, count: 2, failed: -1 }]);
    const torn = [...group('g', { id: 'c' }), ...group('h', { id: 'd' }), ...group('g', { id: 'e' })];
    expect(await resultsOf(...torn)).toEqual(['ok', 'ok', 'group_invalid']);
  });

  test('know their id and their members apart from others', async () => {
    await transfer(...group('g', { id: 'a' }, { id: 'b' }));
    expect(await resultsOf(...group('g', { id: 'b' }, { id: 'a' }))).toEqual(
      Array(2).fill('exists_with_different_transfers'),
    );
    expect(await resultsOf(...group('h', { id: 'x' }, { id: 'a' }))).toEqual(['linked_transfer_failed', 'exists']);
    expect(await resultsOf({ ...pay, id: 'a', amount: '1' })).toEqual(['ok']);
  });
});
