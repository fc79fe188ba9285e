import { LogDamageError } from '../../../src/log/log-errors';
import type { SnapshotMeta } from '../../../src/raft/core';
import { B, C, LoneReplica } from './lone-replica';

describe('a follower that lacks more than the leader has in memory', () => {
  let node: LoneReplica;
  beforeEach(async () => {
    node = new LoneReplica([B, C]);
    await node.lead(B, C);
    for (const value of ['a', 'b', 'c']) {
      const write = node.submit(value);
      await node.settle();
      node.acknowledge(B);
      await write;
    }
    node.sent.length = 0;
  });
  afterEach(() => node.stop());

  /** C has nothing at all. */
  const reject = (): void => {
    const term = node.replica.status().term;
    const rest = { reject: true, index: node.log.lastIndex, hintIndex: 0, hintTerm: 0, lost: true };
    node.receive({ type: 'appendResp', from: C, term, ...rest });
  };
  const sentToC = (): number[] =>
    node
      .sentOf('append')
      .filter(({ to }) => to === C)
      .flatMap(({ entries }) => entries.map(({ index }) => index));

  test('is sent what the disk has', async () => {
    const cached = node.log.cached.bind(node.log);
    const notInMemory = (from: number, bytes: number): Buffer[] | undefined =>
      from < 3 ? undefined : cached(from, bytes);
    const read = jest.spyOn(node.log, 'read');
    read.mockImplementation(async (from, bytes) => cached(from, bytes) ?? []);
    jest.spyOn(node.log, 'cached').mockImplementation(notInMemory);
    reject();
    await node.settle();
    expect(read).toHaveBeenCalled();
    expect(sentToC()[0]).toBe(1);
    expect(node.failures).toEqual([]);
  });

  test('a disk that cannot give it now is asked again, and the leader goes on', async () => {
    jest.spyOn(node.log, 'cached').mockReturnValue(undefined);
    const read = jest.spyOn(node.log, 'read').mockRejectedValue(new Error('EIO'));
    reject();
    await node.settle();
    expect(node.events.of('warn')).toMatchObject([{ fields: { peer: C } }]);
    expect([sentToC(), node.failures]).toEqual([[], []]);
    read.mockRestore();
    jest.restoreAllMocks();
    for (let round = 0; round < 20 && sentToC().length === 0; round += 1) {
      node.acknowledge(B);
      node.ticks(1);
      await node.settle();
    }
    expect(sentToC()[0]).toBe(1);
  });

  test('a log that is damaged there ends the process: the next one mends it, and no leader leaves a peer behind for ever', async () => {
    const where = { file: '/node/log/1.log', position: 512, fromIndex: 1, toIndex: 1 };
    const damage = new LogDamageError(where, 'A batch does not have the CRC that its header states.');
    jest.spyOn(node.log, 'cached').mockReturnValue(undefined);
    jest.spyOn(node.log, 'read').mockRejectedValue(damage);
    reject();
    await node.settle();
    expect(node.failures).toEqual([damage]);
    expect(sentToC()).toEqual([]);
  });

  test('what is under a snapshot comes as a snapshot, one at a time, again where it did not get through', async () => {
    await node.log.truncatePrefix(3);
    reject();
    await node.settle();
    expect(node.snapshotsSent).toEqual([C]);
    node.snapshotReaches = 3;
    const { term } = node.replica.status();
    for (let round = 0; round < 40 && node.snapshotsSent.length === 1; round += 1) {
      for (const from of [B, C]) node.receive({ type: 'heartbeatResp', from, term, context: 0 });
      node.ticks(2);
      await node.settle();
    }
    expect(node.snapshotsSent).toEqual([C, C]);
    expect(node.replica.status().peers.find(({ id }) => id === C)?.next).toBe(4);
    expect(sentToC().every((index) => index >= 4)).toBe(true);
  });
});

describe('a snapshot of the leader', () => {
  const meta = (node: LoneReplica): SnapshotMeta => {
    return { index: 40, term: 3, configuration: node.replica.status().configuration };
  };
  const boundary = { index: 40, term: 3, nextOffset: 40, hash: Buffer.alloc(32, 1), time: 9 };

  test('is installed when what was on its way to the disk is there, and acknowledged when it is installed', async () => {
    const node = new LoneReplica([B, C]);
    node.voteDisk.isSlow = true;
    const order: string[] = [];
    node.install = async ({ index }) => {
      order.push(`install ${index}, term ${node.saved.at(-1)?.term}`);
      node.replica.pauseApplying();
      await node.log.reset(boundary);
      node.replica.stateJumped(40);
    };
    node.receive({ type: 'snapshot', from: B, term: 3, meta: meta(node) });
    await node.settle();
    expect([order, node.sentOf('appendResp')]).toEqual([[], []]);
    node.voteDisk.release();
    await node.settle();
    expect(order).toEqual(['install 40, term 3']);
    expect(node.sentOf('appendResp')).toMatchObject([{ to: B, reject: false, index: 40 }]);
    expect([node.replica.appliedIndex, node.replica.status().commit]).toEqual([40, 40]);
    await node.stop();
  });

  test('that cannot be installed ends the process', async () => {
    const node = new LoneReplica([B, C]);
    node.install = () => Promise.reject(new Error('damaged'));
    node.receive({ type: 'snapshot', from: B, term: 3, meta: meta(node) });
    await node.settle();
    expect(node.failures).toEqual([new Error('damaged')]);
    expect(node.sentOf('appendResp')).toEqual([]);
    await node.stop();
  });
});
