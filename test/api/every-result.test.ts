import { type Client } from '@grpc/grpc-js';
import { uuidV7 } from '../../src/client';
import { ResultCode, resultInfo } from '../../src/ledger/result-codes';
import { TransferKind, type TransferOut } from '../../src/proto/ledger-v1';
import { clientDefinition } from '../../src/proto/load';
import { call, GrpcDoor, HttpDoorUnderTest } from '../support/doors';
import { SingleNodePort } from '../support/single-node-port';

const { CreateLedgers, OpenAccounts, UpdateAccounts, CreateTransfers } = clientDefinition('ledger.v1.Ledger');
const { PENDING, POST, VOID } = TransferKind;
const KINDS = ['plain', 'pending', 'post', 'void'];
const ALL_DIGITS = `${'9'.repeat(36)}.99`;
const FUTURE = 2 ** 53 - 1;

let port: SingleNodePort;
let grpc: GrpcDoor;
let http: HttpDoorUnderTest;
let ledger: Client;

async function start(dedupAgeMs?: number): Promise<void> {
  port = new SingleNodePort();
  port.createUsd(dedupAgeMs === undefined ? {} : { dedupAgeMs });
  grpc = await new GrpcDoor(port).listen();
  http = await new HttpDoorUnderTest(port).listen();
  ledger = grpc.client('ledger.v1.Ledger');
  await call(ledger, CreateLedgers, { ledgers: [{ code: 'EUR', scale: 2 }] });
  const accounts = [
    { name: 'funds', ledger: 'USD', no_min_balance: true },
    { name: 'Alice', ledger: 'USD' },
    { name: 'Bob', ledger: 'USD', max_balance: '100' },
    { name: 'Gone', ledger: 'USD' },
    { name: 'Euro', ledger: 'EUR' },
  ];
  await call(ledger, OpenAccounts, { accounts });
  await call(ledger, UpdateAccounts, { accounts: [{ account: 'Gone', closed: true }] });
}

async function create(transfers: readonly TransferOut[]): Promise<string[]> {
  const { response } = await call(ledger, CreateTransfers, { transfers: [...transfers] });
  return response.results.map(({ result }) => result!.result);
}

const pay = { id: 'x', debit_account: 'funds', credit_account: 'Alice', amount: '1' };
const hold = { ...pay, id: 'h', kind: PENDING };
const post = { id: 'p', kind: POST, pending_id: 'h' };
const back = { id: 'r', reverses: 'x' };
const linked = (...members: TransferOut[]): TransferOut[] => members.map((member) => ({ ...member, group: 'g' }));

/** What was there before, and what is answered with the result of that name. */
type Case = readonly [name: string, before: readonly TransferOut[], probe: readonly TransferOut[]];

const differs = (field: string, other: TransferOut): Case => [
  `exists_with_different_${field}`,
  [pay],
  [{ ...pay, ...other }],
];

/** In the order of the rules of money. */
const OF_TRANSFERS: readonly Case[] = [
  ['amount_must_not_be_zero', [], [{ ...pay, amount: '0.00' }]],
  ['amount_too_large', [], [{ ...pay, amount: `1${'0'.repeat(36)}` }]],
  ['accounts_must_be_different', [], [{ ...pay, credit_account: 'funds' }]],
  differs('flags', { kind: PENDING }),
  ['exists_with_different_pending_id', [hold, { ...hold, id: 'h2' }, post], [{ ...post, pending_id: 'h2' }]],
  ['exists_with_different_reverses', [pay, { ...pay, id: 'y' }, back], [{ ...back, reverses: 'y' }]],
  differs('debit_account', { debit_account: 'Bob' }),
  differs('credit_account', { credit_account: 'Bob' }),
  differs('ledger', { ledger: 'EUR' }),
  differs('amount', { amount: '2' }),
  differs('code', { code: 1 }),
  differs('user_data', { user_data: 1 }),
  differs('metadata', { metadata: Buffer.from('m') }),
  ['exists_with_different_timeout', [hold], [{ ...hold, timeout_ms: 1 }]],
  differs('effective_time', { effective_time: 1 }),
  differs('imported_time', { imported_time: 1 }),
  ['exists_with_different_transfers', linked(pay), linked({ ...pay, id: 'y' })],
  ['exists', [pay], linked(pay)],
  ['debit_account_not_found', [], [{ ...pay, debit_account: 'nobody' }]],
  ['credit_account_not_found', [], [{ ...pay, credit_account: 'nobody' }]],
  ['accounts_must_have_the_same_ledger', [], [{ ...pay, credit_account: 'Euro' }]],
  ['imported_time_in_future', [], [{ ...pay, imported_time: FUTURE }]],
  ['pending_transfer_not_found', [], [post]],
  ['pending_transfer_not_pending', [pay], [{ ...post, pending_id: 'x' }]],
  ['pending_transfer_has_different_accounts', [hold], [{ ...post, credit_account: 'Bob' }]],
  ['pending_transfer_amount_exceeded', [hold], [{ ...post, amount: '1.01' }]],
  ['pending_transfer_already_posted', [hold, post], [{ ...post, id: 'p2' }]],
  ['pending_transfer_already_voided', [hold, { ...post, kind: VOID }], [{ ...post, id: 'p2' }]],
  ['pending_transfer_expired', [{ ...hold, timeout_ms: 1 }], [post]],
  ['reversed_transfer_not_found', [], [back]],
  ['reversed_transfer_not_posted', [hold], [{ ...back, reverses: 'h' }]],
  ['reversed_transfer_has_different_accounts', [pay], [{ ...back, credit_account: 'Bob' }]],
  ['reversed_transfer_amount_exceeded', [pay], [{ ...back, amount: '1.01' }]],
  ['amount_precision', [], [{ ...pay, amount: '0.001' }]],
  ['debit_account_closed', [], [{ ...pay, debit_account: 'Gone' }]],
  ['credit_account_closed', [], [{ ...pay, credit_account: 'Gone' }]],
  ['insufficient_funds', [], [{ ...pay, debit_account: 'Alice', credit_account: 'funds' }]],
  ['exceeds_max_balance', [], [{ ...pay, credit_account: 'Bob', amount: '100.01' }]],
  ['overflow', [{ ...pay, id: 'y', amount: ALL_DIGITS }], [pay]],
  ['linked_transfer_failed', [], linked(pay, { ...pay, id: 'y', debit_account: 'nobody' })],
];

