import { randomUUID } from 'node:crypto';
import { status } from '@grpc/grpc-js';
import { clientDefinition } from '../../src/proto/load';
import { failureOf } from '../support/doors';
import { attackedNode } from './dev-node';

const log = clientDefinition('log.v1.Log');
const ledger = clientDefinition('ledger.v1.Ledger');
const cluster = clientDefinition('cluster.v1.Cluster');
const TEN_MEGABYTES = 10 << 20;
const FOREIGN_TOKEN = Buffer.alloc(20, 1).toString('base64url');

const attacked = attackedNode();

describe('requests over HTTP that make no sense', () => {
  const good = (): Record<string, unknown> => ({ from: 'Alice', to: 'Bob', amount: '0.50', request_id: randomUUID() });
  const post = (body: string): Promise<{ status: number; body: string }> =>
    attacked.node.http('POST', '/api/v1/transfers', body);

  test.each<[string, string]>([
    ['nothing', ''],
    ['half an object', '{"from": "Alice"'],
    ['a word', 'transfer'],
    ['no object', '[1, 2]'],
    ['null', 'null'],
    ['bytes that are no text', '{"from": "\u0000\uFFFF"}'],
    ['deep nesting', '['.repeat(100_000)],
    ['an amount that is a number', JSON.stringify({ ...good(), amount: 0.5 })],
    ['an amount that is an object', JSON.stringify({ ...good(), amount: { value: '1' } })],
    ['a name that is a number', JSON.stringify({ ...good(), from: 7 })],
    ['an id that is a list', JSON.stringify({ ...good(), request_id: [] })],
  ])('%s is no JSON of a transfer: 400', async (_what, body) => {
    const answer = await post(body);
    expect(answer.status).toBe(400);
    const parsed = JSON.parse(answer.body) as { message: string };
    expect(parsed.message.length).toBeGreaterThan(5);
  });

  test.each<[string, Record<string, unknown>, string]>([
    ['negative', { amount: '-1' }, 'amount_lt_min'],
    ['zero', { amount: '0' }, 'amount_lt_min'],
    ['next to nothing', { amount: '1e-30' }, 'amount_lt_min'],
    ['a huge negative exponent', { amount: '1e-1000000000' }, 'amount_'],
    ['a huge exponent', { amount: '1e1000000000' }, 'amount_'],
    ['beyond 38 digits', { amount: '9'.repeat(60) }, 'amount_'],
    ['a hundred thousand digits', { amount: '9'.repeat(100_000) }, 'amount_'],
    ['not a number', { amount: 'NaN' }, 'amount_invalid'],
    ['infinite', { amount: 'Infinity' }, 'amount_invalid'],
    ['hexadecimal', { amount: '0x10' }, 'amount_'],
    ['missing', { amount: undefined }, 'amount_invalid'],
  ])('an amount that is %s: 400', async (_what, change, code) => {
    const answer = await post(JSON.stringify({ ...good(), ...change }));
    expect(answer.status).toBe(400);
    expect((JSON.parse(answer.body) as { code: string }).code).toContain(code);
  });

  test.each<[string, Record<string, unknown>]>([
    ['no id', { request_id: undefined }],
    ['an id that is no UUID', { request_id: 'seven' }],
    ['no payer', { from: ' ' }],
    ['no payee', { to: '' }],
    ['a payer with a zero byte', { from: 'Al\u0000ice' }],
    ['half a character', { from: '\ud800' }],
    ['a name of 200 bytes', { to: 'ä'.repeat(100) }],
    ['one and the same account', { to: 'Alice' }],
  ])('%s: 400', async (_what, change) => {
    const answer = await post(JSON.stringify({ ...good(), ...change }));
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.body)).toMatchObject({
      message: expect.any(String) as string,
      code: expect.any(String) as string,
    });
  });

  test('a body of ten megabytes: 413, whether it says so or not', async () => {
    const body = JSON.stringify({ ...good(), from: 'x'.repeat(TEN_MEGABYTES) });
    expect((await post(body)).status).toBe(413);
    const chunked = new ReadableStream<Uint8Array>({
      start(controller) {
        for (let at = 0; at < 20; at += 1) controller.enqueue(Buffer.alloc(TEN_MEGABYTES / 20, 'x'));
        controller.close();
      },
    });
    const url = `http://127.0.0.1:${attacked.node.httpPort}/api/v1/transfers`;
    const sent = fetch(url, { method: 'POST', body: chunked, duplex: 'half' }).then(
      (response) => response.status,
      // The server may end the connection while the body still comes.
      () => 413,
    );
    expect(await sent).toBe(413);
  });

  test.each([
    ['GET', '/api/v1/accounts/Nobody', 404],
    ['GET', '/api/v1/accounts/Nobody/balance', 404],
    ['GET', `/api/v1/accounts/${'x'.repeat(200)}/balance`, 400],
    ['GET', '/api/v1/accounts/%E0%A4%A', 400],
    ['GET', '/api/v1/accounts/%00/balance', 400],
    ['GET', '/api/v1/../../etc/passwd', 404],
    ['GET', '/nothing', 404],
    ['DELETE', '/api/v1/transfers', 405],
    ['GET', '/api/v1/accounts/Bob/balance?consistency=perhaps', 400],
    ['GET', `/api/v1/accounts/Bob/balance?consistency=at_least&token=${FOREIGN_TOKEN}`, 400],
  ])('%s %s: %d', async (method, path, expected) => {
    const answer = await attacked.node.http(method, path);
    expect([path, answer.status]).toEqual([path, expected]);
    expect(JSON.parse(answer.body)).toMatchObject({ message: expect.any(String) as string });
  });
});

