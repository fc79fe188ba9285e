import { connect, type Socket } from 'node:net';
import { encodeFrame, FrameType } from '../../../src/raft/transport/frame';
import { FrameReader } from '../../../src/raft/transport/frame-reader';
import { encodeMessage } from '../../../src/raft/transport/message-encoder';
import { decodeRefusal, encodeHello, type Hello } from '../../../src/raft/transport/hello';
import { CLUSTER, heartbeat, nodeId, TestNode, until } from './peer-kit';

const open: TestNode[] = [];
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const one of open.splice(0)) await one.close();
});

async function node(id: number, options: ConstructorParameters<typeof TestNode>[0] = {}): Promise<TestNode> {
  const made = await new TestNode({ ...options, id }).listen();
  open.push(made);
  return made;
}

/** Opens a socket to a node, sends `bytes`, and collects what comes back. */
function dialRaw(to: TestNode, ...bytes: Buffer[]): { socket: Socket; received: () => Buffer; closed: () => boolean } {
  const [host, port] = to.address.split(':');
  const socket = connect(Number(port), host);
  sockets.push(socket);
  const chunks: Buffer[] = [];
  let closed = false;
  socket.on('data', (chunk) => chunks.push(chunk));
  socket.on('error', () => undefined);
  socket.on('close', () => (closed = true));
  for (const buffer of bytes) socket.write(buffer);
  return { socket, received: () => Buffer.concat(chunks), closed: () => closed };
}

const PREFACE = Buffer.of(1);
const HELLO: Hello = { clusterId: CLUSTER, nodeId: nodeId(7), nodeName: 'seven', lane: 'raft' };

function hello(change: Partial<Hello> = {}): Buffer {
  return Buffer.concat(encodeFrame(FrameType.hello, 0, [encodeHello({ ...HELLO, ...change })], 1));
}

function refusalIn(bytes: Buffer): string | undefined {
  const reader = new FrameReader(4096);
  reader.feed(bytes);
  const frame = reader.next();
  return frame?.type === FrameType.refused ? decodeRefusal(frame.body) : undefined;
}

describe('the handshake', () => {
  test('refuses a node of another cluster, tells it why, and logs it', async () => {
    const a = await node(1);
    const stranger = dialRaw(a, PREFACE, hello({ clusterId: 'd'.repeat(32) }));
    await until('it is closed', stranger.closed);
    expect(refusalIn(stranger.received())).toContain(`cluster ${'d'.repeat(32)}`);
    expect(a.logged('d'.repeat(32))[0]?.level).toBe('warn');
  });

  test('lets a node without a cluster in, and one may call from there', async () => {
    const a = await node(1);
    a.transport.handle(1, async ({ peer }) => Buffer.from(peer.clusterId === '' ? 'welcome' : 'back again'));
    const joiner = new TestNode({
      id: 2,
      environment: { identity: () => ({ clusterId: '', nodeId: nodeId(2), nodeName: 'joiner' }) },
    });
    open.push(joiner);
    const answer = await joiner.transport.callAddress(a.address, 1, Buffer.alloc(0), { deadlineMs: 5_000 });
    expect(answer.body.toString()).toBe('welcome');
    expect(answer.peer).toEqual({ clusterId: CLUSTER, nodeId: a.id, nodeName: 'node-01' });
  });

  test('asks on both sides whether the peer is admitted', async () => {
    const a = await node(1, {
      environment: { admit: (peer, role) => ({ ok: false, reason: `not you, ${peer.nodeName} (${role})` }) },
    });
    const b = await node(2);
    b.transport.setAddress(a.id, a.address);
    await until('b knows', () => b.logged('the peer refused: not you, node-02 (acceptor)').length === 1);
    a.transport.setAddress(b.id, b.address);
    await until('a knows', () => a.logged('not you, node-02 (dialer)').length === 1);
    await expect(b.transport.callAddress(a.address, 1, Buffer.alloc(0), { deadlineMs: 5_000 })).rejects.toMatchObject({
      reason: 'PEER_REFUSED',
      sent: false,
    });
  });

  test('refuses a peer of another version with words', async () => {
    const a = await node(1);
    const body = encodeHello(HELLO);
    body.writeUInt16LE(2, 4);
    const newer = dialRaw(a, PREFACE, Buffer.concat(encodeFrame(FrameType.hello, 0, [body], 1)));
    await until('it is closed', newer.closed);
    expect(refusalIn(newer.received())).toContain('version 2');
  });

  test.each([
    ['a message before the hello', Buffer.concat(encodeFrame(FrameType.message, 0, [], 0))],
    ['a frame longer than a handshake needs', Buffer.concat(encodeFrame(FrameType.hello, 0, [Buffer.alloc(5000)], 1))],
    ['a hello that is none', Buffer.concat(encodeFrame(FrameType.hello, 0, [Buffer.alloc(40)], 1))],
    ['a node id that is none', hello({ nodeId: 'abc' })],
    ['an empty name', hello({ nodeName: '' })],
  ])('closes on %s', async (_what, bytes) => {
    const a = await node(1);
    const peer = dialRaw(a, PREFACE, bytes);
    await until('it is closed', peer.closed);
    expect(a.logged('refused a connection').length).toBe(1);
  });

  test('closes a peer that says nothing', async () => {
    const a = await node(1, { limits: { handshakeMs: 30 } });
    const peer = dialRaw(a, PREFACE);
    await until('it is closed', peer.closed);
    expect(a.logged('no connection within 30 ms').length).toBe(1);
  });

  test('bounds the connections of peers', async () => {
    const a = await node(1, { limits: { maxInboundConnections: 3 } });
    const peers = Array.from({ length: 5 }, () => dialRaw(a, PREFACE));
    await until('two are closed', () => peers.filter((peer) => peer.closed()).length === 2);
    expect(a.logged('connections are open already').length).toBe(2);
  });
});

