import { status, type Client } from '@grpc/grpc-js';
import { Fault } from '../../src/api/errors';
import { RefusalQuota, subjectOf } from '../../src/api/refusal-quota';
import { encodePackedRows } from '../../src/ledger/packed-rows';
import { clientDefinition } from '../../src/proto/load';
import { call, failureOf, GrpcDoor, HttpDoorUnderTest } from '../support/doors';
import { SingleNodePort } from '../support/single-node-port';
import { openStream } from './grpc/streams';

const { OpenAccounts, CreateTransfers, SubmitBatches, GetBalance } = clientDefinition('ledger.v1.Ledger');
const HOUR = 3_600_000;

function fault(quota: RefusalQuota, subject: string): Fault | undefined {
  try {
    quota.admit(subject);
    return undefined;
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  }
}

describe('the quota of refusals', () => {
  let time = 0;
  const clock = (): number => time;

  test('lets a caller have so many at once, and again what an hour brings', () => {
    const quota = new RefusalQuota(10, clock);
    quota.charge('a', 9);
    expect(fault(quota, 'a')).toBeUndefined();
    quota.charge('a', 2);
    const refused = fault(quota, 'a');
    expect(refused).toMatchObject({ code: 'RESOURCE_EXHAUSTED', reason: 'REFUSAL_QUOTA', httpStatus: 429 });
    // Two tokens at ten an hour: one that was overdrawn, one to spend.
    expect(refused?.retryAfterMs).toBe(HOUR / 5);
    time += HOUR / 5 - 1;
    expect(fault(quota, 'a')).toBeDefined();
    time += 1;
    expect(fault(quota, 'a')).toBeUndefined();
    quota.charge('a', 1);
    time += 100 * HOUR;
    quota.charge('a', 11);
    expect(fault(quota, 'a')).toBeDefined();
  });

  test('is of each caller alone', () => {
    const quota = new RefusalQuota(10, clock);
    quota.charge('a', 10);
    expect([fault(quota, 'a') === undefined, fault(quota, 'b') === undefined]).toEqual([false, true]);
  });

  test('keeps a bounded number of callers apart', () => {
    const quota = new RefusalQuota(1, clock);
    for (let i = 0; i <= 4096; i++) quota.charge(`caller ${i}`, 1);
    expect(fault(quota, 'caller 0')).toBeUndefined();
    expect(fault(quota, 'caller 1')).toBeDefined();
  });

  test('may be off', () => {
    const quota = new RefusalQuota(Infinity, clock);
    quota.charge('a', 1e9);
    expect(fault(quota, 'a')).toBeUndefined();
  });

  test.each([
    ['::ffff:10.0.0.1', '10.0.0.1'],
    ['::1', '::1'],
    ['unknown', 'nobody'],
    ['', 'nobody'],
    [undefined, 'nobody'],
  ])('knows a caller by its address: %s', (address, subject) => {
    expect(subjectOf(address)).toBe(subject);
  });
});

describe('at the doors', () => {
  let port: SingleNodePort;
  let grpc: GrpcDoor;
  let http: HttpDoorUnderTest;
  let ledger: Client;

  beforeEach(async () => {
    port = new SingleNodePort();
    port.createUsd();
    const refusalQuota = new RefusalQuota(3);
    grpc = await new GrpcDoor(port, { refusalQuota }).listen();
    http = await new HttpDoorUnderTest(port, { refusalQuota }).listen();
    ledger = grpc.client('ledger.v1.Ledger');
    const accounts = [
      { name: 'Alice', ledger: 'USD' },
      { name: 'Bob', ledger: 'USD' },
    ];
    await call(ledger, OpenAccounts, { accounts });
  });

  afterEach(async () => {
    await grpc.close();
    await http.close();
    expect([...grpc.unforeseen.errors, ...http.unforeseen.errors]).toEqual([]);
  });

  const poor = (id: string): object => ({ id, debit_account: 'Alice', credit_account: 'Bob', amount: '1' });
  const create = (...transfers: object[]): ReturnType<typeof call> => call(ledger, CreateTransfers, { transfers });

  test('it is one for gRPC and HTTP, and says when to come again', async () => {
    await create(poor('a'), poor('b'));
    const payment = JSON.stringify({ from: 'Alice', to: 'Bob', amount: '1', request_id: 'a'.repeat(32) });
    const pay = (): Promise<Response> => fetch(`${http.url}/api/v1/transfers`, { method: 'POST', body: payment });
    expect((await pay()).status).toBe(422);
    const before = port.submitted.length;
    const refused = await pay();
    expect([refused.status, Number(refused.headers.get('retry-after')) > 60]).toEqual([429, true]);
    expect(await refused.json()).toMatchObject({ code: 'refusal_quota' });
    const failure = await failureOf(create(poor('d')));
    expect(failure).toMatchObject({ code: status.RESOURCE_EXHAUSTED, reason: 'REFUSAL_QUOTA' });
    expect(failure.retryAfterMs).toBeGreaterThan(60_000);
    const group = JSON.stringify({ id: 'g', transfers: [{ request_id: 'm', from: 'Alice', to: 'Bob', amount: '1' }] });
    const transaction = await fetch(`${http.url}/api/v1/transactions`, { method: 'POST', body: group });
    expect(transaction.status).toBe(429);
    expect(port.submitted).toHaveLength(before);
    // Who may not write may read all the same.
    expect((await call(ledger, GetBalance, { account: 'Alice' })).response.balance!.posted).toBe('0.00');
  });

  test('repeats, faults of shape and refusals that leave the id free cost nothing', async () => {
    await create(poor('a'), poor('b'));
    const free = { ...poor('x'), kind: 2, pending_id: 'nothing', debit_account: '', credit_account: '', amount: '' };
    for (let i = 0; i < 5; i++) await create(poor('a'), { ...poor('c'), amount: '0' }, free);
    await create(poor('d'));
    expect(await failureOf(create(poor('e')))).toMatchObject({ reason: 'REFUSAL_QUOTA' });
  });

  test('packed rows and messages of a stream are refused batch by batch', async () => {
    const rows = encodePackedRows(
      [1, 2, 3].map((n) => ({
        ...{ id: Buffer.alloc(16, n), debitHandle: 1, creditHandle: 2, amount: 1n, userData: 0n, code: 0, flags: 0 },
      })),
    );
    const stream = openStream(ledger, SubmitBatches);
    stream.call.write({ sequence: 1, rows });
    expect(await stream.first(1)).toMatchObject([{ refused: [{ result: 6 }, { result: 6 }, { result: 6 }] }]);
    stream.call.write({ sequence: 2, rows });
    stream.call.write({ sequence: 3, transfers: [poor('a')] });
    const answers = await stream.first(3);
    expect(answers[1]!.error).toMatchObject({ code: status.RESOURCE_EXHAUSTED, reason: 'REFUSAL_QUOTA' });
    expect(answers[1]!.error!.retry_after_ms).toBeGreaterThan(60_000);
    expect(answers[2]!.error).toMatchObject({ reason: 'REFUSAL_QUOTA' });
  });
});
