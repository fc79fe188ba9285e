import { firstIndexOf } from '../../src/log/segment-header';
import { StartupError } from '../../src/node/startup-error';
import { BatchChain, boundaryAfter, readWholeLog } from '../support/batch-chain';
import { DamagedMember, TERM } from './repair-kit';

/** Entries that no ledger reads: only the log is of interest here. */
const chainOf = (count: number): Buffer[] => new BatchChain().many(count, { payload: PAYLOAD });
const PAYLOAD = Buffer.alloc(300, 3);

const hex = (batches: readonly Buffer[]): string[] => batches.map((batch) => batch.toString('hex'));

describe('a log that is damaged at the start', () => {
  const batches = chainOf(20);

  test.each([
    ['in the middle', 6],
    ['in the first entry', 0],
    ['in the last entry', 19],
  ])('is mended with the entries of a peer: %s', async (_where, at) => {
    const member = await DamagedMember.make(batches);
    member.rot(batches[at]!);
    member.peer(2, batches, 20);
    const storage = await member.open();
    expect(hex(await readWholeLog(storage.log))).toEqual(hex(batches));
    expect(storage.mayHaveLost).toBeUndefined();
    await storage.close();
    expect(await member.isWhole()).toBe(true);
  });

  test('is mended where several places are, and headers, too', async () => {
    const member = await DamagedMember.make(batches);
    for (const at of [2, 3, 9, 15]) member.rot(batches[at]!);
    for (const name of member.segments()) member.rotSegment(name, 70);
    member.peer(3, batches, 20);
    const storage = await member.open();
    expect(hex(await readWholeLog(storage.log))).toEqual(hex(batches));
    await storage.close();
  });

  test('is mended with what nobody has committed yet, where this node has kept what follows it', async () => {
    const member = await DamagedMember.make(batches);
    member.rot(batches[18]!);
    member.peer(2, batches, 0);
    const storage = await member.open();
    expect(storage.log.lastIndex).toBe(20);
    expect(storage.mayHaveLost).toBeUndefined();
    await storage.close();
  });

  test('is mended without anybody where only a mark or a header is damaged', async () => {
    const member = await DamagedMember.make(batches);
    member.rotSegment(member.segments()[0]!, 20);
    member.rotSegment(member.segments()[0]!, 512 + 20);
    const storage = await member.open('nobody');
    expect(storage.log.lastIndex).toBe(20);
    await storage.close();
  });

  test('waits while nobody answers', async () => {
    const member = await DamagedMember.make(batches);
    member.rot(batches[6]!);
    member.onPause = () => {
      if (member.pauses === 30) member.peer(3, batches, 20);
    };
    const storage = await member.open();
    expect(member.pauses).toBe(30);
    expect(storage.log.lastIndex).toBe(20);
    expect(member.events.of('warn').some(({ message }) => message.includes('waiting for a peer'))).toBe(true);
    await storage.close();
  });

  test('is refused by a node that has no peers, with file and byte', async () => {
    const member = await DamagedMember.make(batches);
    member.rot(batches[6]!);
    const opened = member.open('nobody');
    await expect(opened).rejects.toBeInstanceOf(StartupError);
    await expect(opened).rejects.toThrow(/\/log\/\d{20}\.log from byte \d+ on, entries 7 to 7/);
  });

  test('ends the wait when the node is told to stop', async () => {
    const member = await DamagedMember.make(batches);
    member.rot(batches[6]!);
    const pause = (): Promise<void> => Promise.reject(new StartupError('stopped', 1));
    await expect(member.open({ pause })).rejects.toThrow('stopped');
    expect(await member.isWhole()).toBe(false);
  });
});

