import { NodeError } from '../../../src/api/node-port';
import { HttpDoorUnderTest } from '../../support/doors';
import { SingleNodePort } from '../../support/single-node-port';

const UUID = 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11';
const REQUEST = { from: 'Alice', to: 'Bob', amount: '0.5', request_id: UUID };

let port: SingleNodePort;
let door: HttpDoorUnderTest;

async function start(usd: Parameters<SingleNodePort['createUsd']>[0]): Promise<void> {
  port = new SingleNodePort();
  port.createUsd(usd);
  door = await new HttpDoorUnderTest(port).listen();
}

afterEach(async () => {
  await door.close();
  expect(door.unforeseen.errors).toEqual([]);
});

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

async function post(body: string | Buffer | object): Promise<Answer> {
  const payload = typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
  const answer = await fetch(`${door.url}/api/v1/transfers`, { method: 'POST', body: payload });
  return { status: answer.status, headers: answer.headers, text: await answer.text() };
}

const asJson = ({ status, text }: Answer): [number, unknown] => [status, JSON.parse(text)];

describe('a payment', () => {
  beforeEach(() => start({ autoOpen: true, noMinimum: true }));

  test('is answered exactly as ever', async () => {
    const answer = await post(REQUEST);
    expect(answer.status).toBe(201);
    expect(answer.headers.get('content-type')).toBe('application/json');
    expect(answer.headers.get('idempotency-replayed')).toBeNull();
    expect(answer.text).toBe(`{"request_id":"${UUID}","from":"Alice","amount":"0.50","to":"Bob"}`);
    expect(port.posted('Bob')).toBe('0.50');
  });

  test('is done once: the same request gets the same answer, and says so', async () => {
    const first = await post(REQUEST);
    const again = await post({
      ...REQUEST,
      request_id: UUID.toUpperCase(),
      amount: ' 0.500 ',
      from: ' Alice',
      to: 'Bob\t',
    });
    expect([again.status, again.text]).toEqual([201, first.text]);
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    expect(port.posted('Bob')).toBe('0.50');
  });

  test.each([
    ['missing hyphens', UUID.replaceAll('-', '')],
    ['upper case', UUID.toUpperCase()],
  ])('is known by its id in any spelling: %s', async (_name, id) => {
    expect((await post({ ...REQUEST, request_id: id })).text).toContain(`"request_id":"${UUID}"`);
  });

  test.each([
    ['5E-1', '0.50'],
    ['1e2', '100.00'],
    ['.5', '0.50'],
    ['5.', '5.00'],
    ['+1', '1.00'],
    ['0.01', '0.01'],
    ['000000000000000000000000000000000000000000000012.50', '12.50'],
    ['999999999999999999999999999999999999.99', '999999999999999999999999999999999999.99'],
  ])('of %s moves %s', async (amount, moved) => {
    expect(asJson(await post({ ...REQUEST, amount }))).toMatchObject([201, { amount: moved }]);
  });

  test('may name its ledger', async () => {
    expect((await post({ ...REQUEST, ledger: 'USD' })).status).toBe(201);
  });

  test('keeps names apart that differ, and joins those that are written differently', async () => {
    await post({ ...REQUEST, to: 'Zoe\u0308' });
    expect(port.posted('Zo\u00eb')).toBe('0.50');
    expect(asJson(await post({ ...REQUEST, request_id: UUID.replace('a0', 'b0'), to: '\u{1F4B0}"\\' }))).toMatchObject([
      201,
      { to: '\u{1F4B0}"\\' },
    ]);
  });
});

