import { BatchKind, readHeader, verifyBatch, type BatchHeader } from '../../../src/log/batch';
import { Sealer } from '../../../src/raft/replica/sealer';
import { MemoryLog } from '../../support/memory-log';
import { ManualClock } from './manual-world';

describe('Sealer', () => {
  let clock: ManualClock;
  let log: MemoryLog;
  let sealer: Sealer;
  beforeEach(() => {
    clock = new ManualClock();
    log = new MemoryLog(undefined, 3);
    sealer = new Sealer(log, 3, clock);
  });

  const seal = (
    index: number,
    { kind = BatchKind.Records, term = 1, count = 1 }: Partial<BatchHeader> = {},
  ): Buffer => {
    const payload = kind === BatchKind.NoOp ? [] : [Buffer.from('some'), Buffer.from('thing')];
    return sealer.seal(kind, index, term, 0, payload, kind === BatchKind.Records ? count : 0);
  };

  test('continues the log: index, term, offset, chain, group', () => {
    for (const count of [2, 3, 1]) log.append(seal(log.lastIndex + 1, { count }));
    const header = verifyBatch(seal(4));
    expect(header).toMatchObject({ index: 4, term: 1, baseOffset: 6, count: 1, group: 3, commitIndex: 0 });
    expect(header.previousHash).toEqual(log.lastHash);
  });

  test('several are sealed before the first is appended', () => {
    const batches = [1, 2, 3].map((index) => seal(index, { count: index }));
    for (const batch of batches) log.append(batch);
    expect(log.nextOffset).toBe(6);
    expect(log.lastIndex).toBe(3);
  });

  test('time strictly increases, though the clock stands still or goes back', () => {
    const times: number[] = [];
    for (const wall of [clock.wall, clock.wall, clock.wall - 5_000_000, clock.wall + 7]) {
      clock.wall = wall;
      const batch = seal(log.lastIndex + 1);
      log.append(batch);
      times.push(readHeader(batch).time);
    }
    const first = times[0] as number;
    expect(times).toEqual([first, first + 1, first + 2, first + 7]);
  });

  test('also after a leader whose clock was ahead', () => {
    clock.wall += 60_000_000;
    log.append(seal(1));
    clock.wall -= 60_000_000;
    expect(readHeader(new Sealer(log, 3, clock).seal(BatchKind.NoOp, 2, 2, 1, [], 0)).time).toBe(log.lastTime + 1);
  });

  test('the first entry of all takes the clock, whatever it is', () => {
    expect(readHeader(seal(1, { kind: BatchKind.NoOp })).time).toBe(clock.wall);
  });

  test('an election and a change of members do not take the clock: only records move the time of the log', () => {
    log.append(seal(1));
    const { lastTime } = log;
    clock.wall += 365 * 24 * 3_600_000_000;
    log.append(seal(2, { kind: BatchKind.NoOp }));
    log.append(seal(3, { kind: BatchKind.Configuration }));
    expect(log.lastTime).toBe(lastTime + 2);
    log.append(seal(4));
    expect(log.lastTime).toBe(clock.wall);
  });

  test('after its own entries were overwritten it continues what is in the log now, not what it sealed last', async () => {
    log.append(seal(1));
    log.append(seal(2, { count: 9 }));
    await log.truncateSuffix(2);
    log.append(new Sealer(log, 3, clock).seal(BatchKind.NoOp, 2, 2, 1, [], 0));
    const header = verifyBatch(seal(3, { term: 3 }));
    expect(header.baseOffset).toBe(1);
    expect(header.previousHash).toEqual(log.lastHash);
  });

  test('a gap is a broken invariant, not a batch', () => {
    log.append(seal(1));
    expect(() => seal(3)).toThrow('A batch with index 3 was to be sealed, but the log ends at 1');
  });
});
