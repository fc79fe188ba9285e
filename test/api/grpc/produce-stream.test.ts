import { status, type Client } from '@grpc/grpc-js';
import { NodeError } from '../../../src/api/node-port';
import { clientDefinition } from '../../../src/proto/load';
import { GrpcDoor } from '../../support/doors';
import { SingleNodePort } from '../../support/single-node-port';
import { eventually, openStream, type StreamUnderTest } from './streams';
import { type ProduceRequestOut, type ProduceResponse } from '../../../src/proto/log-v1';

const { ProduceStream } = clientDefinition('log.v1.Log');
const value = (text: string): ProduceRequestOut => ({ record: { value: Buffer.from(text) } });

let port: SingleNodePort;
let door: GrpcDoor;
let log: Client;
let stream: StreamUnderTest<ProduceRequestOut, ProduceResponse>;

beforeEach(async () => {
  port = new SingleNodePort();
  door = await new GrpcDoor(port).listen();
  log = door.client('log.v1.Log');
  stream = openStream(log, ProduceStream);
});

afterEach(async () => {
  await door.close();
  expect(door.unforeseen.errors).toEqual([]);
});

/** Lets one chunk through at each call, from now on. */
function holdUp(): { release: () => void; waiting: () => boolean } {
  let next: (() => void) | undefined;
  port.beforeCommit = () => new Promise<void>((resolve) => (next = resolve));
  return {
    release: () => {
      const go = next;
      next = undefined;
      go?.();
    },
    waiting: () => next !== undefined,
  };
}

const offsets = (answers: readonly ProduceResponse[]): string[] => answers.map((answer) => answer.offset);

describe('ProduceStream', () => {
  test('answers every value in order and ends when the caller does', async () => {
    for (let i = 0; i < 500; i++) stream.call.write(value(`value ${i}`));
    stream.call.end();
    expect(await stream.ending()).toBe('OK');
    expect(offsets(stream.received)).toEqual(Array.from({ length: 500 }, (_, i) => String(i)));
    const { records } = await port.readRecords(0, 1e9, 1);
    expect(records.map((record) => record.value.toString())).toEqual(
      Array.from({ length: 500 }, (_, i) => `value ${i}`),
    );
  });

  test('has one chunk under way at a time, so that the values stay in order', async () => {
    let underWay = 0;
    let most = 0;
    port.beforeCommit = async () => {
      most = Math.max(most, ++underWay);
      await new Promise((resolve) => setImmediate(resolve));
      underWay--;
    };
    for (let i = 0; i < 100; i++) stream.call.write(value(`value ${i}`));
    stream.call.end();
    expect(await stream.ending()).toBe('OK');
    expect(most).toBe(1);
    expect(stream.received).toHaveLength(100);
  });

  test('ends at the first value that is at fault, naming how far it got', async () => {
    stream.call.write(value('a'));
    stream.call.write(value('b'));
    stream.call.write({ record: { value: Buffer.from('c'), type: 1 } });
    stream.call.write(value('d'));
    expect(await stream.ending()).toMatchObject({
      code: status.INVALID_ARGUMENT,
      reason: 'RECORD_TYPE_RESERVED',
      field: 'record.type',
      message: expect.stringContaining('the first 2 of this stream are committed, the last at offset 1') as string,
      details: { committed: '2', last_offset: '1' },
    });
    expect(offsets(stream.received)).toEqual(['0', '1']);
    expect((await port.readRecords(0, 1e9, 1)).nextOffset).toBe(2);
  });

  test('ends at the first chunk that is refused, and nothing behind it is in the log', async () => {
    stream.call.write(value('a'));
    await stream.first(1);
    port.beforeCommit = () => {
      throw new NodeError('UNAVAILABLE', 'OUTCOME_UNKNOWN', 'The leader is gone.');
    };
    for (let i = 0; i < 20; i++) stream.call.write(value(`lost ${i}`));
    expect(await stream.ending()).toMatchObject({
      code: status.UNAVAILABLE,
      reason: 'OUTCOME_UNKNOWN',
      message: expect.stringContaining('whether those sent next are is not known') as string,
      details: { committed: '1', last_offset: '0' },
    });
    port.beforeCommit = () => undefined;
    expect((await port.readRecords(0, 1e9, 1)).nextOffset).toBe(1);
    expect(port.submitted).toHaveLength(2);
  });

  test('says that nothing was committed where that is so', async () => {
    stream.call.write({ record: { value: Buffer.from('c'), type: 9 } });
    expect(await stream.ending()).toMatchObject({ details: { committed: '0', last_offset: '-1' } });
  });

  test('commits nothing more for a caller that went away', async () => {
    const gate = holdUp();
    stream.call.write(value('a'));
    await eventually('the first chunk to be submitted', gate.waiting);
    stream.call.write(value('b'));
    stream.call.cancel();
    expect(await stream.ending()).toMatchObject({ code: status.CANCELLED });
    port.beforeCommit = () => undefined;
    gate.release();
    await door.grpc.close(5000);
    expect(port.submitted).toHaveLength(1);
  });

  test('answers what is under way when the server stops, and says so', async () => {
    const gate = holdUp();
    stream.call.write(value('a'));
    await eventually('the first chunk to be submitted', gate.waiting);
    const closed = door.grpc.close(5000);
    port.beforeCommit = () => undefined;
    gate.release();
    expect(await stream.ending()).toMatchObject({
      code: status.UNAVAILABLE,
      reason: 'SHUTTING_DOWN',
      details: { committed: '1', last_offset: '0' },
    });
    expect(offsets(stream.received)).toEqual(['0']);
    await closed;
  });

  test('carries many megabytes within its bounds', async () => {
    const large = Buffer.alloc(256 * 1024, 1);
    for (let i = 0; i < 40; i++) stream.call.write({ record: { value: large } });
    stream.call.end();
    expect(await stream.ending()).toBe('OK');
    expect(stream.received).toHaveLength(40);
    for (const { chunk } of port.submitted) expect(chunk.length).toBeLessThanOrEqual(1024 * 1024 + 64);
  });
});
