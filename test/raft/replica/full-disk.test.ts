import { encodeValues } from '../../../src/log/chunk';
import { DiskFullError } from '../../../src/log/log-errors';
import { entryOf } from '../../../src/raft/replica/entries';
import { BatchChain } from '../../support/batch-chain';
import { B, C, LoneReplica } from './lone-replica';

describe('a replica whose disk is full', () => {
  let node: LoneReplica;
  afterEach(() => node.stop());

  test('refuses new writes and those that wait, and takes them again when there is room', async () => {
    node = new LoneReplica([]);
    node.ticks(10);
    await node.settle();
    node.logDisk.isSlow = true;
    const proposed = node.submit('a');
    await node.settle();
    const queued = node.submit('b');
    const refused = expect(queued).rejects.toMatchObject({ reason: 'DISK_FULL' });
    node.diskFull = true;
    await expect(node.submit('c')).rejects.toMatchObject({ reason: 'DISK_FULL' });
    node.ticks(1);
    await refused;
    node.logDisk.release();
    await proposed;
    node.diskFull = false;
    await node.submit('d');
    expect(node.failures).toEqual([]);
  });

  test('leads, reads and changes the membership all the same', async () => {
    node = new LoneReplica([B, C]);
    node.diskFull = true;
    await node.lead(B, C);
    expect(node.applied).toEqual([1]);
    const learner = { id: '00000000000000d4', name: 'd', rpcAddr: '127.0.0.1:9' };
    expect(node.replica.changeConfiguration({ type: 'addLearner', server: learner })).toBeUndefined();
    expect(node.log.lastIndex).toBe(2);
  });

  test('does not fill its memory with answers to a leader that repeats itself while the disk stands still', async () => {
    node = new LoneReplica([B, C]);
    node.logDisk.isSlow = true;
    const entry = entryOf(new BatchChain().next({ term: 3, payload: encodeValues(0, [Buffer.from('x')]) }));
    const repeats = 5_000;
    for (let at = 0; at < repeats; at += 1) {
      node.receive({ type: 'append', from: B, term: 3, prevIndex: 0, prevTerm: 0, entries: [entry], commit: 0 });
    }
    await node.settle();
    expect(node.sentOf('appendResp')).toEqual([]);
    node.logDisk.release();
    await node.settle();
    const answers = node.sentOf('appendResp').length;
    expect(answers).toBeGreaterThan(0);
    expect(answers).toBeLessThan(repeats / 2);
    node.receive({ type: 'append', from: B, term: 3, prevIndex: 0, prevTerm: 0, entries: [entry], commit: 0 });
    await node.settle();
    expect(node.sentOf('appendResp')).toHaveLength(answers + 1);
  });

  test('that is stopped while it waits for room ends without a fault', async () => {
    node = new LoneReplica([B, C]);
    node.logDisk.isSlow = true;
    const entry = entryOf(new BatchChain().next({ term: 3, payload: encodeValues(0, [Buffer.from('x')]) }));
    node.receive({ type: 'append', from: B, term: 3, prevIndex: 0, prevTerm: 0, entries: [entry], commit: 0 });
    await node.settle();
    const stopped = node.replica.stop();
    node.logDisk.fail(new DiskFullError('this process ends.'));
    await stopped;
    expect({ failures: node.failures, answers: node.sentOf('appendResp') }).toEqual({ failures: [], answers: [] });
  });
});