describe('calls over gRPC that make no sense', () => {
  const transfer = (change: Record<string, unknown>): Promise<string | undefined> =>
    attacked.node
      .ask(ledger.CreateTransfers, {
        transfers: [
          { id: randomUUID(), debit_account: 'Alice', credit_account: 'Bob', amount: '0.50', ledger: 'USD', ...change },
        ],
      })
      .then(({ results }) => results[0]?.result?.result);

  test.each<[Record<string, unknown>, string]>([
    [{ amount: '-0.50' }, 'amount'],
    [{ amount: '+0.50' }, 'amount'],
    [{ amount: '1e2' }, 'amount'],
    [{ amount: '' }, 'amount'],
    [{ amount: '0' }, 'amount'],
    [{ amount: '1,000.00' }, 'amount'],
    [{ amount: '9'.repeat(39) }, 'amount'],
    [{ id: '' }, 'id'],
    [{ id: 'x'.repeat(65) }, 'id'],
    [{ debit_account: '' }, 'account'],
    [{ debit_account: 'x'.repeat(129) }, 'account'],
    [{ credit_account: 'Alice' }, 'accounts_must_be_different'],
    [{ debit_handle: '7' }, 'account'],
  ])('a transfer with %j is refused for its shape, before the log', async (change, result) => {
    expect(await transfer(change)).toContain(result);
  });

  test('accounts that do not exist: refused, and the refusal is in the log, for ever', async () => {
    const id = randomUUID();
    const nobody = { id, debit_account: '', debit_handle: '4242', ledger: '' };
    expect(await transfer(nobody)).toBe('debit_account_not_found');
    expect(await transfer(nobody)).toBe('debit_account_not_found');
    // The repeat, too: that it is one is decided when it is applied.
    attacked.logged(2);
    const missing = attacked.node.ask(ledger.GetBalance, { account: 'Nobody' });
    expect(await failureOf(missing)).toMatchObject({ code: status.NOT_FOUND });
    const unknown = attacked.node.ask(ledger.GetTransfer, { id: randomUUID() });
    expect(await failureOf(unknown)).toMatchObject({ code: status.NOT_FOUND });
  });

  test('a hundred thousand digits are no amount', async () => {
    expect(await transfer({ amount: '9'.repeat(100_000) })).toContain('amount');
  });

  test('text with a zero byte in it is no text of this protocol', async () => {
    const call = transfer({ id: 'a\u0000b' });
    expect(await failureOf(call)).toMatchObject({ code: status.INVALID_ARGUMENT });
  });

  test('a batch of more than 8,190 items is refused whole', async () => {
    const transfers = Array.from({ length: 8_191 }, (_, at) => ({
      id: `t-${at}`,
      debit_account: 'Alice',
      credit_account: 'Bob',
      amount: '0.01',
    }));
    expect(await failureOf(attacked.node.ask(ledger.CreateTransfers, { transfers }))).toMatchObject({
      code: status.INVALID_ARGUMENT,
    });
  });

  test('a message of ten megabytes: RESOURCE_EXHAUSTED', async () => {
    const record = { value: Buffer.alloc(TEN_MEGABYTES) };
    expect(await failureOf(attacked.node.ask(log.Produce, { record }))).toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
    });
  });

  test('a record of more than a megabyte, or of a type that is not the producer’s', async () => {
    const large = attacked.node.ask(log.Produce, { record: { value: Buffer.alloc((1 << 20) + 1) } });
    expect((await failureOf(large)).code).toBe(status.INVALID_ARGUMENT);
    const foreign = attacked.node.ask(log.Produce, { record: { value: Buffer.from('x'), type: 1 } });
    expect((await failureOf(foreign)).code).toBe(status.INVALID_ARGUMENT);
    const empty = { ...log.Produce, requestSerialize: () => Buffer.alloc(0) };
    expect((await failureOf(attacked.node.ask(empty, { record: { value: Buffer.alloc(0) } }))).code).toBe(
      status.INVALID_ARGUMENT,
    );
  });

  test.each(['1000000', '18446744073709551615', '9007199254740993'])(
    'consume from offset %s: OUT_OF_RANGE',
    async (offset) => {
      expect(await failureOf(attacked.node.ask(log.Consume, { offset }))).toMatchObject({ code: status.OUT_OF_RANGE });
    },
  );

  test.each([
    ['', 1],
    ['what?', 1],
    [FOREIGN_TOKEN, 1],
    ['x'.repeat(200), 1],
    ['', 99],
  ])('a read at least as new as %j, consistency %d: INVALID_ARGUMENT', async (token, level) => {
    const read = attacked.node.ask(ledger.GetBalance, { account: 'Bob', consistency: { level, token } });
    expect(await failureOf(read)).toMatchObject({ code: status.INVALID_ARGUMENT });
  });

  test('operators, too, can be wrong', async () => {
    const { node } = attacked;
    const handOver = node.ask(cluster.TransferLeadership, { node_name: 'nobody' });
    expect(await failureOf(handOver)).toMatchObject({ code: status.FAILED_PRECONDITION, reason: 'NOT_A_VOTER' });
    for (const call of [cluster.AddMember, cluster.RemoveMember]) {
      expect(await failureOf(node.ask(call, { node_name: 'nobody' }))).toMatchObject({
        code: status.NOT_FOUND,
        reason: 'MEMBER_NOT_FOUND',
      });
    }
  });
});
