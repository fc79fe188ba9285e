import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Client, status } from '@grpc/grpc-js';
import {
  type Balance,
  type DryRunRequestOut,
  type DryRunResponse,
  TransferKind,
  type TransferOut,
} from '../../../src/proto/ledger-v1';
import { clientDefinition } from '../../../src/proto/load';
import { call, GrpcDoor } from '../../support/doors';
import { SingleNodePort } from '../../support/single-node-port';
import { eventually, openStream, type StreamUnderTest } from './streams';

const { OpenAccounts, CreateTransfers, DryRunStream, GetBalances } = clientDefinition('ledger.v1.Ledger');
const LIMITS = { batchItems: 10, batchBytes: 8192, pageItems: 2 };

type Stream = StreamUnderTest<DryRunRequestOut, DryRunResponse>;

let port: SingleNodePort;
let door: GrpcDoor;
let ledger: Client;

beforeEach(async () => {
  port = new SingleNodePort();
  port.createUsd();
  door = await new GrpcDoor(port, { limits: LIMITS }).listen();
  ledger = door.client('ledger.v1.Ledger');
  const accounts = [
    { name: 'funds', ledger: 'USD', no_min_balance: true },
    { name: 'Alice', ledger: 'USD' },
    { name: 'Bob', ledger: 'USD' },
  ];
  await call(ledger, OpenAccounts, { accounts });
  await call(ledger, CreateTransfers, { transfers: [seed] });
});

afterEach(async () => {
  await door.close();
  expect(door.unforeseen.errors).toEqual([]);
});

const seed = { id: 'seed', debit_account: 'funds', credit_account: 'Alice', amount: '10' };
const pay = { debit_account: 'Alice', credit_account: 'Bob' };
const hash = (): string => port.status({ stateHash: true }).groups[0]!.stateHash!;
const open = (): Stream => openStream(ledger, DryRunStream);
const one = (id: string, amount = '1'): DryRunRequestOut => ({ transfers: [{ ...pay, id, amount }] });
const isTaken = (): boolean => (port.rehearsals as unknown as { isTaken: boolean }).isTaken;
const results = ({ transfers }: DryRunResponse): string[] => transfers.map(({ result }) => result!.result);

/** All answers to these requests, one after the other, and the balances behind them. */
async function tried(
  requests: readonly DryRunRequestOut[],
): Promise<{ answers: DryRunResponse[]; pages: Balance[][] }> {
  const stream = open();
  for (const [i, request] of requests.entries()) {
    stream.call.write(request);
    await stream.first(i + 1);
  }
  stream.call.end();
  expect(await stream.ending()).toBe('OK');
  const answers = stream.received.slice(0, requests.length);
  return { answers, pages: stream.received.slice(requests.length).map(({ balances }) => balances) };
}

const PARTS: TransferOut[][] = [
  [
    { ...pay, id: '1', amount: '4' },
    { ...pay, id: 'hold', kind: TransferKind.PENDING, amount: '5' },
  ],
  // What the first part left: 1.00 available, an id that is known, a hold.
  [
    { ...pay, id: '2', amount: '2' },
    { ...pay, id: '1', amount: '4' },
    { ...pay, id: '1', amount: '5' },
    { id: 'post', kind: TransferKind.POST, pending_id: 'hold', amount: '3' },
    { ...pay, id: 'g1', amount: '1', group: 'g' },
    { ...pay, id: 'g2', amount: '9', group: 'g' },
    { ...pay, id: '3', amount: '1.005' },
    seed,
  ],
  [{ ...pay, id: '4', amount: '3' }],
];

