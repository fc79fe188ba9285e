/** WatchBalances, and ConsumeStream with a filter. */
import { status, type Client } from '@grpc/grpc-js';
import { clientDefinition } from '../../../src/proto/load';
import { ConsistencyLevel, type WatchBalancesResponse } from '../../../src/proto/ledger-v1';
import { type ConsumeResponse, type RecordFilter } from '../../../src/proto/log-v1';
import { decodeLogRecord } from '../../../src/ledger/record-value';
import { encodeValues, RecordType } from '../../../src/log/chunk';
import { call, failureOf, GrpcDoor } from '../../support/doors';
import { SingleNodePort } from '../../support/single-node-port';
import { eventually, follow, type StreamUnderTest } from './streams';

const LEDGER = clientDefinition('ledger.v1.Ledger');
const LOG = clientDefinition('log.v1.Log');

let port: SingleNodePort;
let door: GrpcDoor;
let ledger: Client;
let log: Client;

beforeEach(async () => {
  port = new SingleNodePort();
  port.createUsd({ autoOpen: true, noMinimum: true });
  door = await new GrpcDoor(port, { limits: { followers: 3 } }).listen();
  ledger = door.client('ledger.v1.Ledger');
  log = door.client('log.v1.Log');
});

afterEach(async () => {
  await door.close();
  expect(door.unforeseen.errors).toEqual([]);
});

async function pay(debit: string, credit: string, amount: string, id: string): Promise<void> {
  const transfer = { id, debit_account: debit, credit_account: credit, amount, ledger: 'USD' };
  await call(ledger, LEDGER.CreateTransfers, { transfers: [transfer] });
}

async function produce(value: string): Promise<void> {
  const chunk = encodeValues(RecordType.Value, [Buffer.from(value)]);
  await port.submit({ type: 0, kind: 'records', chunk, count: 1, subject: '' }, 1000);
}

const shown = (answers: readonly WatchBalancesResponse[]): string[][] =>
  answers.map(({ balances }) => balances.map(({ account, posted }) => `${account} ${posted}`));

