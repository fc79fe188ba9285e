import { connect, type Socket } from 'node:net';
import { EntryKind } from '../../../src/raft/core/types';
import type { Message } from '../../../src/raft/core/messages';
import { entry } from './generated-messages';
import { heartbeat, nodeId, RawServer, TestNode, until } from './peer-kit';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

async function node(id: number, options: ConstructorParameters<typeof TestNode>[0] = {}): Promise<TestNode> {
  const made = await new TestNode({ ...options, id }).listen();
  open.push(made);
  return made;
}

function contexts(at: TestNode): number[] {
  return at.received.map(({ message }) => (message.type === 'heartbeat' ? message.context : -1));
}

describe('Raft messages between two nodes', () => {
  test('arrive in order, with their group and sender, the first of them though no connection was there', async () => {
    const a = await node(1);
    const b = await node(2);
    a.transport.setAddress(b.id, b.address);
    for (let i = 0; i < 5_000; i++) a.transport.send(b.id, 4, heartbeat(a, b, i));
    await until('all have arrived', () => b.received.length === 5_000);
    expect(contexts(b)).toEqual(Array.from({ length: 5_000 }, (_, i) => i));
    expect(b.received[0]).toMatchObject({ group: 4, from: a.id, message: { type: 'heartbeat', group: 4, term: 7 } });
    expect(a.unreachable).toEqual([]);
  });

  test('carry batches unchanged', async () => {
    const a = await node(1);
    const b = await node(2);
    a.transport.setAddress(b.id, b.address);
    const entries = [1, 2, 3].map((index) => entry(index, 1, EntryKind.records, Buffer.alloc(1 << 20, index)));
    a.transport.send(b.id, 0, {
      type: 'append',
      from: a.id,
      to: b.id,
      term: 1,
      prevIndex: 0,
      prevTerm: 0,
      commit: 0,
      entries,
    });
    await until('it has arrived', () => b.received.length === 1);
    const { message } = b.received[0] as { message: Message };
    if (message.type !== 'append') throw new Error('An append came back as something else.');
    expect(message.entries.map((one) => one.data.equals(entries[one.index - 1]?.data ?? Buffer.alloc(0)))).toEqual([
      true,
      true,
      true,
    ]);
  });

  test('go both ways at once under load', async () => {
    const a = await node(1);
    const b = await node(2);
    a.transport.setAddress(b.id, b.address);
    b.transport.setAddress(a.id, a.address);
    const batch = entry(1, 1, EntryKind.records, Buffer.alloc(256 * 1024, 1));
    const appendOf = (from: TestNode, to: TestNode): Message => ({
      type: 'append',
      from: from.id,
      to: to.id,
      term: 1,
      prevIndex: 0,
      prevTerm: 0,
      commit: 0,
      entries: [batch],
    });
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const) {
      // Each answer makes room for the next: a pipeline eight deep, as Raft's own.
      to.onMessage = () => {
        if (to.received.length <= 192) from.transport.send(to.id, 0, appendOf(from, to));
      };
      for (let i = 0; i < 8; i++) from.transport.send(to.id, 0, appendOf(from, to));
    }
    await until('both have received 200', () => a.received.length >= 200 && b.received.length >= 200);
    expect([a.unreachable, b.unreachable]).toEqual([[], []]);
  });
});