describe('DryRunStream', () => {
  test('answers as the real calls right after it do, each part seeing what came before it', async () => {
    const before = hash();
    const { answers, pages } = await tried(PARTS.map((transfers) => ({ transfers })));
    expect(hash()).toBe(before);
    expect(answers.map(results)).toEqual([
      ['ok', 'ok'],
      [
        ...['insufficient_funds', 'ok', 'exists_with_different_amount', 'ok'],
        ...['linked_transfer_failed', 'insufficient_funds', 'amount_precision', 'ok'],
      ],
      ['ok'],
    ]);
    const place = port.position();
    const done: DryRunResponse[] = [];
    for (const transfers of PARTS) {
      const { response } = await call(ledger, CreateTransfers, { transfers });
      done.push(response as unknown as DryRunResponse);
      expect(answers[done.length - 1]).toMatchObject({
        transfers: response.results.map(({ result, ...rest }) => {
          const isOld = result!.replayed && Number(result!.offset) <= place.offset;
          return { ...rest, result: isOld ? result : { ...result, offset: '-1', timestamp: '0' } };
        }),
        groups: response.groups.map(({ result, ...rest }) => ({
          ...{ ...rest, result: { ...result, offset: '-1', timestamp: '0' } },
        })),
        ...{ balances: [], error: null, position: { token: place.token, offset: String(place.offset) } },
      });
    }
    expect(answers[1]!.transfers.at(-1)!.result).toMatchObject({ replayed: true, offset: '3' });
    const balances = async (...accounts: string[]): Promise<Balance[]> =>
      (await call(ledger, GetBalances, { accounts })).response.balances;
    expect(pages).toEqual([await balances('Alice', 'Bob'), await balances('funds')]);
  });

  test('opens accounts, whose scale the next part is measured by', async () => {
    const { answers, pages } = await tried([
      { accounts: [{ name: 'Carol', ledger: 'USD' }] },
      { transfers: [{ id: 'c', debit_account: 'funds', credit_account: 'Carol', amount: '0.001' }] },
      { accounts: [{ name: 'Carol', ledger: 'USD', min_balance: '-1' }], transfers: [{ ...seed, id: 's2' }] },
    ]);
    expect(answers[0]!.accounts).toMatchObject([{ result: { result: 'ok', offset: '-1' }, handle: '0' }]);
    expect(results(answers[1]!)).toEqual(['amount_precision']);
    expect(answers[2]!.accounts[0]!.result!.result).toBe('exists_with_different_limits');
    expect(results(answers[2]!)).toEqual(['ok']);
    expect(pages.flat().map(({ account, handle }) => [account, handle])).toEqual([
      ['Carol', '0'],
      ['funds', '1'],
      ['Alice', '2'],
    ]);
  });

  test('a part that is no batch is refused by itself, and the next one is tried', async () => {
    const many = Array.from({ length: 11 }, (_, i) => ({ ...pay, id: `m${i}`, amount: '1' }));
    const large = Array.from({ length: 9 }, (_, i) => ({
      ...pay,
      id: `l${i}`,
      amount: '1',
      metadata: Buffer.alloc(1000),
    }));
    const requests = [one('a'), {}, { transfers: many }, { transfers: large }, one('a'), one('m1')];
    const { answers, pages } = await tried(requests);
    expect(answers.map(({ error }) => error?.reason)).toEqual([
      ...[undefined, 'BATCH_EMPTY', 'BATCH_TOO_LARGE', 'BATCH_TOO_LARGE', undefined, undefined],
    ]);
    expect(answers[4]!.transfers[0]!.result).toMatchObject({ result: 'ok', replayed: true });
    expect(answers[5]!.transfers[0]!.result).toMatchObject({ result: 'ok', replayed: false });
    expect(pages[0]![0]).toMatchObject({ account: 'Alice', posted: '8.00' });
  });

  test('nothing is sent, nothing is answered', async () => {
    expect(await tried([])).toEqual({ answers: [], pages: [] });
  });

  test('what is no request ends it, as does a state that this node has not got', async () => {
    const raw = openStream(ledger, { ...DryRunStream, requestSerialize: () => Buffer.from([0x0a, 0x7f]) });
    raw.call.write({});
    expect(await raw.ending()).toMatchObject({ code: status.INVALID_ARGUMENT, reason: 'MALFORMED_REQUEST' });
    const ahead = open();
    ahead.call.write({ ...one('a'), consistency: { level: 1, token: 't99' } });
    expect(await ahead.ending()).toMatchObject({ code: status.UNAVAILABLE, reason: 'STALE_READ' });
    expect((await tried([one('a')])).answers.map(results)).toEqual([['ok']]);
  });
});

