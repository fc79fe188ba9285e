/**
 * No message, whatever its bytes, ends the process or leaves a call without an answer.
 * A failure names its seed; to repeat it: API_SEED=… npx jest test/api/grpc/junk
 */
import { connect as connectHttp2, constants, type ClientHttp2Session, type IncomingHttpHeaders } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { type Client, status } from '@grpc/grpc-js';
import { clientDefinition } from '../../../src/proto/load';
import { call, GrpcDoor } from '../../support/doors';
import { SingleNodePort } from '../../support/single-node-port';
import { junkOf } from '../junk-bytes';

const { Produce } = clientDefinition('log.v1.Log');

let port: SingleNodePort;
let door: GrpcDoor;
let log: Client;
let session: ClientHttp2Session;

beforeEach(async () => {
  port = new SingleNodePort();
  port.createUsd({ autoOpen: true, noMinimum: true });
  door = await new GrpcDoor(port, { keepaliveMs: 300 }).listen();
  log = door.client('log.v1.Log');
  session = connectHttp2(`http://${door.address}`);
});

afterEach(async () => {
  // Whatever was sent, the next caller is served.
  const { response } = await call(log, Produce, { record: { value: Buffer.from('x') } });
  expect(Number(response.offset)).toBeGreaterThanOrEqual(0);
  session.destroy();
  await door.close();
  expect(door.unforeseen.errors).toEqual([]);
});