describe('WatchBalances', () => {
  test('gives the balances now, and after a change those that are different', async () => {
    await pay('Alice', 'Bob', '1', 'a');
    const stream = follow(ledger, LEDGER.WatchBalances, { accounts: ['Alice', 'Bob', 'Carol'] });
    const [first] = await stream.first(1);
    expect(shown([first!])).toEqual([['Alice -1.00', 'Bob 1.00', 'Carol ']]);
    expect(first!.position).toEqual({ offset: '0', token: port.position().token });
    await pay('Bob', 'Carol', '0.25', 'b');
    const [, second] = await stream.first(2);
    expect(shown([second!])).toEqual([['Bob 0.75', 'Carol 0.25']]);
    expect(second!.position).toEqual({ offset: '1', token: port.position().token });
    stream.call.cancel();
  });

  test('says nothing of what does not concern it, and waits without looking again and again', async () => {
    await pay('Alice', 'Bob', '1', 'a');
    const stream = follow(ledger, LEDGER.WatchBalances, { accounts: ['Alice'] });
    await stream.first(1);
    await pay('Bob', 'Carol', '0.25', 'b');
    await eventually('the watch to wait', () => port.waiters === 1);
    await pay('Alice', 'Carol', '0.5', 'c');
    expect(shown(await stream.first(2))).toEqual([['Alice -1.00'], ['Alice -1.50']]);
    stream.call.cancel();
    await eventually('nobody to wait', () => port.waiters === 0);
  });

  test('a limit that changes what is available is a change', async () => {
    await call(ledger, LEDGER.OpenAccounts, { accounts: [{ name: 'Dora', ledger: 'USD', min_balance: '-5' }] });
    const stream = follow(ledger, LEDGER.WatchBalances, { accounts: ['Dora'] });
    await stream.first(1);
    await call(ledger, LEDGER.UpdateAccounts, { accounts: [{ account: 'Dora', min_change: 2, min_balance: '-7' }] });
    const answers = await stream.first(2);
    expect(answers.map(({ balances }) => balances[0]!.available)).toEqual(['5.00', '7.00']);
    stream.call.cancel();
  });

  test('a reader that takes nothing skips changes and then gets the newest state: nothing is queued for it', async () => {
    const names = Array.from({ length: 200 }, (_, i) => `account-${i}-${'x'.repeat(110)}`);
    const transfers = names.map((name, i) => ({
      ...{ id: `open-${i}`, debit_account: 'bank', credit_account: name, amount: '1', ledger: 'USD' },
    }));
    await call(ledger, LEDGER.CreateTransfers, { transfers });
    const position = jest.spyOn(port, 'position');
    const stream = follow(ledger, LEDGER.WatchBalances, { accounts: names });
    await stream.first(1);
    stream.call.pause();
    const rounds = 40;
    for (let round = 0; round < rounds; round++) {
      const looks = position.mock.calls.length;
      const more = transfers.map((transfer, i) => ({ ...transfer, id: `more-${round}-${i}` }));
      await call(ledger, LEDGER.CreateTransfers, { transfers: more });
      // Until the watch has looked at this round, or has stopped looking for good, since nobody takes what it has.
      for (let i = 0; i < 10 && position.mock.calls.length < looks + 2; i++) await tick();
    }
    stream.call.resume();
    const newest = `${rounds + 1}.00`;
    await eventually('the newest state to come', () => {
      const last = stream.received.at(-1)!.balances;
      return last.length > 0 && last.every(({ posted }) => posted === newest);
    });
    // Each answer has some 40 KB: all of them would not have fitted between the two.
    expect(stream.received.length).toBeLessThan(rounds);
    stream.call.cancel();
  });

  test('goes on from a token, and refuses where this node is behind it', async () => {
    await pay('Alice', 'Bob', '1', 'a');
    const { token } = port.position();
    const at = (text: string) => ({ level: ConsistencyLevel.AT_LEAST, token: text });
    const stream = follow(ledger, LEDGER.WatchBalances, { accounts: ['Bob'], consistency: at(token) });
    expect(shown(await stream.first(1))).toEqual([['Bob 1.00']]);
    stream.call.cancel();
    const behind = follow(ledger, LEDGER.WatchBalances, { accounts: ['Bob'], consistency: at('t999') });
    expect(await behind.ending()).toMatchObject({ code: status.UNAVAILABLE, reason: 'STALE_READ' });
  });

  test.each([
    [[], 'ACCOUNTS_REQUIRED'],
    [[' '], 'ACCOUNT_NAME_INVALID'],
    [Array.from({ length: 1001 }, (_, i) => `a${i}`), 'PAGE_TOO_LARGE'],
  ])('refuses what cannot be watched (%#)', async (accounts, reason) => {
    const stream = follow(ledger, LEDGER.WatchBalances, { accounts });
    expect(await stream.ending()).toMatchObject({ code: status.INVALID_ARGUMENT, reason, field: 'accounts' });
  });

  test('no more streams than there may be; one that ends makes room', async () => {
    const streams = [0, 1, 2].map(() => follow(ledger, LEDGER.WatchBalances, { accounts: ['Bob'] }));
    await Promise.all(streams.map((stream) => stream.first(1)));
    const more = follow(log, LOG.ConsumeStream, { offset: 0 });
    expect(await more.ending()).toMatchObject({ code: status.RESOURCE_EXHAUSTED, reason: 'TOO_MANY_STREAMS' });
    streams[0]!.call.cancel();
    await eventually('one to wait no more', () => port.waiters === 2);
    const fits = follow(ledger, LEDGER.WatchBalances, { accounts: ['Bob'] });
    expect(await fits.first(1)).toHaveLength(1);
    for (const stream of [...streams, fits]) stream.call.cancel();
  });

  test('ends when the server stops, with what tells a reader to go elsewhere', async () => {
    const stream = follow(ledger, LEDGER.WatchBalances, { accounts: ['Bob'] });
    await stream.first(1);
    await door.grpc.close(5000);
    expect(await stream.ending()).toMatchObject({ code: status.UNAVAILABLE, reason: 'SHUTTING_DOWN' });
  });
});

