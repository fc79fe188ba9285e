import { connect, type Socket } from 'node:net';
import { CallError } from '../../../src/raft/transport';
import { nodeId, RawServer, TestNode, until } from './peer-kit';

const ECHO = 1;
const NEVER = 2;
const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

async function node(id: number, options: ConstructorParameters<typeof TestNode>[0] = {}): Promise<TestNode> {
  const made = await new TestNode({ ...options, id }).listen();
  open.push(made);
  return made;
}

async function pair(options: ConstructorParameters<typeof TestNode>[0] = {}): Promise<[TestNode, TestNode]> {
  const a = await node(1, options);
  const b = await node(2, options);
  a.transport.setAddress(b.id, b.address);
  b.transport.handle(ECHO, async ({ body }) => body);
  b.transport.handle(NEVER, () => new Promise(() => undefined));
  return [a, b];
}

/** The error that a call must end with. */
async function failure(call: Promise<unknown>): Promise<CallError> {
  try {
    await call;
  } catch (error) {
    if (error instanceof CallError) return error;
    throw error;
  }
  throw new Error('The call should have failed.');
}

describe('calls', () => {
  test('are answered, each with its own answer, many at once and of every size', async () => {
    const [a, b] = await pair();
    const bodies = Array.from({ length: 600 }, (_, i) => Buffer.alloc(i % 50 === 0 ? 300_000 : i, i));
    const answers = await Promise.all(
      bodies.map((body) => a.transport.call(b.id, 3, ECHO, body, { deadlineMs: 9_000 })),
    );
    expect(answers.every((answer, i) => answer.equals(bodies[i] ?? Buffer.alloc(0)))).toBe(true);
  });

  test('tell the handler who asks, for which group, and until when', async () => {
    const [a, b] = await pair();
    b.transport.handle(9, async ({ from, peer, group, deadline }) => {
      const leftMs = deadline - performance.now();
      return Buffer.from(
        JSON.stringify({ from, name: peer.nodeName, group, inTime: leftMs > 1_000 && leftMs <= 5_001 }),
      );
    });
    const answer = await a.transport.call(b.id, 3, 9, Buffer.alloc(0), { deadlineMs: 5_000 });
    expect(JSON.parse(answer.toString())).toEqual({ from: a.id, name: 'node-01', group: 3, inTime: true });
  });

  test('carry the error that the handler chose', async () => {
    const [a, b] = await pair();
    b.transport.handle(9, async () => {
      throw new CallError('OUT_OF_RANGE', 'BELOW_RETAINED', 'it begins at 7', { sent: true, details: { first: '7' } });
    });
    const error = await failure(a.transport.call(b.id, 0, 9, Buffer.alloc(0), { deadlineMs: 5_000 }));
    const { code, reason, message, sent, remote, details } = error;
    expect({ code, reason, message, sent, remote, details }).toEqual({
      code: 'OUT_OF_RANGE',
      reason: 'BELOW_RETAINED',
      message: 'it begins at 7',
      sent: true,
      remote: true,
      details: { first: '7' },
    });
  });

  test('a handler that breaks is an INTERNAL error there and a log line here', async () => {
    const [a, b] = await pair();
    b.transport.handle(9, () => {
      throw new TypeError('broken');
    });
    const error = await failure(a.transport.call(b.id, 0, 9, Buffer.alloc(0), { deadlineMs: 5_000 }));
    expect(error).toMatchObject({ code: 'INTERNAL', reason: 'HANDLER_FAILED', message: 'broken', remote: true });
    expect(b.logged('a call of a peer failed')).toHaveLength(1);
  });

  test('of a method that nobody handles are refused', async () => {
    const [a, b] = await pair();
    const error = await failure(a.transport.call(b.id, 0, 77, Buffer.alloc(0), { deadlineMs: 5_000 }));
    expect(error).toMatchObject({ code: 'UNIMPLEMENTED', reason: 'METHOD_UNKNOWN', remote: true });
    expect(() => b.transport.handle(ECHO, async () => Buffer.alloc(0))).toThrow(/handled already/);
  });

  test('beyond what a node works on for one peer are refused, and the others go on', async () => {
    const [a, b] = await pair({ limits: { maxServedCalls: 4 } });
    let release: () => void = () => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    b.transport.handle(9, async () => released.then(() => Buffer.from('done')));
    const calls = Array.from({ length: 6 }, () => a.transport.call(b.id, 0, 9, Buffer.alloc(0), { deadlineMs: 5_000 }));
    const refused = await Promise.all(calls.slice(4).map(failure));
    expect(refused.map((error) => error.reason)).toEqual(['PEER_OVERLOADED', 'PEER_OVERLOADED']);
    release();
    expect((await Promise.all(calls.slice(0, 4))).map(String)).toEqual(['done', 'done', 'done', 'done']);
  });
});

