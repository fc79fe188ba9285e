import { type Client, type ClientReadableStream, status } from '@grpc/grpc-js';
import { NodeError, type RunningBackup } from '../../../src/api/node-port';
import { type BackupChunk } from '../../../src/proto/cluster-v1';
import { clientDefinition } from '../../../src/proto/load';
import { GrpcDoor } from '../../support/doors';
import { SingleNodePort } from '../../support/single-node-port';

const { Backup } = clientDefinition('cluster.v1.Cluster');
const PIECE_BYTES = 3 * 1024 * 1024;

let port: SingleNodePort & { backup?: () => Promise<RunningBackup> };
let door: GrpcDoor;
let cluster: Client;

beforeEach(async () => {
  port = new SingleNodePort();
  door = await new GrpcDoor(port).listen();
  cluster = door.client('cluster.v1.Cluster');
});

afterEach(async () => {
  await door.close();
  expect(door.unforeseen.errors).toEqual([]);
});

function begin(): ClientReadableStream<BackupChunk> {
  const { path, requestSerialize, responseDeserialize } = Backup;
  return cluster.makeServerStreamRequest(path, requestSerialize, responseDeserialize, {});
}

async function failureOfStream(stream: ClientReadableStream<BackupChunk>): Promise<{ code: number; details: string }> {
  try {
    for await (const chunk of stream as AsyncIterable<BackupChunk>) expect(chunk.data.length).toBeGreaterThan(0);
  } catch (error) {
    return error as { code: number; details: string };
  }
  throw new Error('The stream ended without a failure.');
}

describe('Backup', () => {
  test('a node that does not offer it says so', async () => {
    expect(await failureOfStream(begin())).toMatchObject({ code: status.UNIMPLEMENTED });
  });

  test('gives all bytes in order, in messages that every client takes, and closes what it read', async () => {
    const pieces = [Buffer.alloc(PIECE_BYTES, 1), Buffer.alloc(5, 2), Buffer.alloc(PIECE_BYTES, 3)];
    let closed = 0;
    port.backup = async () => ({
      expectedBytes: 77,
      bytes: (async function* () {
        yield* pieces;
      })(),
      close: async () => void (closed += 1),
    });
    const chunks: BackupChunk[] = [];
    for await (const chunk of begin() as AsyncIterable<BackupChunk>) chunks.push(chunk);
    expect(Buffer.concat(chunks.map(({ data }) => data)).equals(Buffer.concat(pieces))).toBe(true);
    expect(Math.max(...chunks.map(({ data }) => data.length))).toBeLessThanOrEqual(1024 * 1024);
    expect(chunks.map(({ expected_bytes }) => expected_bytes).filter((bytes) => bytes !== '0')).toEqual(['77']);
    expect(closed).toBe(1);
  });

  test('is read no faster than the caller takes it, and let go when the caller leaves', async () => {
    let given = 0;
    const closed = new Promise<void>((resolve) => {
      port.backup = async () => ({
        expectedBytes: 0,
        bytes: (async function* () {
          for (; given < 1_000; given += 1) yield Buffer.alloc(PIECE_BYTES, 1);
        })(),
        close: async () => resolve(),
      });
    });
    const stream = begin();
    stream.on('error', (error: { code?: number }) => expect(error.code).toBe(status.CANCELLED));
    await new Promise((resolve) => stream.once('readable', resolve));
    stream.cancel();
    await closed;
    expect(given).toBeLessThan(1_000);
  });

  test('a refusal, at its beginning or in its middle, is the call’s', async () => {
    port.backup = () => Promise.reject(new NodeError('RESOURCE_EXHAUSTED', 'BACKUP_UNDER_WAY', 'one at a time'));
    expect(await failureOfStream(begin())).toMatchObject({ code: status.RESOURCE_EXHAUSTED, details: 'one at a time' });
    port.backup = async () => ({
      expectedBytes: 0,
      bytes: (async function* () {
        yield Buffer.alloc(10, 1);
        throw new NodeError('UNAVAILABLE', 'NOT_READY', 'begin again');
      })(),
      close: async () => undefined,
    });
    expect(await failureOfStream(begin())).toMatchObject({ code: status.UNAVAILABLE, details: 'begin again' });
  });
});
