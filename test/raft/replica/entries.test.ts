import { BatchKind } from '../../../src/log/batch';
import { encodeConfiguration, type Configuration } from '../../../src/raft/core';
import { configurationsAbove, entryOf, logView, verifyEntry } from '../../../src/raft/replica/entries';
import { BatchChain } from '../../support/batch-chain';
import { MemoryLog } from '../../support/memory-log';

const configurationOf = (number: number): Configuration => {
  const id = number.toString(16).padStart(16, '0');
  return { voters: [id], votersOutgoing: [], learners: [], servers: [{ id, name: 'n', rpcAddr: '127.0.0.1:1' }] };
};
const configuration = (number: number): { kind: number; payload: Buffer } => ({
  kind: BatchKind.Configuration,
  payload: encodeConfiguration(configurationOf(number)),
});

describe('the log as the core sees it', () => {
  test('an entry knows its configuration, without the core reading bytes', () => {
    const chain = new BatchChain();
    const plain = chain.next();
    expect(entryOf(plain)).toEqual({ index: 1, term: 1, kind: BatchKind.Records, data: plain });
    expect(entryOf(chain.next(configuration(7))).config).toEqual(configurationOf(7));
  });

  test('is asked for what is in memory, bounded in bytes and in number', () => {
    const log = new MemoryLog();
    for (const batch of new BatchChain().many(5)) log.append(batch);
    const view = logView(log);
    expect([view.firstIndex, view.lastIndex, view.termAt(5), view.termAt(6)]).toEqual([1, 5, 1, undefined]);
    expect(view.cachedEntries(2, 1 << 20, 2)?.map(({ index }) => index)).toEqual([2, 3]);
    expect(view.cachedEntries(2, 1, 9)).toHaveLength(1);
    expect(view.cachedEntries(0, 1, 9)).toBeUndefined();
  });

  test('every configuration in the log counts, committed or not, from behind the snapshot on', async () => {
    const log = new MemoryLog();
    const chain = new BatchChain();
    for (const next of [{}, configuration(1), {}, configuration(2), configuration(3), {}]) log.append(chain.next(next));
    const found = async (after: number): Promise<[number, string | undefined][]> =>
      (await configurationsAbove(log, after)).map((one) => [one.index, one.configuration.voters[0]?.slice(-1)]);
    expect(await found(0)).toEqual([
      [2, '1'],
      [4, '2'],
      [5, '3'],
    ]);
    expect(await found(4)).toEqual([[5, '3']]);
    expect(await found(6)).toEqual([]);
    await log.sync();
    await log.truncatePrefix(3);
    expect(await found(2)).toHaveLength(2);
  });

  test('what a peer calls an entry has to be that entry, of this group', () => {
    const entry = entryOf(new BatchChain(undefined, 3).next());
    expect(() => verifyEntry(entry, 3)).not.toThrow();
    expect(() => verifyEntry(entry, 0)).toThrow('group 3 labelled as entry 1 of term 1, kind 0, group 0');
    expect(() => verifyEntry({ ...entry, index: 2 }, 3)).toThrow('A peer sent batch 1');
  });
});