describe('a call that fails says whether it may have been done', () => {
  test('not: no address, nobody there, too large, stopped', async () => {
    const [a] = await pair({ limits: { maxFrameBytes: 4096 } });
    const options = { deadlineMs: 5_000 };
    const none = Buffer.alloc(0);
    expect(await failure(a.transport.call(nodeId(9), 0, ECHO, none, options))).toMatchObject({
      reason: 'PEER_UNKNOWN',
      sent: false,
    });
    a.transport.setAddress(nodeId(8), '127.0.0.1:1');
    expect(await failure(a.transport.call(nodeId(8), 0, ECHO, none, options))).toMatchObject({
      reason: 'PEER_UNREACHABLE',
      sent: false,
    });
    const large = a.transport.call(nodeId(2), 0, ECHO, Buffer.alloc(5_000), options);
    expect(await failure(large)).toMatchObject({ code: 'INVALID_ARGUMENT', reason: 'REQUEST_TOO_LARGE', sent: false });
    a.transport.close();
    expect(await failure(a.transport.call(nodeId(2), 0, ECHO, none, options))).toMatchObject({
      reason: 'TRANSPORT_CLOSED',
      sent: false,
    });
  });

  test('not: the deadline passed during the handshake', async () => {
    const silent = new RawServer();
    open.push(silent);
    const a = await node(1);
    a.transport.setAddress(nodeId(2), await silent.listen());
    const error = await failure(a.transport.call(nodeId(2), 0, ECHO, Buffer.alloc(0), { deadlineMs: 40 }));
    expect(error).toMatchObject({ code: 'DEADLINE_EXCEEDED', reason: 'DEADLINE_BEFORE_SENT', sent: false });
  });

  test('perhaps: the deadline passed after it was sent', async () => {
    const [a, b] = await pair();
    const error = await failure(a.transport.call(b.id, 0, NEVER, Buffer.alloc(0), { deadlineMs: 2_000 }));
    expect(error).toMatchObject({ code: 'DEADLINE_EXCEEDED', reason: 'NO_ANSWER', sent: true, remote: false });
  });

  test('perhaps: the peer died while it worked on it', async () => {
    const [a, b] = await pair();
    let reached = false;
    b.transport.handle(9, () => {
      reached = true;
      return new Promise(() => undefined);
    });
    const pending = failure(a.transport.call(b.id, 0, 9, Buffer.alloc(0), { deadlineMs: 9_000 }));
    await until('the peer has it', () => reached);
    await b.close();
    expect(await pending).toMatchObject({ code: 'UNAVAILABLE', reason: 'CONNECTION_LOST', sent: true, remote: false });
  });

  test('per call: those that had left when the connection broke, and those that had not', async () => {
    const b = await node(2);
    const between: Socket[] = [];
    const pipe = new RawServer((socket) => {
      const onward = connect(Number(b.address.split(':')[1]), '127.0.0.1');
      onward.on('error', () => undefined);
      socket.pipe(onward);
      onward.pipe(socket);
      between.push(socket);
    });
    open.push(pipe);
    b.transport.handle(ECHO, async ({ body }) => body);
    const a = await node(1, { limits: { maxQueueBytes: 64 << 20 } });
    a.transport.setAddress(b.id, await pipe.listen());
    await a.transport.call(b.id, 0, ECHO, Buffer.alloc(0), { deadlineMs: 5_000 });
    for (const socket of between) {
      socket.unpipe();
      socket.pause();
    }
    const calls = Array.from({ length: 60 }, () =>
      failure(a.transport.call(b.id, 0, ECHO, Buffer.alloc(1 << 20), { deadlineMs: 9_000 })),
    );
    const refused = failure(a.transport.call(b.id, 0, ECHO, Buffer.alloc(8_000_000), { deadlineMs: 9_000 }));
    expect(await refused).toMatchObject({ code: 'RESOURCE_EXHAUSTED', reason: 'QUEUE_FULL', sent: false });
    for (const socket of between) socket.destroy();
    const errors = await Promise.all(calls);
    expect(errors[0]?.sent).toBe(true);
    expect(errors.at(-1)).toMatchObject({ reason: 'PEER_UNREACHABLE', sent: false });
    // In order: once one has not left, none behind it has.
    const firstUnsent = errors.findIndex((error) => !error.sent);
    expect(errors.slice(firstUnsent).every((error) => !error.sent)).toBe(true);
  });
});

describe('a call to an address', () => {
  test('says who answered, also when that is this node itself', async () => {
    const [a, b] = await pair();
    const other = await a.transport.callAddress(b.address, ECHO, Buffer.from('x'), { deadlineMs: 5_000 });
    expect([other.peer.nodeId, other.body.toString()]).toEqual([b.id, 'x']);
    a.transport.handle(ECHO, async ({ body }) => body);
    const own = await a.transport.callAddress(a.address, ECHO, Buffer.from('y'), { deadlineMs: 5_000 });
    expect([own.peer.nodeId, own.body.toString()]).toEqual([a.id, 'y']);
  });

  test('fails with the same errors', async () => {
    const [a, b] = await pair();
    const none = Buffer.alloc(0);
    const nobody = a.transport.callAddress('127.0.0.1:1', ECHO, none, { deadlineMs: 5_000 });
    expect(await failure(nobody)).toMatchObject({ reason: 'PEER_UNREACHABLE', sent: false });
    const late = a.transport.callAddress(b.address, NEVER, none, { deadlineMs: 2_000 });
    expect(await failure(late)).toMatchObject({ code: 'DEADLINE_EXCEEDED', reason: 'NO_ANSWER', sent: true });
    const unknown = a.transport.callAddress(b.address, 77, none, { deadlineMs: 5_000 });
    expect(await failure(unknown)).toMatchObject({ reason: 'METHOD_UNKNOWN', remote: true });
    const bad = a.transport.callAddress('nowhere', ECHO, none, { deadlineMs: 5_000 });
    expect(await failure(bad)).toMatchObject({ sent: false });
  });
});
