import { decodeLedgerRecord, LedgerClient, type RecordView } from '../../src/client';
import { NodeError } from '../../src/api/node-port';
import { ClusterOfDoors, eventually, noLeader } from './cluster-of-doors';

let cluster: ClusterOfDoors;
let client: LedgerClient;

beforeEach(async () => {
  cluster = await ClusterOfDoors.start(3);
  client = await LedgerClient.connect({ addresses: cluster.addresses, refreshIntervalMs: 50 });
});

afterEach(async () => {
  await client.close();
  await cluster.close();
  expect(cluster.unforeseen).toEqual([]);
});

async function take(stream: AsyncIterable<RecordView>, count: number): Promise<RecordView[]> {
  const records: RecordView[] = [];
  for await (const record of stream) {
    records.push(record);
    if (records.length === count) break;
  }
  return records;
}

describe('produce', () => {
  test('answers the offset, and consume gives the value back', async () => {
    expect(await client.produce('hello')).toBe(0);
    expect(await client.produce(Buffer.from([0, 255]))).toBe(1);
    const record = await client.consume(0);
    expect(record).toMatchObject({ offset: 0, term: 1, type: 0 });
    expect(record.value.toString()).toBe('hello');
    expect(await client.logRange()).toEqual({ firstOffset: 0, nextOffset: 2 });
  });

  test('is not sent again where it is not known whether it was done', async () => {
    cluster.door(0).beforeAnswer = () => cluster.door(0).die();
    await expect(client.produce('once')).rejects.toMatchObject({ reason: 'OUTCOME_UNKNOWN', outcomeUnknown: true });
    expect(cluster.doors.map((door) => door.writes)).toEqual([1, 0, 0]);
  });

  test('is sent again where that was asked for: at least once', async () => {
    cluster.door(0).beforeAnswer = () => {
      cluster.leader = 'node-2';
      return cluster.door(0).die();
    };
    expect(await client.produce('twice', { atLeastOnce: true })).toBe(1);
    expect((await client.consume(0)).value.toString()).toBe('twice');
  });

  test('is sent again where it is known that nothing was done', async () => {
    let refusals = 0;
    cluster.door(0).beforeWrite = () => {
      if (++refusals < 3) throw noLeader();
    };
    expect(await client.produce('late')).toBe(0);
  });

  test('goes to another server where the leader is gone before anything was sent', async () => {
    await cluster.door(0).die();
    cluster.leader = 'node-2';
    // Until the loss of a connection is heard of, what is written to it may be on its way.
    await client.status({ timeoutMs: 500 });
    expect(await client.produce('x')).toBe(0);
  });
});

describe('produceStream', () => {
  test('yields an offset for each value, in order', async () => {
    const offsets: number[] = [];
    const values = Array.from({ length: 20_000 }, (_, i) => `v${i}`);
    for await (const offset of client.produceStream(values)) offsets.push(offset);
    expect(offsets).toEqual(values.map((_, i) => i));
    expect((await client.consume(19_999)).value.toString()).toBe('v19999');
  });

  test('ends at the first failure and says how far it got', async () => {
    const offsets: number[] = [];
    const run = async (): Promise<void> => {
      async function* values(): AsyncGenerator<string> {
        yield 'a';
        await eventually('the first answer', () => offsets.length === 1);
        cluster.door(0).beforeWrite = () => {
          throw new NodeError('UNAVAILABLE', 'NO_LEADER', 'No leader is known.');
        };
        yield 'b';
      }
      for await (const offset of client.produceStream(values())) offsets.push(offset);
    };
    await expect(run()).rejects.toMatchObject({ code: 'UNAVAILABLE', details: { acknowledged: '1' } });
    expect(offsets).toEqual([0]);
  });

  test('fails with what the source of the values throws', async () => {
    function* values(): Generator<string> {
      yield 'a';
      throw new Error('the file ended early');
    }
    const run = async (): Promise<void> => {
      for await (const offset of client.produceStream(values())) expect(offset).toBe(0);
    };
    await expect(run()).rejects.toThrow('the file ended early');
  });
});

describe('consume', () => {
  test('rejects beyond the end, and below what is kept with the first offset', async () => {
    await client.produce('a');
    await client.produce('b');
    await expect(client.consume(2)).rejects.toMatchObject({ code: 'OUT_OF_RANGE', reason: 'OFFSET_BEYOND_END' });
    cluster.shared.firstOffset = 1;
    await expect(client.consume(0)).rejects.toMatchObject({ code: 'OUT_OF_RANGE', details: { first_offset: '1' } });
    await expect(client.consume(-1)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});

describe('consumeStream', () => {
  test('waits at the end for what comes', async () => {
    await client.produce('a');
    const records = take(client.consumeStream(0), 3);
    await eventually('the stream to wait', () => cluster.shared.waiters > 0);
    await client.produce('b');
    await client.produce('c');
    expect((await records).map((record) => record.value.toString())).toEqual(['a', 'b', 'c']);
  });

  test('goes on elsewhere, without a gap and without a repeat, when its server dies again and again', async () => {
    const count = 300;
    const records = take(client.consumeStream(0), count);
    for (let i = 0; i < count; i++) {
      await client.produce(`v${i}`);
      if (i % 60 === 30) {
        const door = cluster.door(1 + (i % 120 === 30 ? 0 : 1));
        await door.die();
        await door.listen();
      }
    }
    expect((await records).map((record) => record.value.toString())).toEqual(
      Array.from({ length: count }, (_, i) => `v${i}`),
    );
  });

  test('ends when it is aborted and when the client is closed', async () => {
    const abort = new AbortController();
    const aborted = take(client.consumeStream(0, { signal: abort.signal }), 1);
    const closed = take(client.consumeStream(0), 1);
    await eventually('both to wait', () => cluster.shared.waiters === 2);
    abort.abort();
    expect(await aborted).toEqual([]);
    await client.close();
    expect(await closed).toEqual([]);
  });

  test('fails where the log no longer holds the offset, and where nobody serves it for too long', async () => {
    await client.produce('a');
    await client.produce('b');
    cluster.shared.firstOffset = 1;
    await expect(take(client.consumeStream(0), 1)).rejects.toMatchObject({ code: 'OUT_OF_RANGE' });
    await Promise.all(cluster.doors.map((door) => door.die()));
    await expect(take(client.consumeStream(1, { timeoutMs: 100 }), 1)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  test('has the records of the ledger, with command and outcome', async () => {
    const transfer = { debitAccount: 'A', creditAccount: 'B', amount: '0.5', ledger: 'USD', id: 'x' };
    await client.transfer(transfer);
    const [record] = await take(client.consumeStream(0), 1);
    expect(record!.type).toBe(1);
    expect(decodeLedgerRecord(record!.value)).toMatchObject({
      command: 'transfer',
      fields: { text_id: 'x', debit_account: 'A', credit_account: 'B', amount: '0.5' },
      outcome: { result: 'ok', amount_moved: '0.50', ledger: 'USD', opened_debit: true, credit_handle: '2' },
    });
  });
});