describe('an admitted peer', () => {
  test.each([
    [
      'a frame beyond the limit',
      Buffer.from('ffffffff05000000000000000000000000000000', 'hex'),
      'longer than the limit',
    ],
    [
      'a call on the lane of messages',
      Buffer.concat(encodeFrame(FrameType.request, 0, [Buffer.alloc(16)], 1)),
      'where messages',
    ],
    [
      'a message that is none',
      Buffer.concat(encodeFrame(FrameType.message, 0, [Buffer.alloc(80)], 1)),
      'type 0 is unknown',
    ],
    ['a second hello', hello(), 'where messages were expected'],
  ])('is cut off for %s, with a log line, and the node lives on', async (_what, bytes, words) => {
    const a = await node(1);
    const peer = dialRaw(a, PREFACE, hello());
    await until('it is admitted', () => peer.received().length > 0);
    peer.socket.write(bytes);
    await until('it is closed', peer.closed);
    expect(a.logged(words)[0]).toMatchObject({ level: 'warn', fields: { peer: nodeId(7), lane: 'raft' } });
    const b = await node(2);
    b.transport.setAddress(a.id, a.address);
    b.transport.send(a.id, 0, heartbeat(b, a, 1));
    await until('a message of another arrives', () => a.received.length === 1);
  });

  test('that speaks in the name of another is cut off', async () => {
    const a = await node(1);
    const b = await node(2);
    const impostor = dialRaw(a, PREFACE, hello());
    await until('it is admitted', () => impostor.received().length > 0);
    b.transport.setAddress(a.id, a.address);
    const { parts, checkedParts } = encodeMessage(heartbeat(b, a, 1));
    impostor.socket.write(Buffer.concat(encodeFrame(FrameType.message, 0, parts, checkedParts)));
    await until('it is closed', impostor.closed);
    expect(a.received).toEqual([]);
    expect(a.logged('names other nodes').length).toBe(1);
  });

  test('that connects again takes the place of its old connection', async () => {
    const a = await node(1);
    const before = dialRaw(a, PREFACE, hello());
    await until('it is admitted', () => before.received().length > 0);
    const after = dialRaw(a, PREFACE, hello());
    await until('the old one is closed', before.closed);
    expect(after.closed()).toBe(false);
  });

  test('is answered when it pings, and closed when it falls silent', async () => {
    const a = await node(1, { limits: { pingMs: 10, idleMs: 100 } });
    const peer = dialRaw(a, PREFACE, hello());
    await until('it is admitted', () => peer.received().length > 0);
    const admitted = peer.received().length;
    peer.socket.write(Buffer.concat(encodeFrame(FrameType.ping, 0, [], 0)));
    await until('a pong comes', () => peer.received().length > admitted);
    await until('it is closed', peer.closed);
    expect(a.logged('nothing was heard').length).toBe(1);
  });
});
