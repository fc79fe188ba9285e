import type { Message } from '../../../src/raft/core';
import { CallError, type CallHandler } from '../../../src/raft/transport';
import { BatchChain } from '../../support/batch-chain';
import { SeededRandom } from '../../support/seeded-random';
import { nodeId } from './peer-kit';

/** What a node asks of whatever carries its messages and calls: as much of PeerTransport as both kinds have. */
export interface TransportEnd {
  readonly id: string;
  /** What has arrived, in that order. */
  readonly received: readonly Message[];
  send(message: Message): void;
  call(to: string, method: number, body: Buffer, deadlineMs: number): Promise<Buffer>;
  handle(method: number, handler: CallHandler): void;
  /** The process is gone at a stroke. */
  kill(): Promise<void>;
}

/** Two ends that know each other, and time that passes for both. */
export interface TransportPair {
  readonly a: TransportEnd;
  readonly b: TransportEnd;
  until(what: string, condition: () => boolean): Promise<void>;
  /** Lets time pass until the promise has settled. */
  settled<T>(promise: Promise<T>): Promise<T>;
  close(): Promise<void>;
}

const ECHO = 1;
const SILENT = 2;
const LONG = 20_000;
/** Long enough to be sent on a machine that is busy, short enough to wait for. */
const SHORT = 500;

/** Everything that a transport has to do for the node, be it TCP or simulated. Call it from a test file with each kind. */
export function describeTransport(name: string, open: () => Promise<TransportPair>): void {
  describe(`${name} keeps the contract of a transport`, () => {
    let pair: TransportPair;
    beforeEach(async () => {
      pair = await open();
    });
    afterEach(() => pair.close());

    describe('messages', () => describeMessages(() => pair));
    describe('calls', () => describeCalls(() => pair));
    describe('calls that fail', () => describeFailures(() => pair));
  });
}

function describeMessages(pair: () => TransportPair): void {
  test('arrive as they were sent, entries to the byte, and not as the same object', async () => {
    const { a, b, until } = pair();
    const data = new BatchChain().next({ payload: new SeededRandom(3).bytes(1_000) });
    const entries = [{ index: 1, term: 1, kind: 0, data }];
    const base = { from: a.id, to: b.id, term: 2 };
    const sent: Message[] = [
      { type: 'append', ...base, prevIndex: 0, prevTerm: 0, entries, commit: 0 },
      { type: 'appendResp', ...base, reject: true, index: 3, hintIndex: 2, hintTerm: 1, lost: false },
      { type: 'vote', ...base, lastIndex: 4, lastTerm: 2, transfer: true },
    ];
    for (const message of sent) a.send(message);
    await until('all messages', () => b.received.length >= sent.length);
    expect(new Set(b.received.map((message) => message.type))).toEqual(new Set(sent.map((message) => message.type)));
    for (const message of sent) {
      const { group: _group, ...got } = b.received.find(({ type }) => type === message.type) as Message;
      expect(got).toEqual(message);
      expect(got).not.toBe(message);
    }
  });

  test('go both ways', async () => {
    const { a, b, until } = pair();
    a.send({ type: 'timeoutNow', from: a.id, to: b.id, term: 3 });
    b.send({ type: 'preVoteResp', from: b.id, to: a.id, term: 4, reject: true });
    await until('one message each', () => a.received.length > 0 && b.received.length > 0);
    expect(b.received[0]).toMatchObject({ type: 'timeoutNow', from: a.id, to: b.id, term: 3 });
    expect(a.received[0]).toMatchObject({ type: 'preVoteResp', from: b.id, to: a.id, term: 4, reject: true });
  });

  test('to nobody, or to one that is gone, are lost without a word', async () => {
    const { a, b, until } = pair();
    a.send({ type: 'timeoutNow', from: a.id, to: nodeId(99), term: 3 });
    a.send({ type: 'timeoutNow', from: a.id, to: b.id, term: 3 });
    await until('the one that has a receiver', () => b.received.length > 0);
    await b.kill();
    a.send({ type: 'timeoutNow', from: a.id, to: b.id, term: 4 });
    expect(b.received.map(({ term }) => term)).toEqual([3]);
  });
}

