import { HttpDoorUnderTest } from '../../support/doors';
import { SingleNodePort } from '../../support/single-node-port';

let port: SingleNodePort;
let door: HttpDoorUnderTest;

beforeEach(async () => {
  port = new SingleNodePort();
  port.createUsd();
  door = await new HttpDoorUnderTest(port).listen();
});

afterEach(async () => {
  await door.close();
  expect(door.unforeseen.errors).toEqual([]);
});

async function post(path: string, body: object): Promise<[number, Record<string, unknown>, string | null]> {
  const answer = await fetch(`${door.url}/api/v1${path}`, { method: 'POST', body: JSON.stringify(body) });
  const json = (await answer.json()) as Record<string, unknown>;
  return [answer.status, json, answer.headers.get('idempotency-replayed')];
}

const create = (ledger: object): ReturnType<typeof post> => post('/ledgers', ledger);

test('makes a ledger that accounts can be opened in, and says what it is', async () => {
  expect(await create({ code: 'JPY', scale: 0 })).toEqual([
    201,
    {
      ...{ code: 'JPY', scale: 0, auto_open: false, rounding: 'reject' },
      ...{ default_min_balance: '0', default_max_balance: null, created_at: expect.any(Number) as number },
      ...{ offset: 0, token: port.position().token },
    },
    null,
  ]);
  expect(await post('/accounts', { name: 'Hana', ledger: 'JPY' })).toMatchObject([201, { min_balance: '0' }, null]);
});

test('takes all that a ledger has', async () => {
  const options = { auto_open: true, rounding: 'half_up' };
  const limits = { default_min_balance: '-5', default_max_balance: '100.5' };
  expect(await create({ code: 'EUR', scale: 2, ...options, ...limits })).toMatchObject([
    201,
    { ...options, default_min_balance: '-5.00', default_max_balance: '100.50' },
    null,
  ]);
  expect(await create({ code: 'X', scale: 2, default_no_min_balance: true })).toMatchObject([
    201,
    { default_min_balance: null },
    null,
  ]);
  expect(await create({ code: 'Y', scale: 2, default_min_balance: null, default_max_balance: null })).toMatchObject([
    201,
    { default_min_balance: null, default_max_balance: null },
    null,
  ]);
});

test('the same again is the same ledger, and says so; another one under its code is a conflict', async () => {
  const [, first] = await create({ code: 'EUR', scale: 2 });
  await create({ code: 'GBP', scale: 2 });
  const [status, again, replayed] = await create({ code: 'EUR', scale: 2, rounding: 'reject' });
  expect([status, replayed]).toEqual([201, 'true']);
  expect(again).toMatchObject({ code: 'EUR', created_at: first['created_at'] });
  expect(await create({ code: 'EUR', scale: 3 })).toMatchObject([409, { code: 'exists_with_different_scale' }, null]);
  expect(await create({ code: 'EUR', scale: 2, auto_open: true })).toMatchObject([
    409,
    { code: 'exists_with_different_options' },
    null,
  ]);
});

test.each<[string, object]>([
  ['json_invalid', { code: 5 }],
  ['json_invalid', { scale: '2' }],
  ['json_invalid', { scale: 1.5 }],
  ['json_invalid', { auto_open: 'yes' }],
  ['json_invalid', { default_min_balance: 5 }],
  ['ledger_code_invalid', { code: 'U S D' }],
  ['ledger_code_invalid', { code: undefined }],
  ['scale_invalid', { scale: 19 }],
  ['scale_invalid', { scale: undefined }],
  ['scale_invalid', { scale: null }],
  ['rounding_invalid', { rounding: 'up' }],
  ['limits_invalid', { default_min_balance: '5' }],
  ['limits_invalid', { default_min_balance: '-5', default_no_min_balance: true }],
  ['amount_precision', { default_max_balance: '0.001' }],
  ['field_unknown', { name: 'Euro' }],
])('is refused: %s %j', async (code, fault) => {
  expect(await create({ code: 'EUR', scale: 2, ...fault })).toMatchObject([400, { code }, null]);
  expect(port.submitted).toEqual([]);
});