describe('a peer that goes and comes', () => {
  test('is connected again after its process is back, on the same address', async () => {
    const a = await node(1);
    const first = await node(2);
    a.transport.setAddress(first.id, first.address);
    a.transport.send(first.id, 0, heartbeat(a, first, 1));
    await until('the first has it', () => first.received.length === 1);
    await first.close();
    await until('the loss is reported', () => a.unreachable.includes(first.id));

    const second = new TestNode({ id: 2 });
    open.push(second);
    await second.listen(first.address);
    await until('a message arrives again', () => {
      if (second.received.length === 0) a.transport.send(second.id, 0, heartbeat(a, second, 2));
      return second.received.length > 0;
    });
    expect(contexts(second)[0]).toBe(2);
    expect(a.transport.statistics(second.id)).toMatchObject({ connected: true, queuedBytes: 0 });
  });

  test('is spoken to at its new address', async () => {
    const a = await node(1);
    const b = await node(2);
    a.transport.setAddress(b.id, '127.0.0.1:1');
    await until('the first address fails', () => a.unreachable.length > 0);
    a.transport.setAddress(b.id, b.address);
    await until('a message arrives', () => {
      a.transport.send(b.id, 0, heartbeat(a, b, 3));
      return b.received.length > 0;
    });
  });

  test('with another data directory is not spoken to, and the log says why', async () => {
    const a = await node(1);
    const b = await node(2);
    a.transport.setAddress(nodeId(9), b.address);
    await until('it is logged', () => a.logged('was expected').length > 0);
    expect(a.logged('was expected')[0]?.message).toContain(`node ${b.id}`);
    expect(b.received).toEqual([]);
    expect(a.transport.statistics(nodeId(9))?.connected).toBe(false);
  });

  test('that is unknown is reported, after the send has returned', async () => {
    const a = await node(1);
    a.transport.send(nodeId(5), 0, { type: 'timeoutNow', from: a.id, to: nodeId(5), term: 1 });
    expect(a.unreachable).toEqual([]);
    await until('it is reported', () => a.unreachable.length === 1);
  });

  test('that was removed hears nothing more', async () => {
    const a = await node(1);
    const b = await node(2);
    a.transport.setAddress(b.id, b.address);
    await until('they are connected', () => a.transport.statistics(b.id)?.connected === true);
    a.transport.removePeer(b.id);
    a.transport.send(b.id, 0, heartbeat(a, b, 1));
    await until('it is reported', () => a.unreachable.length === 1);
    expect(b.received).toEqual([]);
    expect(a.transport.statistics(b.id)).toBeUndefined();
  });

  test('that falls silent without closing is given up and tried again', async () => {
    const hellos: Socket[] = [];
    // A peer that is behind a cable that was cut: TCP is there, nothing answers.
    const silent = new RawServer((socket) => hellos.push(socket));
    open.push(silent);
    const a = await node(1, { limits: { handshakeMs: 50 } });
    a.transport.setAddress(nodeId(2), await silent.listen());
    await until('it was tried twice', () => hellos.length >= 2);
    expect(a.logged('no connection within 50 ms')).toHaveLength(1);
  });
});

describe('the bound on what waits for a peer', () => {
  test('drops messages beyond it and says so; memory does not grow', async () => {
    const paused: Socket[] = [];
    const b = await node(2);
    // Between the two: a pipe that passes the handshake on and then stops.
    const pipe = new RawServer((socket) => {
      const onward = connect(Number(b.address.split(':')[1]), '127.0.0.1');
      onward.on('error', () => undefined);
      socket.pipe(onward);
      onward.pipe(socket);
      paused.push(socket);
    });
    open.push(pipe);
    const maxQueueBytes = 4 << 20;
    const a = await node(1, { limits: { maxQueueBytes } });
    a.transport.setAddress(b.id, await pipe.listen());
    await until('they are connected', () => a.transport.statistics(b.id)?.connected === true);
    for (const socket of paused) {
      socket.unpipe();
      socket.pause();
    }
    const batch = entry(1, 1, EntryKind.records, Buffer.alloc(1 << 20, 1));
    const append = { type: 'append', from: a.id, to: b.id, term: 1, prevIndex: 0, prevTerm: 0, commit: 0 } as const;
    let largest = 0;
    await until('messages are dropped', () => {
      for (let i = 0; i < 10; i++) a.transport.send(b.id, 0, { ...append, entries: [batch] });
      largest = Math.max(largest, a.transport.statistics(b.id)?.queuedBytes ?? 0);
      return (a.transport.statistics(b.id)?.dropped ?? 0) > 100;
    });
    expect(largest).toBeLessThanOrEqual(maxQueueBytes);
    expect(a.unreachable).toContain(b.id);
  });

  test('a message that no frame holds is refused loudly', async () => {
    const a = await node(1, { limits: { maxFrameBytes: 1000 } });
    a.transport.setAddress(nodeId(2), '127.0.0.1:1');
    const entries = [entry(1, 1, EntryKind.records, Buffer.alloc(2000))];
    const append = {
      type: 'append',
      from: a.id,
      to: nodeId(2),
      term: 1,
      prevIndex: 0,
      prevTerm: 0,
      commit: 0,
    } as const;
    expect(() => a.transport.send(nodeId(2), 0, { ...append, entries })).toThrow(/does not fit/);
  });
});
