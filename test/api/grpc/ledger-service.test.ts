import { status, type Client } from '@grpc/grpc-js';
import { clientDefinition } from '../../../src/proto/load';
import { type CreateTransfersResponse, type TransferOut } from '../../../src/proto/ledger-v1';
import { call, failureOf, GrpcDoor } from '../../support/doors';
import { SingleNodePort } from '../../support/single-node-port';

const { CreateLedgers, OpenAccounts, CreateTransfers } = clientDefinition('ledger.v1.Ledger');
const UUID = 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11';

let port: SingleNodePort;
let door: GrpcDoor;
let ledger: Client;

beforeEach(async () => {
  port = new SingleNodePort();
  port.createUsd();
  door = await new GrpcDoor(port).listen();
  ledger = door.client('ledger.v1.Ledger');
});

afterEach(async () => {
  await door.close();
  expect(door.unforeseen.errors).toEqual([]);
});

const pay: TransferOut = { id: UUID, debit_account: 'funds', credit_account: 'Alice', amount: '10' };

async function openAccounts(): Promise<void> {
  const accounts = [
    { name: 'funds', ledger: 'USD', no_min_balance: true },
    { name: 'Alice', ledger: 'USD' },
    { name: 'Bob', ledger: 'USD', max_balance: '100' },
  ];
  const { response } = await call(ledger, OpenAccounts, { accounts });
  expect(response.results.map(({ handle }) => handle)).toEqual(['1', '2', '3']);
}

async function transfer(...transfers: TransferOut[]): Promise<CreateTransfersResponse> {
  return (await call(ledger, CreateTransfers, { transfers })).response;
}

describe('CreateLedgers', () => {
  test('gives each item its own result', async () => {
    const ledgers = [
      { code: 'EUR', scale: 2 },
      { code: 'EUR', scale: 2 },
      { code: 'EUR', scale: 3 },
      { code: 'no spaces', scale: 2 },
      { code: 'X', scale: 19 },
      { code: 'X', rounding: 7 },
      { code: 'X', default_min_balance: '-1', default_no_min_balance: true },
      { code: 'X', scale: 1, default_max_balance: '0.05' },
      { code: 'JPY', scale: 0, auto_open: true, rounding: 1, default_min_balance: '-5', default_max_balance: '9' },
    ];
    const { response } = await call(ledger, CreateLedgers, { ledgers });
    expect(response.results.map(({ result, offset, replayed }) => [result, offset, replayed])).toEqual([
      ['ok', '0', false],
      ['ok', '0', true],
      ['exists_with_different_scale', '2', false],
      ['ledger_code_invalid', '-1', false],
      ['scale_invalid', '-1', false],
      ['rounding_invalid', '-1', false],
      ['limits_invalid', '-1', false],
      ['amount_precision', '-1', false],
      ['ok', '3', false],
    ]);
    expect(response.position).toEqual({ token: port.tokenFor(3), offset: '3' });
    expect(port.ledger.ledger('JPY')).toMatchObject({ defaultMinBalance: -5n, defaultMaxBalance: 9n, autoOpen: true });
  });
});

describe('OpenAccounts', () => {
  test('gives each item its own result and the handle', async () => {
    const accounts = [
      { name: '  Zoe\u0308 ', ledger: 'USD', user_data: '18446744073709551615', metadata: Buffer.from('m') },
      { name: 'Zoë', ledger: 'USD', user_data: '18446744073709551615', metadata: Buffer.from('m') },
      { name: 'Zoë', ledger: 'USD', min_balance: '-1' },
      { name: ' ', ledger: 'USD' },
      { name: 'x'.repeat(129), ledger: 'USD' },
      { name: 'A', ledger: 'GBP' },
      { name: 'A', ledger: '' },
      { name: 'A', ledger: 'USD', min_balance: '1' },
      { name: 'A', ledger: 'USD', min_balance: '0', no_min_balance: true },
      { name: 'A', ledger: 'USD', max_balance: '0.001' },
      { name: 'A', ledger: 'USD', metadata: Buffer.alloc(1025) },
    ];
    const { response } = await call(ledger, OpenAccounts, { accounts });
    expect(response.results.map(({ result, handle }) => [result!.result, handle, result!.replayed])).toEqual([
      ['ok', '1', false],
      ['ok', '1', true],
      ['exists_with_different_limits', '1', false],
      ['account_name_invalid', '0', false],
      ['account_name_invalid', '0', false],
      ['ledger_not_found', '0', false],
      ['ledger_code_invalid', '0', false],
      ['limits_invalid', '0', false],
      ['limits_invalid', '0', false],
      ['amount_precision', '0', false],
      ['metadata_too_large', '0', false],
    ]);
    expect(port.ledger.account('Zoë')).toMatchObject({ userData: (1n << 64n) - 1n, metadata: Buffer.from('m') });
  });
});

