import { createSocket } from 'node:dgram';
import { connect as connectHttp2, constants, type ClientHttp2Session } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { SeededRandom } from '../support/seeded-random';
import { attackedNode } from './dev-node';

const SEED = Number(process.env['BYTES_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const random = new SeededRandom(SEED);
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const SETTINGS = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);
const PEER = Buffer.from([0x01]);

const attacked = attackedNode();
const open: Socket[] = [];

beforeAll(() => process.stderr.write(`to repeat: BYTES_SEED=${SEED} npx jest test/integration/bad-input-bytes\n`));
afterAll(() => {
  for (const socket of open) socket.destroy();
});

/** Sends bytes and waits until the other side has ended the connection, or has been silent for a while. */
function throwAt(port: number, bytes: Buffer, silenceMs = 200): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    socket.setTimeout(silenceMs, () => socket.destroy());
    socket.on('data', () => undefined);
    socket.on('error', () => undefined);
    socket.on('close', () => resolve());
  });
}

/** A connection that stays as it is until the end of the file. */
async function keepOpen(port: number, bytes?: Buffer): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  open.push(socket);
  socket.on('error', () => undefined);
  await new Promise((connected) => socket.once('connect', connected));
  if (bytes) socket.write(bytes);
  return socket;
}

/** A frame of HTTP/2 (RFC 9113, section 4.1). */
function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

const some = (longest: number): Buffer => random.bytes(1 + random.below(longest));
const times = (count: number, make: (at: number) => Buffer): Buffer[] =>
  Array.from({ length: count }, (_, at) => make(at));

describe('bytes that are no request', () => {
  test('on the RPC port, whatever they begin with', async () => {
    const junk = [
      ...times(20, () => some(2_000)),
      ...times(20, () => Buffer.concat([PEER, some(2_000)])),
      ...times(10, () => Buffer.concat([PREFACE, some(500)])),
      ...times(10, () => Buffer.concat([PREFACE, SETTINGS, some(500)])),
      ...times(10, (at) =>
        Buffer.concat([PREFACE, SETTINGS, frame(at, random.below(256), random.below(9), some(300))]),
      ),
      Buffer.concat([PREFACE, SETTINGS, frame(0x01, 0x05, 1, Buffer.alloc(16_000, 0x3f))]),
      Buffer.concat([PEER, Buffer.from([0xff, 0xff, 0xff, 0xff]), Buffer.alloc(1_000, 0xff)]),
      Buffer.concat([PEER, Buffer.alloc(5_000)]),
      Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'),
      Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03]),
      Buffer.alloc(1 << 20, 0x01),
    ];
    await Promise.all(junk.map((bytes) => throwAt(attacked.node.rpcPort, bytes)));
  });

  test('on the HTTP port', async () => {
    const junk = [
      ...times(20, () => some(2_000)),
      Buffer.from('POST /api/v1/transfers HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n{}'),
      Buffer.from(
        'POST /api/v1/transfers HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999\r\n\r\n{}',
      ),
      Buffer.from('POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n'),
      Buffer.from('POST / HTTP/1.1\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\nHost: a\r\n\r\n{}'),
      Buffer.from(`GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(100_000)}\r\n\r\n`),
      Buffer.from(`GET /${'x'.repeat(100_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`),
      Buffer.from('GET / HTTP/9.9\r\n\r\n'),
      PREFACE,
    ];
    await Promise.all(junk.map((bytes) => throwAt(attacked.node.httpPort, bytes)));
  });

  test('on the gossip port', async () => {
    const socket = createSocket('udp4');
    const send = (bytes: Buffer): Promise<void> =>
      new Promise((sent) => socket.send(bytes, attacked.node.gossipPort, '127.0.0.1', () => sent()));
    const text = [
      '',
      '{}',
      'null',
      '[]',
      '{"method":"ping","data":null}',
      '{"method":"ping-req","data":{"destination":7}}',
    ];
    for (const one of text) await send(Buffer.from(one));
    for (let at = 0; at < 500; at += 1) await send(some(1_400));
    await send(Buffer.alloc(60_000, 0x7b));
    socket.close();
  });
});

describe('callers who do not do their part', () => {
  test('connections on which nothing, or half of something, ever comes', async () => {
    const { rpcPort, httpPort } = attacked.node;
    for (let at = 0; at < 20; at += 1) {
      await keepOpen(rpcPort);
      await keepOpen(rpcPort, PEER);
      await keepOpen(rpcPort, PREFACE.subarray(0, 10));
      (await keepOpen(rpcPort, PREFACE)).end();
      (await keepOpen(httpPort, Buffer.from('GET / HTTP'))).end();
      await keepOpen(rpcPort, Buffer.concat([PREFACE, SETTINGS]));
      await keepOpen(httpPort);
      await keepOpen(httpPort, Buffer.from('POST /api/v1/transfers HTTP/1.1\r\nHost: localhost\r\nContent-Len'));
      await keepOpen(
        httpPort,
        Buffer.from('POST /api/v1/transfers HTTP/1.1\r\nHost: localhost\r\nContent-Length: 500\r\n\r\n{"from"'),
      );
    }
  });

  test('one that sends a byte at a time is answered like any other', async () => {
    const body = '{"from":"Alice","to":"Bob","amount":"-1","request_id":"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"}';
    const head = `POST /api/v1/transfers HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\n\r\n`;
    const socket = await keepOpen(attacked.node.httpPort);
    const answer = new Promise<string>((resolve) => socket.once('data', (bytes: Buffer) => resolve(bytes.toString())));
    for (const character of head + body) {
      socket.write(character);
      await new Promise((next) => setTimeout(next, 2));
    }
    expect(await answer).toMatch(/^HTTP\/1\.1 400 /);
  });

  test('one that asks for much and reads nothing', async () => {
    const request = Buffer.from('GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n');
    const socket = await keepOpen(attacked.node.httpPort);
    socket.pause();
    for (let at = 0; at < 200; at += 1) socket.write(request);
  });

  test('one that goes away in the middle of an answer', async () => {
    for (let at = 0; at < 20; at += 1) {
      const socket = await keepOpen(
        attacked.node.httpPort,
        Buffer.from('GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n'),
      );
      socket.resetAndDestroy();
    }
  });

  test('streams of HTTP/2 that are opened and forgotten, or reset as fast as they are opened', async () => {
    const session: ClientHttp2Session = connectHttp2(`http://127.0.0.1:${attacked.node.rpcPort}`);
    session.on('error', () => undefined);
    const headers = {
      ':method': 'POST',
      ':path': '/log.v1.Log/ConsumeStream',
      'content-type': 'application/grpc',
      te: 'trailers',
    };
    const reset: Promise<unknown>[] = [];
    for (let at = 0; at < 200; at += 1) {
      const stream = session.request(headers);
      stream.on('error', () => undefined);
      if (at % 2 === 1) continue;
      reset.push(new Promise((closed) => stream.once('close', closed)));
      stream.close(constants.NGHTTP2_CANCEL);
    }
    await Promise.all(reset);
    session.destroy();
  });
});
