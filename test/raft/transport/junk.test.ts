import { connect, type Socket } from 'node:net';
import { encodeFrame, FrameType } from '../../../src/raft/transport/frame';
import { encodeHello } from '../../../src/raft/transport/hello';
import { encodeMessage } from '../../../src/raft/transport/message-encoder';
import { everyMessage } from './generated-messages';
import { CLUSTER, heartbeat, nodeId, TestNode, until } from './peer-kit';

/** Repeat a failure with the seed that it names: JUNK_SEED=… npx jest test/raft/transport/junk */
const SEED = Number(process.env['JUNK_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const CONVERSATIONS = 300;

/** mulberry32: small, and the same on every machine. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

function junk(random: (below: number) => number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let i = 0; i < length; i++) bytes[i] = random(256);
  return bytes;
}

const TYPES = Object.values(FrameType);

/** A frame that passes its checksum, with anything in it. */
function frameOfJunk(random: (below: number) => number): Buffer {
  const type = TYPES[random(TYPES.length)] ?? FrameType.message;
  return Buffer.concat(encodeFrame(type, random(5), [junk(random, random(300))], random(2)));
}

/** A good message in which a few bytes are wrong, but not the checksum: as a peer with a bug would send. */
function spoiltMessage(random: (below: number) => number, to: string): Buffer {
  const messages = everyMessage(nodeId(7), to);
  const { parts } = encodeMessage(messages[random(messages.length)] ?? (messages[0] as never));
  const body = Buffer.from(Buffer.concat(parts).subarray(0, 3000));
  for (let i = random(4); i > 0; i--) body[random(body.length)] = random(256);
  return Buffer.concat(encodeFrame(FrameType.message, 0, [body], 1));
}

function conversation(random: (below: number) => number, to: string): Buffer[] {
  const lane = random(2) === 0 ? 'raft' : 'bulk';
  const hello = encodeHello({ clusterId: CLUSTER, nodeId: nodeId(7), nodeName: 'seven', lane });
  const opening = [Buffer.of(1), Buffer.concat(encodeFrame(FrameType.hello, 0, [hello], 1))];
  switch (random(5)) {
    case 0:
      return [junk(random, 1 + random(500))];
    case 1:
      return [Buffer.of(1), junk(random, random(500))];
    case 2:
      return [...opening, junk(random, random(2000))];
    case 3:
      return [...opening, ...Array.from({ length: 1 + random(5) }, () => frameOfJunk(random))];
    default:
      return [...opening, ...Array.from({ length: 1 + random(5) }, () => spoiltMessage(random, to))];
  }
}

async function talk(address: string, chunks: Buffer[]): Promise<void> {
  const socket: Socket = connect(Number(address.split(':')[1]), '127.0.0.1');
  await new Promise<void>((resolve) => {
    socket.on('error', () => undefined);
    socket.on('close', () => resolve());
    socket.resume();
    socket.end(Buffer.concat(chunks));
  });
}

test(`no bytes whatever end the node or leave a connection behind (JUNK_SEED=${SEED})`, async () => {
  const random = randomFrom(SEED);
  const a = await new TestNode({ id: 1 }).listen();
  const b = await new TestNode({ id: 2 }).listen();
  try {
    a.onClient = (socket) => socket.destroy();
    a.transport.handle(1, async ({ body }) => body);
    for (let round = 0; round < CONVERSATIONS / 20; round++) {
      await Promise.all(Array.from({ length: 20 }, () => talk(a.address, conversation(random, a.id))));
    }
    expect(a.lines.filter((line) => line.level === 'error')).toEqual([]);
    const before = a.received.length;
    b.transport.setAddress(a.id, a.address);
    b.transport.send(a.id, 0, heartbeat(b, a, 1));
    await until('an honest message arrives', () => a.received.length > before);
    expect(String(await b.transport.call(a.id, 0, 1, Buffer.from('alive'), { deadlineMs: 5_000 }))).toBe('alive');
  } finally {
    await a.close();
    await b.close();
  }
});