describe('the copy', () => {
  test('is one at a time, and let go of with its caller', async () => {
    const first = open();
    first.call.write(one('a'));
    await first.first(1);
    const second = open();
    second.call.write(one('a'));
    expect(await second.ending()).toMatchObject({
      ...{ code: status.RESOURCE_EXHAUSTED, reason: 'DRY_RUN_UNDER_WAY', retryAfterMs: 2000 },
    });
    first.call.cancel();
    await eventually('the next one to have its turn', () => !isTaken());
    expect((await tried([one('a')])).answers.map(results)).toEqual([['ok']]);
  });

  test('does not see what is done meanwhile, and nobody sees what is tried', async () => {
    const stream = open();
    stream.call.write(one('a', '4'));
    await stream.first(1);
    await call(ledger, CreateTransfers, { transfers: [{ ...pay, id: 'real', amount: '9' }] });
    stream.call.write(one('b', '6'));
    stream.call.end();
    expect(await stream.ending()).toBe('OK');
    expect(stream.received.slice(0, 2).map(results)).toEqual([['ok'], ['ok']]);
    expect(stream.received[2]!.balances[0]).toMatchObject({ account: 'Alice', posted: '0.00' });
    expect(port.posted('Alice')).toBe('1.00');
  });

  test('ends when its caller says nothing more', async () => {
    await door.close();
    door = await new GrpcDoor(port, { limits: { ...LIMITS, dryRunIdleMs: 500 } }).listen();
    ledger = door.client('ledger.v1.Ledger');
    const stream = open();
    stream.call.write(one('a'));
    expect(await stream.ending()).toMatchObject({ code: status.DEADLINE_EXCEEDED, reason: 'DRY_RUN_IDLE' });
    expect(stream.received.map(results)).toEqual([['ok']]);
  });

  test('ends after its time, however much its caller says', async () => {
    await door.close();
    door = await new GrpcDoor(port, { limits: { ...LIMITS, dryRunLifeMs: 700 } }).listen();
    ledger = door.client('ledger.v1.Ledger');
    const stream = open();
    const talk = setInterval(() => stream.call.write(one('a')), 20);
    expect(await stream.ending()).toMatchObject({
      ...{
        code: status.DEADLINE_EXCEEDED,
        reason: 'DRY_RUN_TOO_LONG',
        message: expect.stringContaining('700 ms') as string,
      },
    });
    clearInterval(talk);
    await eventually('the next one to have its turn', () => !isTaken());
  });

  test('ends when the door closes', async () => {
    const stream = open();
    stream.call.write(one('a'));
    await stream.first(1);
    const closing = door.grpc.close(10_000);
    expect(await stream.ending()).toMatchObject({ code: status.UNAVAILABLE, reason: 'SHUTTING_DOWN' });
    await closing;
  });

  test('is not made of a state that is too large, and does not grow beyond its bound', async () => {
    port.boundRehearsals({ stateBytes: 1000 });
    const refused = open();
    refused.call.write(one('a'));
    expect(await refused.ending()).toMatchObject({ code: status.FAILED_PRECONDITION, reason: 'DRY_RUN_TOO_LARGE' });
    port.boundRehearsals({ memoryBytes: 1000 });
    const grown = open();
    grown.call.write(one('a'));
    await grown.first(1);
    grown.call.write(one('b'));
    expect(await grown.ending()).toMatchObject({ code: status.FAILED_PRECONDITION, reason: 'DRY_RUN_TOO_LARGE' });
    port.boundRehearsals({});
    expect((await tried([one('a')])).answers.map(results)).toEqual([['ok']]);
  });
});

describe('a thread that', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ledger-dry-run-'));
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  test.each([
    ['uses up its memory', 'const all = []; for (;;) all.push(new Array(100_000).fill({}));', 'DRY_RUN_TOO_LARGE'],
    ['fails', 'throw new Error("out of order");', 'DRY_RUN_ENDED'],
    ['ends', 'process.exit(3);', 'DRY_RUN_ENDED'],
  ])('%s takes nobody with it', async (_what, program, reason) => {
    const entry = join(folder, 'thread.js');
    writeFileSync(entry, `require('node:worker_threads').parentPort.once('message', () => { ${program} });\n`);
    port.boundRehearsals({ entry });
    const stream = open();
    stream.call.write(one('a'));
    expect(await stream.ending()).toMatchObject({ reason });
    port.boundRehearsals({});
    expect((await tried([one('a')])).answers.map(results)).toEqual([['ok']]);
  });
});