describe('a payment with a fault is answered 400, the first fault first', () => {
  beforeEach(() => start({ autoOpen: true, noMinimum: true }));

  test.each<[string, string | Buffer]>([
    ['nothing', ''],
    ['no JSON', '{"from":'],
    ['JSON with something behind', `${JSON.stringify(REQUEST)}x`],
    ['an array', '[]'],
    ['null', 'null'],
    ['text', '"x"'],
    ['an amount that is a number', JSON.stringify({ ...REQUEST, amount: 0.5 })],
    ['a name that is a number', JSON.stringify({ ...REQUEST, from: 5 })],
    ['an id that is an object', JSON.stringify({ ...REQUEST, request_id: {} })],
    ['a ledger that is a list', JSON.stringify({ ...REQUEST, ledger: [] })],
    ['bytes that are not UTF-8', Buffer.from('{"from":"\xff"}', 'latin1')],
    ['a byte order mark', `\ufeff${JSON.stringify(REQUEST)}`],
    ['very deep JSON', '['.repeat(200_000)],
  ])('%s', async (_name, body) => {
    expect(asJson(await post(body))).toEqual([400, { message: 'problems parsing JSON', code: 'json_invalid' }]);
  });

  const bad = { request_id: 'x', from: ' ', amount: 'x', to: '' };
  test.each<[string, object, string]>([
    ['request_id_invalid', bad, 'transfer request ID must be valid UUID'],
    ['from_required', { ...bad, request_id: UUID }, 'transfer sender account is required'],
    ['amount_invalid', { ...bad, request_id: UUID, from: 'Alice' }, ''],
    [
      'amount_lt_min',
      { ...bad, request_id: UUID, from: 'Alice', amount: '0' },
      'ensure this value is greater than 0.01',
    ],
    ['amount_precision', { ...bad, request_id: UUID, from: 'Alice', amount: '1.009' }, ''],
    ['to_required', { ...bad, request_id: UUID, from: 'Alice', amount: '1' }, 'transfer recipient account is required'],
  ])('%s', async (code, body, message) => {
    const [status, answer] = asJson(await post(body));
    expect([status, answer]).toMatchObject([400, { code }]);
    if (message !== '') expect(answer).toEqual({ message, code });
    expect(port.submitted).toEqual([]);
  });

  test.each<[string, object]>([
    ['request_id_invalid', { request_id: undefined }],
    ['request_id_invalid', { request_id: null }],
    ['request_id_invalid', { request_id: ` ${UUID}` }],
    ['request_id_invalid', { request_id: 'order-1' }],
    ['request_id_invalid', { request_id: '00000000-0000-0000-0000-000000000000' }],
    ['from_required', { from: undefined }],
    ['to_required', { to: null }],
    ['amount_invalid', { amount: undefined }],
    ['amount_invalid', { amount: '' }],
    ['amount_invalid', { amount: '0,5' }],
    ['amount_invalid', { amount: '0x10' }],
    ['amount_invalid', { amount: 'Infinity' }],
    ['amount_invalid', { amount: '1 000' }],
    ['amount_lt_min', { amount: '0.009' }],
    ['amount_lt_min', { amount: '-1' }],
    ['amount_lt_min', { amount: '1e-30' }],
    ['amount_lt_min', { amount: '1e-999999999' }],
    ['amount_too_large', { amount: '1e36' }],
    ['amount_too_large', { amount: '1e999999999' }],
    ['amount_too_large', { amount: '9'.repeat(100_000) }],
    ['debit_account_invalid', { from: 'x'.repeat(129) }],
    ['debit_account_invalid', { from: '\ud800' }],
    ['credit_account_invalid', { to: 'a\0b' }],
    ['accounts_must_be_different', { to: ' Alice ' }],
    ['ledger_code_invalid', { ledger: 'U S D' }],
  ])('%s: %j', async (code, fault) => {
    expect(asJson(await post({ ...REQUEST, ...fault }))).toMatchObject([400, { code }]);
    expect(port.submitted).toEqual([]);
  });
});

describe('a payment where amounts are rounded', () => {
  beforeEach(() => start({ autoOpen: true, noMinimum: true, halfUp: true }));

  test.each([
    ['1.009', '1.01'],
    ['1.005', '1.01'],
    ['1.0049999', '1.00'],
  ])('of %s moves %s', async (amount, moved) => {
    expect(asJson(await post({ ...REQUEST, amount }))).toMatchObject([201, { amount: moved }]);
  });

  test('is too small before it is rounded', async () => {
    expect(asJson(await post({ ...REQUEST, amount: '0.009' }))).toMatchObject([400, { code: 'amount_lt_min' }]);
  });
});

