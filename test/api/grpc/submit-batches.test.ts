import { status, type Client } from '@grpc/grpc-js';
import { NodeError } from '../../../src/api/node-port';
import { parseUuid } from '../../../src/ledger/identifiers';
import { encodePackedRows, type PackedTransfer } from '../../../src/ledger/packed-rows';
import { iterateChunks } from '../../../src/log/chunk';
import { clientDefinition } from '../../../src/proto/load';
import { type SubmitBatchRequestOut, type SubmitBatchResponse } from '../../../src/proto/ledger-v1';
import { call, GrpcDoor } from '../../support/doors';
import { SingleNodePort } from '../../support/single-node-port';
import { eventually, openStream, type StreamUnderTest } from './streams';

const { OpenAccounts, SubmitBatches } = clientDefinition('ledger.v1.Ledger');

let port: SingleNodePort;
let door: GrpcDoor;
let ledger: Client;
let stream: StreamUnderTest<SubmitBatchRequestOut, SubmitBatchResponse>;

beforeEach(async () => {
  port = new SingleNodePort();
  port.createUsd();
  door = await new GrpcDoor(port).listen();
  ledger = door.client('ledger.v1.Ledger');
  const accounts = [
    { name: 'funds', ledger: 'USD', no_min_balance: true },
    { name: 'Alice', ledger: 'USD', max_balance: '1000' },
  ];
  await call(ledger, OpenAccounts, { accounts });
  port.submitted.length = 0;
  stream = openStream(ledger, SubmitBatches);
});

afterEach(async () => {
  await door.close();
  expect(door.unforeseen.errors).toEqual([]);
});

function row(id: number, fields: Partial<PackedTransfer> = {}): PackedTransfer {
  const uuid = parseUuid(`00000000-0000-4000-8000-${String(id).padStart(12, '0')}`)!;
  return { id: uuid, debitHandle: 1, creditHandle: 2, amount: 1n, userData: 0n, code: 0, flags: 0, ...fields };
}

const rows = (...items: PackedTransfer[]): Buffer => encodePackedRows(items);
const range = (from: number, count: number): Buffer => rows(...Array.from({ length: count }, (_, i) => row(from + i)));

const EMPTY = { refused: [], repeats: [], results: [], amounts: [], error: null };