/** A message in its frame of HTTP/2 data (gRPC over HTTP/2, Length-Prefixed-Message). */
function framed(message: Buffer, compressed = 0): Buffer {
  const head = Buffer.alloc(5);
  head[0] = compressed;
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

interface Answer {
  readonly status: number;
  readonly message: string;
  readonly http: number;
}

/** The status of one call made of raw bytes; -1 where the stream was reset. */
function rawCall(path: string, body: Buffer, headers: Record<string, string> = {}): Promise<Answer> {
  return new Promise((resolve) => {
    const stream = session.request({
      [constants.HTTP2_HEADER_METHOD]: 'POST',
      [constants.HTTP2_HEADER_PATH]: path,
      [constants.HTTP2_HEADER_TE]: 'trailers',
      [constants.HTTP2_HEADER_CONTENT_TYPE]: 'application/grpc',
      ...headers,
    });
    let found: IncomingHttpHeaders = {};
    const keep = (received: IncomingHttpHeaders): void => {
      found = { ...found, ...received };
    };
    stream.on('response', keep);
    stream.on('trailers', keep);
    stream.on('error', () => undefined);
    stream.on('close', () =>
      resolve({
        status: Number(found['grpc-status'] ?? -1),
        message: [found['grpc-message'] ?? ''].flat().join(),
        http: Number(found[':status'] ?? 0),
      }),
    );
    stream.resume();
    stream.end(body);
  });
}

const METHODS = [
  '/log.v1.Log/Produce',
  '/log.v1.Log/Consume',
  '/log.v1.Log/ProduceStream',
  '/log.v1.Log/GetServers',
  '/ledger.v1.Ledger/CreateLedgers',
  '/ledger.v1.Ledger/OpenAccounts',
  '/ledger.v1.Ledger/CreateTransfers',
  '/ledger.v1.Ledger/GetAccount',
  '/ledger.v1.Ledger/GetBalance',
  '/ledger.v1.Ledger/GetBalances',
  '/ledger.v1.Ledger/GetTransfer',
  '/ledger.v1.Ledger/ListAccounts',
  '/ledger.v1.Ledger/SubmitBatches',
  '/cluster.v1.Cluster/Status',
  '/cluster.v1.Cluster/TransferLeadership',
  '/grpc.health.v1.Health/Check',
  '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
];

describe('messages of random bytes', () => {
  test.each(METHODS)('%s answers each of them', async (path) => {
    const junk = junkOf(path);
    const answers = await Promise.all(
      Array.from({ length: 60 }, () => rawCall(path, framed(junk.bytes(junk.below(80))))),
    );
    for (const answer of answers) expect(answer.status).not.toBe(-1);
  });

  test.each(METHODS)('%s answers frames that are no messages', async (path) => {
    const junk = junkOf(path);
    const bodies = [
      Buffer.alloc(0),
      Buffer.from([0]),
      Buffer.from([0, 0, 0, 0, 9, 1]),
      Buffer.from([9, 0, 0, 0, 0]),
      Buffer.from([0, 255, 255, 255, 255]),
      framed(Buffer.alloc(0), 1),
      framed(Buffer.from('not gzip'), 1),
      ...Array.from({ length: 10 }, () => junk.bytes(junk.below(30))),
    ];
    const answers = await Promise.all(bodies.map((body) => rawCall(path, body, { 'grpc-encoding': 'gzip' })));
    for (const answer of answers) expect(answer.status).not.toBe(-1);
  });
});

describe('a caller’s fault', () => {
  test('of encoding is INVALID_ARGUMENT and says where', async () => {
    const answer = await rawCall('/log.v1.Log/Produce', framed(Buffer.from([0x0a, 0x04, 0x0a, 0x09, 1, 2])));
    expect(answer.status).toBe(status.INVALID_ARGUMENT);
    expect(decodeURI(answer.message)).toContain('record.value is cut off');
  });

  test('of text that is not UTF-8 is INVALID_ARGUMENT', async () => {
    const account = Buffer.from([0x0a, 0x02, 0x41, 0xff]);
    const answer = await rawCall('/ledger.v1.Ledger/GetBalance', framed(account));
    expect(answer).toMatchObject({
      status: status.INVALID_ARGUMENT,
      message: expect.stringContaining('UTF-8') as string,
    });
  });

  test('in the method is UNIMPLEMENTED, whatever its name', async () => {
    for (const path of [
      '/',
      '/x',
      '/log.v1.Log/',
      '/log.v1.Log/Nope',
      '/ledger.v1.Ledger/WatchNothing',
      '/%ff/%00',
      '/é/ü',
    ]) {
      expect((await rawCall(path, framed(Buffer.alloc(0)))).status).toBe(status.UNIMPLEMENTED);
    }
  });

  test('in the content type is HTTP 415', async () => {
    const answer = await rawCall('/log.v1.Log/Produce', framed(Buffer.alloc(0)), { 'content-type': 'text/plain' });
    expect(answer.http).toBe(415);
  });

  test.each(['', '5', 'S', '-1S', '99999999H', '1e3S', '0n', '5S5S'])(
    'in the timeout %j is answered',
    async (timeout) => {
      const answer = await rawCall('/log.v1.Log/GetServers', framed(Buffer.alloc(0)), { 'grpc-timeout': timeout });
      expect(answer.status).toBeGreaterThanOrEqual(0);
    },
  );

  test('in metadata is answered', async () => {
    const headers = {
      'x-bin': '!!!not base64!!!',
      'trace-bin': 'a,b,c',
      'x!y': '\u00e9',
      'grpc-accept-encoding': '\u00ff',
    };
    const answer = await rawCall('/log.v1.Log/GetServers', framed(Buffer.alloc(0)), headers);
    expect(answer.status).toBe(status.OK);
  });

  test('of compression that grows is RESOURCE_EXHAUSTED', async () => {
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024));
    const answer = await rawCall('/log.v1.Log/Produce', framed(bomb, 1), { 'grpc-encoding': 'gzip' });
    expect(answer.status).toBe(status.RESOURCE_EXHAUSTED);
  });

  test('of two messages where there is one is answered', async () => {
    const twice = Buffer.concat([framed(Buffer.alloc(0)), framed(Buffer.alloc(0))]);
    expect((await rawCall('/log.v1.Log/GetServers', twice)).status).toBe(status.UNIMPLEMENTED);
  });
});

/** Resolves when the server has closed the connection. */
function sendRaw(bytes: Buffer): Promise<void> {
  return new Promise((resolve) => {
    const socket: Socket = connect(door.port, '127.0.0.1', () => socket.end(bytes));
    socket.on('error', () => undefined);
    socket.on('close', () => resolve());
    socket.resume();
  });
}

describe('connections that do not speak HTTP/2', () => {
  test('are closed', async () => {
    const junk = junkOf('connections');
    await Promise.all(Array.from({ length: 50 }, () => sendRaw(junk.bytes(1 + junk.below(200)))));
  });

  test('are closed in the middle of it too', async () => {
    const junk = junkOf('frames');
    const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0', 'latin1');
    await Promise.all(
      Array.from({ length: 50 }, () => sendRaw(Buffer.concat([preface, junk.bytes(1 + junk.below(200))]))),
    );
  });

  test('are cut off at any byte', async () => {
    const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0', 'latin1');
    await Promise.all(Array.from({ length: preface.length }, (_, i) => sendRaw(preface.subarray(0, i))));
  });
});