/** Results that no transfer has, and those of a cluster with a bound on ids; each has a test of its own below. */
const OF_OTHERS = [
  ...['exists_with_different_scale', 'exists_with_different_options', 'exists_with_different_limits'],
  ...['ledger_not_found', 'account_not_found', 'limit_violated', 'id_expired', 'id_must_carry_time'],
];
/** No door lets one in. */
const NEVER = ['malformed_record'];

function member(transfer: TransferOut): object {
  const { id, debit_account, credit_account, kind = 0, metadata, user_data, group: _, ...rest } = transfer;
  return {
    ...{ request_id: id, from: debit_account, to: credit_account, kind: KINDS[kind], ...rest },
    ...(metadata === undefined ? {} : { metadata: metadata.toString('base64') }),
    ...(user_data === undefined ? {} : { user_data: String(user_data) }),
  };
}

async function send(method: string, path: string, body: object): Promise<[number, unknown]> {
  const answer = await fetch(`${http.url}/api/v1${path}`, { method, body: JSON.stringify(body) });
  return [answer.status, ((await answer.json()) as { code?: string }).code];
}

const described = (name: string): [number, unknown] => {
  const code = Object.values(ResultCode).find((one) => typeof one === 'number' && resultInfo(one).name === name);
  return [resultInfo(code as ResultCode).http, name];
};

async function stop(): Promise<void> {
  await grpc.close();
  await http.close();
  expect([...grpc.unforeseen.errors, ...http.unforeseen.errors]).toEqual([]);
}

test('every result of the ledger is met here', () => {
  const codes = Object.values(ResultCode).filter((code) => typeof code === 'number');
  const met = ['ok', ...OF_TRANSFERS.map(([name]) => name), ...OF_OTHERS, ...NEVER];
  expect(met.toSorted()).toEqual(codes.map((code) => resultInfo(code).name).toSorted());
});

describe('of transfers', () => {
  beforeEach(() => start());
  afterEach(stop);

  test.each(OF_TRANSFERS)('%s', async (name, before, probe) => {
    for (const transfer of before) expect(await create([transfer])).toEqual(['ok']);
    expect(await create(probe)).toContain(name);
  });

  // Of a group that failed, the one that failed it is the answer.
  test.each(OF_TRANSFERS.filter(([name]) => name !== 'linked_transfer_failed'))(
    '%s over HTTP',
    async (name, before, probe) => {
      for (const transfer of before) expect(await create([transfer])).toEqual(['ok']);
      const transaction = { id: probe[0]!.group ?? 'tx', transfers: probe.map(member) };
      expect(await send('POST', '/transactions', transaction)).toEqual(described(name));
    },
  );
});

describe('of ledgers and accounts', () => {
  beforeEach(() => start());
  afterEach(stop);

  test('are met where ledgers are created', async () => {
    const eur = { code: 'EUR', scale: 2 };
    const ledgers = [
      { ...eur, scale: 3 },
      { ...eur, auto_open: true },
      { ...eur, default_max_balance: '1' },
    ];
    const { response } = await call(ledger, CreateLedgers, { ledgers });
    expect(response.results.map(({ result }) => result)).toEqual([
      ...['exists_with_different_scale', 'exists_with_different_options', 'exists_with_different_limits'],
    ]);
  });

  test('and where accounts are opened and changed', async () => {
    expect(await send('POST', '/accounts', { name: 'New', ledger: 'GBP' })).toEqual(described('ledger_not_found'));
    expect(await send('POST', '/accounts', { name: 'Alice', max_balance: '1' })).toEqual(
      described('exists_with_different_limits'),
    );
    expect(await send('PATCH', '/accounts/nobody', { closed: true })).toEqual(described('account_not_found'));
    await create([pay]);
    expect(await send('PATCH', '/accounts/Alice', { max_balance: '0.99' })).toEqual(described('limit_violated'));
  });
});

describe('of ids that have an age', () => {
  beforeEach(() => start(3_600_000));
  afterEach(stop);

  test('are met where ids are remembered for a bounded time', async () => {
    // The ledger of the test lives in 2023, and two hours before its first batch are beyond the bound.
    const time = (1_700_000_000_000 - 7_200_000).toString(16).padStart(12, '0');
    const old = `${time.slice(0, 8)}-${time.slice(8)}-7${uuidV7().slice(15)}`;
    expect(await create([{ ...pay, id: old }, pay])).toEqual(['id_expired', 'id_must_carry_time']);
    const payment = { from: 'funds', to: 'Alice', amount: '1' };
    expect(await send('POST', '/transfers', { ...payment, request_id: old })).toEqual(described('id_expired'));
    expect(await send('POST', '/transfers', { ...payment, request_id: 'a'.repeat(32) })).toEqual(
      described('id_must_carry_time'),
    );
  });
});
