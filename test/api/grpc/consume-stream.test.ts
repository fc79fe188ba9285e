import { status, type Client } from '@grpc/grpc-js';
import { NodeError } from '../../../src/api/node-port';
import { encodeValues, RecordType } from '../../../src/log/chunk';
import { clientDefinition } from '../../../src/proto/load';
import { type ConsumeResponse } from '../../../src/proto/log-v1';
import { GrpcDoor } from '../../support/doors';
import { SingleNodePort } from '../../support/single-node-port';
import { eventually, follow } from './streams';

const { ConsumeStream } = clientDefinition('log.v1.Log');

let port: SingleNodePort;
let door: GrpcDoor;
let log: Client;

beforeEach(async () => {
  port = new SingleNodePort();
  door = await new GrpcDoor(port).listen();
  log = door.client('log.v1.Log');
});

afterEach(async () => {
  await door.close();
  expect(door.unforeseen.errors).toEqual([]);
});

async function produce(...values: (string | Buffer)[]): Promise<void> {
  const chunk = encodeValues(
    RecordType.Value,
    values.map((value) => Buffer.from(value)),
  );
  await port.submit({ type: 0, kind: 'records', chunk, count: values.length, subject: '' }, 1000);
}

const texts = (answers: readonly ConsumeResponse[]): string[] =>
  answers.map(({ record }) => `${record!.offset} ${record!.value.toString()}`);

describe('ConsumeStream', () => {
  test('gives what there is, waits at the end, and gives what comes', async () => {
    await produce('a', 'b');
    const stream = follow(log, ConsumeStream, { offset: 0 });
    expect(texts(await stream.first(2))).toEqual(['0 a', '1 b']);
    await eventually('the stream to wait', () => port.waiters === 1);
    await produce('c');
    await produce('d');
    expect(texts(await stream.first(4))).toEqual(['0 a', '1 b', '2 c', '3 d']);
    stream.call.cancel();
  });

  test('waits without asking again and again', async () => {
    const read = port.readRecords.bind(port);
    let reads = 0;
    port.readRecords = (from, maxBytes, deadlineMs) => {
      reads++;
      return read(from, maxBytes, deadlineMs);
    };
    const stream = follow(log, ConsumeStream, { offset: 0 });
    await eventually('the stream to wait', () => port.waiters === 1);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(reads).toBe(1);
    stream.call.cancel();
  });

  test('waits where it starts beyond the end', async () => {
    const stream = follow(log, ConsumeStream, { offset: 2 });
    await eventually('the stream to wait', () => port.waiters === 1);
    await produce('a');
    await produce('b', 'c');
    expect(texts(await stream.first(1))).toEqual(['2 c']);
    stream.call.cancel();
  });

  test('lets go of the node when its reader leaves', async () => {
    const streams = Array.from({ length: 20 }, () => follow(log, ConsumeStream, { offset: 0 }));
    await eventually('all to wait', () => port.waiters === 20);
    for (const stream of streams) stream.call.cancel();
    await eventually('nobody to wait', () => port.waiters === 0);
  });

  test('refuses to start below what is retained, naming the first offset', async () => {
    await produce('a', 'b');
    port.firstOffset = 1;
    const stream = follow(log, ConsumeStream, { offset: 0 });
    expect(await stream.ending()).toMatchObject({
      code: status.OUT_OF_RANGE,
      reason: 'OFFSET_NOT_RETAINED',
      details: { first_offset: '1', next_offset: '2' },
    });
  });

  test('ends with the node’s words where it cannot read', async () => {
    port.readRecords = () => Promise.reject(new NodeError('UNAVAILABLE', 'NO_PEER', 'No peer has the range.'));
    const stream = follow(log, ConsumeStream, { offset: 0 });
    expect(await stream.ending()).toMatchObject({ code: status.UNAVAILABLE, reason: 'NO_PEER' });
  });

  test('reads no further ahead than its reader takes', async () => {
    const value = Buffer.alloc(512 * 1024, 1);
    for (let i = 0; i < 100; i++) await produce(value);
    let served = 0;
    const read = port.readRecords.bind(port);
    port.readRecords = async (from, maxBytes, deadlineMs) => {
      const page = await read(from, maxBytes, deadlineMs);
      served += page.records.length;
      return page;
    };
    const stream = follow(log, ConsumeStream, { offset: 0 });
    stream.call.pause();
    let before = -1;
    await eventually('the server to stop reading', () => {
      const still = served === before && served > 0;
      before = served;
      return still;
    });
    // 50 MiB are there; the reader's window and the buffers between hold a part of that.
    expect(served).toBeLessThan(100);
    stream.call.resume();
    expect(await stream.first(100)).toHaveLength(100);
    stream.call.cancel();
  });

  test('ends when the server stops, with what tells a reader to go elsewhere', async () => {
    await produce('a');
    const stream = follow(log, ConsumeStream, { offset: 0 });
    await stream.first(1);
    await eventually('the stream to wait', () => port.waiters === 1);
    await door.grpc.close(5000);
    expect(await stream.ending()).toMatchObject({ code: status.UNAVAILABLE, reason: 'SHUTTING_DOWN' });
    expect(port.waiters).toBe(0);
  });
});