describe('a damage that no peer can mend', () => {
  const batches = chainOf(20);

  test('is set aside with all that follows, and the loss is remembered', async () => {
    const member = await DamagedMember.make(batches);
    member.rot(batches[12]!);
    const before = member.segments();
    member.peer(2, batches.slice(0, 4), 4);
    const storage = await member.open();
    const { lastIndex } = storage.log;
    expect(lastIndex).toBeLessThan(12);
    expect(hex(await readWholeLog(storage.log))).toEqual(hex(batches.slice(0, lastIndex)));
    expect(storage.mayHaveLost).toEqual({ index: 20, term: TERM });
    const aside = member.namesInLog().filter((name) => name.endsWith('.damaged-1'));
    expect(aside.map((name) => name.replace('.damaged-1', ''))).toEqual(
      before.filter((name) => Number.parseInt(name, 10) > lastIndex),
    );
    await storage.close();
    const again = await member.open();
    expect(again.mayHaveLost).toEqual({ index: 20, term: TERM });
    await again.close();
  });

  test('where the others have another history from there on', async () => {
    const member = await DamagedMember.make(batches);
    member.rot(batches[17]!);
    const other = BatchChain.after(batches[16]!).many(6, { term: 2, payload: PAYLOAD });
    member.peer(2, [...batches.slice(0, 17), ...other], 23);
    const storage = await member.open();
    expect(storage.mayHaveLost).toEqual({ index: 20, term: TERM });
    expect(storage.log.lastIndex).toBeLessThan(17);
    await storage.close();
  });

  test('where they have another entry before a segment that is whole: all of it goes, and the start comes to its end', async () => {
    const member = await DamagedMember.make(batches);
    const last = firstIndexOf(member.segments()[1]!)! - 1;
    member.rot(batches[last - 1]!);
    const elsewhere = BatchChain.after(batches[last - 2]!).many(20, { term: TERM });
    member.peer(2, [...batches.slice(0, last - 1), ...elsewhere], last + 10);
    const storage = await member.open();
    expect(storage.log.lastIndex).toBeLessThan(last);
    expect(storage.mayHaveLost).toEqual({ index: 20, term: TERM });
    await storage.close();
    expect(await member.isWhole()).toBe(true);
  });

  test('two segments that are whole and do not fit each other are not mended for ever', async () => {
    const others = new BatchChain().many(20, { payload: Buffer.alloc(300, 4) });
    const mismatched = async (): Promise<DamagedMember> => {
      const member = await DamagedMember.make(batches);
      member.takeFirstSegment(await DamagedMember.make(others));
      return member;
    };
    await expect((await mismatched()).open('nobody')).rejects.toThrow('another chain');
    const member = await mismatched();
    member.peer(2, others, 20);
    const storage = await member.open();
    expect(storage.log.lastIndex).toBeLessThan(20);
    expect(storage.mayHaveLost).toEqual({ index: 20, term: TERM });
    await storage.close();
  });

  test('never is mended with entries of a term that was lost, in place of what this node has acknowledged', async () => {
    const member = await DamagedMember.make(batches);
    member.rot(batches[19]!);
    const stale = BatchChain.after(batches[18]!).next({ payload: Buffer.alloc(8) });
    member.peer(2, [...batches.slice(0, 19), stale], 15);
    const storage = await member.open();
    expect(storage.log.lastIndex).toBeLessThan(20);
    expect(storage.mayHaveLost).toEqual({ index: 20, term: TERM });
    await storage.close();
  });

  test('also where the segments are all of the log: it begins anew', async () => {
    const member = await DamagedMember.make(batches);
    member.rot(batches[1]!);
    const log = (): void => member.peer(2, [], 0);
    log();
    const storage = await member.open();
    expect(storage.log.lastIndex).toBe(0);
    expect(storage.mayHaveLost).toEqual({ index: 20, term: TERM });
    expect(storage.snapshotMeta).toMatchObject({ index: 0, configuration: { voters: [] } });
    await storage.close();
  });
});

describe('the end of the log, at a clean stop', () => {
  const batches = chainOf(20);

  test('is remembered: a log that was shortened meanwhile is known to be', async () => {
    const member = await DamagedMember.make(batches);
    await (await member.open()).close();
    for (const name of member.segments().slice(1)) member.truncateSegment(name, 512 + 100);
    member.peer(2, [], 0);
    const storage = await member.open();
    expect(storage.log.lastIndex).toBeLessThan(20);
    expect(storage.mayHaveLost).toMatchObject({ index: expect.any(Number) as number });
    expect(storage.mayHaveLost!.index).toBeGreaterThanOrEqual(20);
    await storage.close();
  });

  test('and a node alone does not start on such a log', async () => {
    const member = await DamagedMember.make(batches);
    await (await member.open()).close();
    member.truncateSegment(member.segments().at(-1)!, 512);
    await expect(member.open('nobody')).rejects.toThrow(/\.log from byte \d+ on: entries \d+ to \d+/);
  });
});

describe('a log that begins behind a snapshot, and no snapshot', () => {
  const batches = chainOf(20);

  test('is set aside: the node begins anew, and knows how much it may have lost', async () => {
    const member = await DamagedMember.make(batches.slice(10), boundaryAfter(batches[9]!));
    const storage = await member.open();
    expect([storage.log.firstIndex, storage.log.lastIndex]).toEqual([1, 0]);
    expect(storage.mayHaveLost).toEqual({ index: 20, term: TERM });
    expect(storage.snapshotMeta).toMatchObject({ index: 0, configuration: { voters: [] } });
    expect(member.namesInLog().filter((name) => name.endsWith('.damaged-1')).length).toBeGreaterThan(0);
    await storage.close();
  });

  test('is refused by a node that has no peers', async () => {
    const member = await DamagedMember.make(batches.slice(10), boundaryAfter(batches[9]!));
    await expect(member.open('nobody')).rejects.toThrow('no snapshot that can be read reaches so far');
  });
});