describe('SubmitBatches', () => {
  test('puts packed rows into the log as they came, and answers with where they are', async () => {
    const batch = range(1, 3);
    stream.call.write({ sequence: '18446744073709551615', rows: batch });
    expect(await stream.first(1)).toEqual([
      {
        ...EMPTY,
        sequence: '18446744073709551615',
        count: 3,
        base_offset: '2',
        timestamp: expect.stringMatching(/^17\d{14}$/) as string,
        token: port.position().token,
      },
    ]);
    const [chunk] = iterateChunks(port.submitted[0]!.chunk);
    expect(chunk!.width).toBe(64);
    expect(chunk!.body.equals(batch)).toBe(true);
    expect(port.posted('Alice')).toBe('0.03');
  });

  test('lists the rows that were refused, and apart from them those that are repeats', async () => {
    stream.call.write({ sequence: 1, rows: range(1, 2) });
    stream.call.write({
      sequence: 2,
      rows: rows(row(3), row(1), row(4, { amount: 100_001n }), row(5, { creditHandle: 99 }), row(2, { amount: 2n })),
    });
    const [, answer] = await stream.first(2);
    expect(answer).toMatchObject({
      count: 5,
      base_offset: '4',
      refused: [
        { row: 2, result: 7, replayed: false, offset: '6' },
        { row: 3, result: 2, replayed: false, offset: '7' },
        { row: 4, result: 11, replayed: false },
      ],
      repeats: [{ row: 1, result: 0, replayed: true, offset: '2' }],
    });
    stream.call.write({ sequence: 3, rows: rows(row(4, { amount: 100_001n })) });
    const [, , again] = await stream.first(3);
    expect(again).toMatchObject({ refused: [{ row: 0, result: 7, replayed: true, offset: '6' }], repeats: [] });
  });

  test('takes rows that hold and rows that balance, and says what those came to', async () => {
    stream.call.write({ sequence: 1, rows: rows(row(1, { amount: 100n }), row(2, { flags: 1, amount: 40n })) });
    const back = { debitHandle: 2, creditHandle: 1, amount: 1000n };
    const balancing = rows(row(3, { ...back, flags: 8 }), row(4, { ...back, flags: 9 }), row(5, { amount: 7n }));
    stream.call.write({ sequence: 2, rows: balancing });
    stream.call.write({ sequence: 3, rows: balancing });
    const [, answer, again] = await stream.first(3);
    const hundred = Buffer.concat([Buffer.of(100), Buffer.alloc(15)]);
    expect(answer).toMatchObject({
      amounts: [{ row: 0, amount: hundred }],
      // Nothing was left for the second one.
      refused: [{ row: 1, result: 6 }],
    });
    expect(again).toMatchObject({ amounts: [{ row: 0, amount: hundred }], refused: [{ row: 1, replayed: true }] });
    expect(port.ledger.balance(2)).toMatchObject({ posted: 7n, creditsPending: 40n });
  });

  test('takes messages too, with one result an item', async () => {
    const transfers = [
      { id: 'a', debit_account: 'funds', credit_account: 'Alice', amount: '1' },
      { id: '', debit_account: 'funds', credit_account: 'Alice', amount: '1' },
      { id: 'b', debit_account: 'funds', credit_account: 'nobody', amount: '1' },
    ];
    stream.call.write({ sequence: 7, transfers });
    const [answer] = await stream.first(1);
    expect(answer).toMatchObject({
      sequence: '7',
      count: 3,
      base_offset: '2',
      error: null,
      token: port.position().token,
    });
    expect(answer!.results.map(({ result, amount_moved }) => [result!.result, result!.offset, amount_moved])).toEqual([
      ['ok', '2', '1.00'],
      ['id_invalid', '-1', ''],
      ['credit_account_not_found', '3', '0.00'],
    ]);
  });

  test('gives a batch of nothing but faults its results without the log', async () => {
    stream.call.write({ sequence: 7, transfers: [{ id: '' }] });
    const [answer] = await stream.first(1);
    expect(answer).toMatchObject({
      base_offset: '-1',
      timestamp: '0',
      results: [{ result: { result: 'id_invalid' } }],
    });
    expect(port.submitted).toEqual([]);
  });

  test.each<[string, Omit<SubmitBatchRequestOut, 'sequence'>, string, RegExp]>([
    ['no items', {}, 'ROWS_LENGTH_INVALID', /whole rows/],
    ['rows that are not whole', { rows: Buffer.alloc(65) }, 'ROWS_LENGTH_INVALID', /whole rows/],
    ['too many rows', { rows: Buffer.alloc(64 * 8191) }, 'BATCH_TOO_LARGE', /8191 items/],
    ['rows and messages', { rows: range(1, 1), transfers: [{ id: 'a' }] }, 'BATCH_AMBIGUOUS', /not both/],
    ['a row of the wrong shape', { rows: rows(row(1), row(2, { amount: 0n })) }, 'AMOUNT_MUST_NOT_BE_ZERO', /^Row 1: /],
    [
      'a row that posts, for which a row has no room',
      { rows: rows(row(1, { flags: 2 })) },
      'FLAGS_INVALID',
      /^Row 0: /,
    ],
    ['too many messages', { transfers: Array.from({ length: 8191 }, () => ({})) }, 'BATCH_TOO_LARGE', /8191 items/],
  ])('answers a batch with %s in its error, and goes on', async (_name, batch, reason, message) => {
    stream.call.write({ sequence: 1, ...batch });
    stream.call.write({ sequence: 2, rows: range(1, 1) });
    const [failed, done] = await stream.first(2);
    expect(failed).toMatchObject({ sequence: '1', base_offset: '-1', refused: [], results: [] });
    expect(failed!.error).toEqual({
      code: status.INVALID_ARGUMENT,
      reason,
      message: expect.stringMatching(message) as string,
      retry_after_ms: 0,
    });
    expect(done).toMatchObject({ sequence: '2', count: 1, error: null });
  });
});