describe('a payment is refused', () => {
  beforeEach(async () => {
    await start({});
    for (const account of [
      { name: 'Alice' },
      { name: 'Bob', max_balance: '1' },
      { name: 'funds', no_min_balance: true },
    ]) {
      await fetch(`${door.url}/api/v1/accounts`, { method: 'POST', body: JSON.stringify(account) });
    }
  });

  test.each<[number, string, object]>([
    [422, 'insufficient_funds', {}],
    [422, 'debit_account_not_found', { from: 'nobody' }],
    [422, 'credit_account_not_found', { from: 'funds', to: 'nobody' }],
    [422, 'exceeds_max_balance', { from: 'funds', amount: '1.01' }],
    [422, 'ledger_not_found', { ledger: 'GBP' }],
  ])('%i %s', async (status, code, fault) => {
    const [answered, body] = asJson(await post({ ...REQUEST, ...fault }));
    expect([answered, body]).toMatchObject([status, { code, message: expect.stringMatching(/\.$/) as string }]);
  });

  test('409 for another content under a known id', async () => {
    expect((await post({ ...REQUEST, from: 'funds' })).status).toBe(201);
    expect(asJson(await post({ ...REQUEST, from: 'funds', amount: '0.6' }))).toMatchObject([
      409,
      { code: 'exists_with_different_amount' },
    ]);
    expect(asJson(await post(REQUEST))).toMatchObject([409, { code: 'exists_with_different_debit_account' }]);
  });

  test('for ever once it was refused: a retry pays nothing', async () => {
    const first = await post(REQUEST);
    await post({ ...REQUEST, request_id: UUID.replace('a0', 'b0'), from: 'funds', to: 'Alice', amount: '9' });
    const again = await post(REQUEST);
    expect([again.status, again.text]).toEqual([422, first.text]);
    expect(again.headers.get('idempotency-replayed')).toBe('true');
  });

  test.each([
    ['RESOURCE_EXHAUSTED', 'OVERLOADED', 429, '1'],
    ['RESOURCE_EXHAUSTED', 'DISK_FULL', 429, '1'],
    ['UNAVAILABLE', 'NO_LEADER', 503, '1'],
    ['UNAVAILABLE', 'OUTCOME_UNKNOWN', 503, '1'],
    ['DEADLINE_EXCEEDED', 'TOO_LATE', 504, null],
  ] as const)('%s %s: %i', async (code, reason, status, retryAfter) => {
    port.beforeCommit = () => {
      throw new NodeError(code, reason, 'Not now.');
    };
    const answer = await post(REQUEST);
    expect(asJson(answer)).toEqual([status, { message: 'Not now.', code: reason.toLowerCase() }]);
    expect(answer.headers.get('retry-after')).toBe(retryAfter);
  });
});

describe('a payment that was made', () => {
  beforeEach(() => start({ autoOpen: true, noMinimum: true }));

  test('can be looked up by its id in any spelling', async () => {
    await post(REQUEST);
    const answer = await fetch(`${door.url}/api/v1/transfers/${UUID.toUpperCase()}`);
    expect([answer.status, await answer.json()]).toEqual([
      200,
      {
        request_id: UUID,
        from: 'Alice',
        amount: '0.50',
        to: 'Bob',
        ledger: 'USD',
        kind: 'plain',
        balancing: false,
        effective_time: null,
        imported_time: null,
        timeout_ms: null,
        pending_id: null,
        reverses: null,
        reversed_by: [],
        transaction: null,
        hold: null,
        result: 'ok',
        amount_moved: '0.50',
        code: 0,
        user_data: '0',
        metadata: '',
        offset: 0,
        timestamp: expect.any(Number) as number,
        as_of: { token: port.position().token, offset: 0 },
      },
    ]);
  });

  test.each([
    ['unknown', UUID, 404, 'transfer_not_found'],
    ['no id', 'x'.repeat(65), 400, 'id_invalid'],
    ['not decodable', '%ff', 400, 'path_invalid'],
    ['empty', '', 404, 'not_found'],
  ])('%s: %s', async (_name, id, status, code) => {
    const answer = await fetch(`${door.url}/api/v1/transfers/${id}`);
    expect([answer.status, await answer.json()]).toMatchObject([status, { code }]);
  });
});