describe('ConsumeStream with a filter', () => {
  const filtered = (filter: Partial<RecordFilter>, offset = 0): StreamUnderTest<unknown, ConsumeResponse> =>
    follow(log, LOG.ConsumeStream, { offset, filter }) as StreamUnderTest<unknown, ConsumeResponse>;

  async function offsetsOf(filter: Partial<RecordFilter>): Promise<number[]> {
    const stream = filtered(filter);
    const end = String(port.position().offset + 1);
    await eventually('the end of the log', () => stream.received.at(-1)?.next_offset === end);
    stream.call.cancel();
    return stream.received.flatMap(({ record }) => (record ? [Number(record.offset)] : []));
  }

  beforeEach(async () => {
    await call(ledger, LEDGER.CreateLedgers, { ledgers: [{ code: 'JPY', scale: 0 }] });
    await call(ledger, LEDGER.OpenAccounts, { accounts: [{ name: 'Kenji', ledger: 'JPY' }] });
    await pay('Alice', 'Bob', '1', 'a');
    await produce('a value');
    await pay('Bob', 'Carol', '0.25', 'b');
    await pay('Kenji', 'Carol', '1', 'c');
    await call(ledger, LEDGER.UpdateAccounts, { accounts: [{ account: 'Carol', closed: true }] });
    await pay('Alice', 'Carol', '1', 'd');
    await pay('Nobody', 'Kenji', '1', 'e');
  });

  // 0 JPY, 1 Kenji, 2 Alice to Bob, 3 a value, 4 Bob to Carol, 5 Kenji to Carol: another ledger, 6 Carol closes,
  // 7 Alice to Carol: closed, 8 Nobody to Kenji: another ledger.
  test.each<[Partial<RecordFilter>, number[]]>([
    [{}, [0, 1, 2, 3, 4, 5, 6, 7, 8]],
    [{ types: [0] }, [3]],
    [{ types: [1] }, [0, 1, 2, 4, 5, 6, 7, 8]],
    [{ types: [0, 1] }, [0, 1, 2, 3, 4, 5, 6, 7, 8]],
    [{ commands: ['open_account', 'update_account'] }, [1, 6]],
    [{ accounts: ['Bob'] }, [2, 4]],
    [{ accounts: [' Carol '] }, [4, 5, 6, 7]],
    [{ accounts: ['Nobody'] }, [8]],
    [{ accounts: ['not here'] }, []],
    [{ handles: ['1'] }, [1, 5, 8]],
    [{ accounts: ['Carol'], results: ['ok'] }, [4, 6]],
    [{ results: ['credit_account_closed'] }, [7]],
    [{ ledgers: ['USD'], commands: ['transfer'], results: ['ok'] }, [2, 4]],
    [{ ledgers: ['JPY'], commands: ['open_account'] }, [1]],
  ])('%j', async (filter, offsets) => {
    expect(await offsetsOf(filter)).toEqual(offsets);
  });

  test('follows an account that is opened while it waits', async () => {
    const stream = filtered({ accounts: ['Newcomer'] });
    await stream.first(1);
    await pay('Alice', 'Newcomer', '3', 'f');
    await eventually('a record', () => stream.received.some(({ record }) => record !== null));
    const { record, next_offset } = stream.received.at(-1)!;
    expect([record!.offset, next_offset]).toEqual(['9', '10']);
    expect(decodeLogRecord(record!.value)?.outcome).toMatchObject({ amountMoved: 300n, openedCredit: true });
    stream.call.cancel();
  });

  test('says how far it is where nothing fits, so that its reader need not begin again', async () => {
    const stream = filtered({ accounts: ['not here'] });
    expect(await stream.first(1)).toEqual([{ record: null, next_offset: '9' }]);
    await produce('more');
    await eventually('word of it', () => stream.received.at(-1)?.next_offset === '10');
    stream.call.cancel();
  });

  test('what has no filter is as it always was: records alone', async () => {
    const stream = follow(log, LOG.ConsumeStream, { offset: 3 });
    expect((await stream.first(1))[0]).toMatchObject({ next_offset: '0', record: { offset: '3' } });
    stream.call.cancel();
  });

  test.each<[Partial<RecordFilter>, string, string]>([
    [{ types: [2] }, 'FILTER_INVALID', 'filter.types'],
    [{ commands: ['steal'] }, 'FILTER_INVALID', 'filter.commands'],
    [{ ledgers: ['no ledger'] }, 'FILTER_INVALID', 'filter.ledgers'],
    [{ results: ['fine'] }, 'FILTER_INVALID', 'filter.results'],
    [{ handles: ['0'] }, 'FILTER_INVALID', 'filter.handles'],
    [{ accounts: [''] }, 'ACCOUNT_NAME_INVALID', 'filter.accounts'],
    [{ accounts: Array.from({ length: 1001 }, () => 'a') }, 'FILTER_TOO_LARGE', 'filter'],
  ])('refuses what no record can be (%#)', async (filter, reason, field) => {
    expect(await filtered(filter).ending()).toMatchObject({ code: status.INVALID_ARGUMENT, reason, field });
  });

  test('is not for Consume', async () => {
    const failed = failureOf(call(log, LOG.Consume, { offset: 0, filter: { types: [0] } }));
    expect(await failed).toMatchObject({ code: status.INVALID_ARGUMENT, reason: 'FILTER_NOT_TAKEN' });
  });
});

function tick(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 5));
}