describe('CreateTransfers', () => {
  beforeEach(openAccounts);

  test('moves money once: a repeat gets the first answer again', async () => {
    const first = await transfer(pay);
    expect(first.results).toEqual([
      {
        result: { result: 'ok', message: '', offset: '3', timestamp: expect.any(String) as string, replayed: false },
        amount_moved: '10.00',
        amount_held: '',
      },
    ]);
    const again = await transfer({ ...pay, id: `{${UUID.toUpperCase()}}`, amount: '010.000' });
    expect(again.results).toEqual([{ ...first.results[0], result: { ...first.results[0]!.result, replayed: true } }]);
    expect(port.posted('Alice')).toBe('10.00');
  });

  test('lets each item see what came before it, and only the rest proceeds past a shape that is wrong', async () => {
    const { results, position } = await transfer(
      pay,
      { ...pay, id: '' },
      { id: 'x', debit_handle: 2, credit_account: 'Bob', amount: '9.99', code: 7 },
      { id: 'y', debit_account: 'Alice', credit_handle: '3', amount: '0.02' },
    );
    expect(results.map(({ result, amount_moved }) => [result!.result, result!.offset, amount_moved])).toEqual([
      ['ok', '3', '10.00'],
      ['id_invalid', '-1', ''],
      ['ok', '4', '9.99'],
      ['insufficient_funds', '5', '0.00'],
    ]);
    expect(results[3]!.result!.message).toMatch(/less available/);
    expect(position!.offset).toBe('5');
  });

  test.each<[string, Partial<TransferOut>]>([
    ['id_invalid', { id: '00000000-0000-0000-0000-000000000000' }],
    ['id_invalid', { id: 'é'.repeat(33) }],
    ['debit_account_required', { debit_account: '' }],
    ['debit_account_required', { debit_handle: 1 }],
    ['debit_account_invalid', { debit_account: ' ' }],
    ['debit_account_invalid', { debit_account: '', debit_handle: '18446744073709551615' }],
    ['credit_account_required', { credit_account: '' }],
    ['credit_account_invalid', { credit_account: 'x'.repeat(129) }],
    ['amount_invalid', { amount: '' }],
    ['amount_invalid', { amount: '-1' }],
    ['amount_invalid', { amount: '1e3' }],
    ['amount_invalid', { amount: '1,000.00' }],
    ['amount_invalid', { amount: 'NaN' }],
    ['amount_must_not_be_zero', { amount: '0.00' }],
    ['amount_too_large', { amount: '9'.repeat(39) }],
    ['amount_too_large', { amount: '9'.repeat(37) }],
    ['amount_precision', { amount: '0.001' }],
    ['accounts_must_be_different', { credit_account: ' funds ' }],
    ['ledger_code_invalid', { ledger: 'U S D' }],
    ['metadata_too_large', { metadata: Buffer.alloc(1025) }],
    ['flags_invalid', { kind: 4 }],
    ['amount_not_allowed', { kind: 3, pending_id: 'h' }],
    ['amount_must_not_be_zero', { kind: 2, pending_id: 'h', amount: '0' }],
    ['accounts_must_be_different', { kind: 2, pending_id: 'h', credit_account: 'funds' }],
    ['debit_account_required', { kind: 2, pending_id: 'h', debit_handle: 1 }],
    ['balancing_not_allowed', { kind: 2, pending_id: 'h', balancing: true }],
    ['balancing_not_allowed', { reverses: 'x', balancing: true }],
    ['timeout_invalid', { timeout_ms: 1 }],
    ['timeout_invalid', { kind: 1, timeout_ms: String(100 * 366 * 24 * 3600 * 1000 + 1) }],
    ['timeout_invalid', { kind: 1, timeout_ms: 1, imported_time: 1 }],
    ['pending_id_invalid', { pending_id: 'x' }],
    ['pending_id_invalid', { kind: 1, pending_id: 'x' }],
    ['pending_id_invalid', { kind: 2 }],
    ['pending_id_invalid', { kind: 2, pending_id: '0'.repeat(32) }],
    ['reverses_invalid', { kind: 1, reverses: 'x' }],
    ['reverses_invalid', { reverses: 'é'.repeat(33) }],
    ['time_invalid', { effective_time: String(2 ** 53) }],
    ['time_invalid', { imported_time: '18446744073709551615' }],
    ['group_invalid', { group: 'é'.repeat(33) }],
  ])('refuses for its shape, before the log: %s %j', async (result, fault) => {
    const { results, position } = await transfer({ ...pay, ...fault });
    expect(results).toEqual([
      {
        result: { result, message: expect.any(String) as string, offset: '-1', timestamp: '0', replayed: false },
        amount_moved: '',
        amount_held: '',
      },
    ]);
    expect(position).toEqual({ token: port.position().token, offset: '2' });
    expect(port.submitted).toHaveLength(1);
  });

  test.each<[string, Partial<TransferOut>, string]>([
    ['debit_account_not_found', { debit_account: 'nobody' }, ''],
    ['credit_account_not_found', { credit_account: 'nobody' }, ''],
    ['accounts_must_have_the_same_ledger', { ledger: 'XYZ' }, ''],
    ['accounts_must_be_different', { credit_account: '', credit_handle: 1 }, ''],
    ['exceeds_max_balance', { credit_account: 'Bob', amount: '100.01' }, '0.00'],
  ])('refuses by the rules of money, in the log: %s', async (result, fault) => {
    const { results } = await transfer({ ...pay, ...fault });
    expect(results[0]!.result).toMatchObject({ result, offset: '3' });
  });

  test('answers another content under a known id with what differs', async () => {
    await transfer(pay);
    const others = [
      { amount: '11' },
      { credit_account: 'Bob' },
      { code: 1 },
      { user_data: 1 },
      { metadata: Buffer.from('m') },
    ];
    const { results } = await transfer(...others.map((other) => ({ ...pay, ...other })));
    expect(results.map(({ result }) => result!.result)).toEqual([
      'exists_with_different_amount',
      'exists_with_different_credit_account',
      'exists_with_different_code',
      'exists_with_different_user_data',
      'exists_with_different_metadata',
    ]);
  });

  test('gives a refused id its first refusal again, though the money is there now', async () => {
    const spend = { id: 'spend', debit_account: 'Alice', credit_account: 'Bob', amount: '1' };
    const first = (await transfer(spend)).results[0]!.result!;
    expect(first).toMatchObject({ result: 'insufficient_funds', replayed: false });
    await transfer(pay);
    expect((await transfer(spend)).results[0]!.result).toEqual({ ...first, replayed: true });
  });
});