describe('SubmitBatches, pipelined', () => {
  test('has several batches in flight, no more than its bound, and answers in their order', async () => {
    const waiting: (() => void)[] = [];
    port.beforeCommit = () => new Promise<void>((resolve) => waiting.push(resolve));
    for (let i = 0; i < 20; i++) stream.call.write({ sequence: i, rows: range(1 + 10 * i, 10) });
    stream.call.end();
    await eventually('as many batches in flight as may be', () => waiting.length >= 8);
    // The last that came is done first.
    for (let done = 0; done < 20;) {
      await eventually('a batch in flight', () => waiting.length > 0);
      expect(waiting.length).toBeLessThanOrEqual(8 + 1);
      waiting.pop()!();
      done++;
    }
    expect(await stream.ending()).toBe('OK');
    expect(stream.received.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 20 }, (_, i) => String(i)));
    expect(port.posted('Alice')).toBe('2.00');
  });

  test('gives a batch that the node refuses its error, and goes on', async () => {
    let calls = 0;
    port.beforeCommit = () => {
      if (++calls === 2) throw new NodeError('RESOURCE_EXHAUSTED', 'OVERLOADED', 'Too much is waiting.');
      if (calls === 3) throw new NodeError('UNAVAILABLE', 'OUTCOME_UNKNOWN', 'The leader is gone.');
    };
    for (let i = 1; i <= 4; i++) stream.call.write({ sequence: i, rows: range(i, 1) });
    stream.call.end();
    expect(await stream.ending()).toBe('OK');
    expect(
      stream.received.map(({ error, count, base_offset }) => [error?.code, error?.reason, count, base_offset]),
    ).toEqual([
      [undefined, undefined, 1, '2'],
      [status.RESOURCE_EXHAUSTED, 'OVERLOADED', 1, '-1'],
      [status.UNAVAILABLE, 'OUTCOME_UNKNOWN', 1, '-1'],
      [undefined, undefined, 1, '3'],
    ]);
  });

  test('carries the largest batches', async () => {
    for (let i = 0; i < 6; i++) stream.call.write({ sequence: i, rows: range(1 + 8190 * i, 8190) });
    stream.call.end();
    expect(await stream.ending()).toBe('OK');
    expect(stream.received.map(({ count, refused }) => [count, refused.length])).toEqual(Array(6).fill([8190, 0]));
    expect(port.posted('Alice')).toBe('491.40');
  });

  test('finishes what is in flight when the server stops', async () => {
    let release: (() => void) | undefined;
    port.beforeCommit = () => new Promise<void>((resolve) => (release = resolve));
    stream.call.write({ sequence: 1, rows: range(1, 1) });
    await eventually('the batch to be submitted', () => release !== undefined);
    const closed = door.grpc.close(5000);
    release!();
    expect(await stream.ending()).toMatchObject({ code: status.UNAVAILABLE, reason: 'SHUTTING_DOWN' });
    expect(stream.received).toMatchObject([{ sequence: '1', count: 1, error: null }]);
    await closed;
  });

  test('ends at bytes that are no batch, after what came before', async () => {
    const raw = openStream(ledger, {
      ...SubmitBatches,
      requestSerialize: (bytes: SubmitBatchRequestOut) => bytes.rows!,
    });
    raw.call.write({
      sequence: 0,
      rows: Buffer.from(SubmitBatches.requestSerialize({ sequence: 5, rows: range(1, 1) })),
    });
    raw.call.write({ sequence: 0, rows: Buffer.from([0xff]) });
    expect(await raw.ending()).toMatchObject({ code: status.INVALID_ARGUMENT, reason: 'MALFORMED_REQUEST' });
    expect(raw.received).toMatchObject([{ sequence: '5', count: 1 }]);
  });
});