function describeCalls(pair: () => TransportPair): void {
  test('many at once get each its own answer, whatever the order of the answers', async () => {
    const { a, b, settled } = pair();
    const waiting: (() => void)[] = [];
    b.handle(ECHO, ({ body }) => {
      const answer = Buffer.from(`answer to ${body.toString()}`);
      return new Promise((resolve) => {
        waiting.push(() => resolve(answer));
        // The last is answered first.
        if (waiting.length === 20) waiting.reverse().forEach((go) => go());
      });
    });
    const calls = Array.from({ length: 20 }, (_, n) => a.call(b.id, ECHO, Buffer.from(String(n)), LONG));
    const answers = await settled(Promise.all(calls));
    expect(answers.map(String)).toEqual(calls.map((_, n) => `answer to ${n}`));
  });

  test('tell the handler who asks, and run it once each', async () => {
    const { a, b, settled } = pair();
    const seen: string[] = [];
    b.handle(ECHO, async ({ from, body }) => {
      seen.push(`${from} ${body.toString()}`);
      return body;
    });
    for (const body of ['one', 'two']) await settled(a.call(b.id, ECHO, Buffer.from(body), LONG));
    expect(seen).toEqual([`${a.id} one`, `${a.id} two`]);
  });

  test('carry nothing, and much', async () => {
    const { a, b, settled } = pair();
    b.handle(ECHO, async ({ body }) => body);
    for (const bytes of [0, 1, 300_000]) {
      const body = new SeededRandom(bytes).bytes(bytes);
      expect((await settled(a.call(b.id, ECHO, body, LONG))).equals(body)).toBe(true);
    }
  });
}

function describeFailures(pair: () => TransportPair): void {
  const failure = async (call: Promise<unknown>): Promise<CallError> => {
    const error: unknown = await pair().settled(
      call.then(
        () => undefined,
        (reason: unknown) => reason,
      ),
    );
    if (error instanceof CallError) return error;
    throw new Error(`A call was to fail with a CallError, and gave ${String(error)}.`);
  };

  test('a handler chooses what its caller sees; it is known that the peer answered', async () => {
    const { a, b } = pair();
    b.handle(ECHO, async () => {
      throw new CallError('FAILED_PRECONDITION', 'NOT_JOINING', 'no thanks', { sent: true });
    });
    const error = await failure(a.call(b.id, ECHO, Buffer.alloc(1), LONG));
    expect(error).toMatchObject({ code: 'FAILED_PRECONDITION', reason: 'NOT_JOINING', message: 'no thanks' });
    expect([error.remote, error.sent]).toEqual([true, true]);
  });

  test('any other fault of a handler is INTERNAL', async () => {
    const { a, b } = pair();
    b.handle(ECHO, () => Promise.reject(new TypeError('a fault of the program')));
    const error = await failure(a.call(b.id, ECHO, Buffer.alloc(1), LONG));
    expect(error).toMatchObject({ code: 'INTERNAL', reason: 'HANDLER_FAILED', remote: true });
  });

  test('a method that nobody serves was certainly not done', async () => {
    const { a, b } = pair();
    const error = await failure(a.call(b.id, 77, Buffer.alloc(1), LONG));
    expect(error).toMatchObject({ code: 'UNIMPLEMENTED', reason: 'METHOD_UNKNOWN', remote: true });
  });

  test('a peer that does not answer: at the deadline, and nobody knows what it did', async () => {
    const { a, b } = pair();
    b.handle(SILENT, () => new Promise(() => undefined));
    const error = await failure(a.call(b.id, SILENT, Buffer.alloc(1), SHORT));
    expect(error).toMatchObject({ code: 'DEADLINE_EXCEEDED', sent: true, remote: false });
  });

  test('a peer that is gone was certainly not asked, or nobody knows; it did not answer', async () => {
    const { a, b, settled } = pair();
    b.handle(ECHO, async ({ body }) => body);
    await settled(a.call(b.id, ECHO, Buffer.alloc(1), LONG));
    await b.kill();
    const error = await failure(a.call(b.id, ECHO, Buffer.alloc(1), SHORT));
    expect(['UNAVAILABLE', 'DEADLINE_EXCEEDED']).toContain(error.code);
    expect(error.remote).toBe(false);
  });

  test('a peer that dies while it works: the caller learns that it may have been done', async () => {
    const { a, b, until } = pair();
    let working = false;
    b.handle(SILENT, () => {
      working = true;
      return new Promise(() => undefined);
    });
    const call = failure(a.call(b.id, SILENT, Buffer.alloc(1), 2_000));
    await until('the peer to work', () => working);
    await b.kill();
    expect(await call).toMatchObject({ sent: true, remote: false });
  });
}