describe('a batch as a whole is refused', () => {
  test('when it is empty', async () => {
    const failures = await Promise.all([
      failureOf(call(ledger, CreateLedgers, { ledgers: [] })),
      failureOf(call(ledger, OpenAccounts, { accounts: [] })),
      failureOf(call(ledger, CreateTransfers, { transfers: [] })),
    ]);
    expect(failures.map(({ code, reason, field }) => [code, reason, field])).toEqual([
      [status.INVALID_ARGUMENT, 'BATCH_EMPTY', 'ledgers'],
      [status.INVALID_ARGUMENT, 'BATCH_EMPTY', 'accounts'],
      [status.INVALID_ARGUMENT, 'BATCH_EMPTY', 'transfers'],
    ]);
  });

  test('when it has more than 8,190 items, and not when it has that many', async () => {
    await openAccounts();
    const items = (count: number): TransferOut[] =>
      Array.from({ length: count }, (_, i) => ({ ...pay, id: `t${i}`, amount: '1' }));
    const failure = await failureOf(call(ledger, CreateTransfers, { transfers: items(8191) }));
    expect(failure).toMatchObject({ code: status.INVALID_ARGUMENT, reason: 'BATCH_TOO_LARGE', field: 'transfers' });
    expect((await transfer(...items(8190))).results.every(({ result }) => result!.result === 'ok')).toBe(true);
    expect(port.posted('Alice')).toBe('8190.00');
  });

  test('when it takes more than 1 MiB in the log', async () => {
    const transfers = Array.from({ length: 1100 }, (_, i) => ({ ...pay, id: `t${i}`, metadata: Buffer.alloc(1000) }));
    const failure = await failureOf(call(ledger, CreateTransfers, { transfers }));
    expect(failure).toMatchObject({ code: status.INVALID_ARGUMENT, reason: 'BATCH_TOO_LARGE' });
  });
});
