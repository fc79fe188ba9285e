import type { RecordPage } from '../../src/api/node-port';
import { encodeCommand } from '../../src/ledger/command-codec';
import { OUTCOME_ROW_BYTES } from '../../src/ledger/outcome-row';
import { LedgerState } from '../../src/ledger/state';
import { BatchKind, payloadOf, readHeader } from '../../src/log/batch';
import { encodeValues } from '../../src/log/chunk';
import { LogRangeError } from '../../src/log/log-errors';
import { OutcomeDamageError } from '../../src/node/outcome-keeper';
import { RecordReader } from '../../src/node/record-reader';
import { BatchChain, boundaryAfter } from '../support/batch-chain';
import { MemoryLog } from '../support/memory-log';

const ALL = 1 << 30;

/** A log in memory with everything applied that is in it, and peers who are asked for the rest. */
class World {
  readonly log = new MemoryLog();
  readonly chain = new BatchChain();
  readonly state = new LedgerState();
  applied = 0;
  nextOffset = 0;
  outcomes: Buffer[] = [];
  readonly askedPeers: [number, number, number][] = [];
  fromPeers: RecordPage | undefined;
  readonly outcomeReads: [number, number][] = [];

  readonly reader = new RecordReader({
    log: this.log,
    readOutcomes: async (offset, count) => {
      this.outcomeReads.push([offset, count]);
      return Buffer.concat(this.outcomes).subarray(offset * OUTCOME_ROW_BYTES, (offset + count) * OUTCOME_ROW_BYTES);
    },
    mendOutcomes: async () => false,
    damageAt: (offset) => new OutcomeDamageError(offset, undefined),
    ledgerCodes: (number) => this.state.reader.ledgerByNumber(number)?.code,
    holds: (number) => this.state.reader.hold(number),
    appliedIndex: () => this.applied,
    nextOffset: () => this.nextOffset,
    fromPeers: async (...asked) => {
      this.askedPeers.push(asked);
      return this.fromPeers;
    },
  });

  /** Appends one batch of chunks of values; returns its index. */
  append(kind: number, chunks: readonly (readonly Buffer[])[], type = 0): number {
    const count = kind === BatchKind.Records ? chunks.reduce((sum, values) => sum + values.length, 0) : 0;
    const payload = Buffer.concat(chunks.map((values) => encodeValues(type, [...values])));
    this.log.append(this.chain.next({ kind, count, payload }));
    return this.log.lastIndex;
  }

  values(...chunks: readonly (readonly string[])[]): number {
    return this.append(
      BatchKind.Records,
      chunks.map((values) => values.map((value) => Buffer.from(value))),
    );
  }

  async apply(upTo = this.log.lastIndex): Promise<void> {
    for (const batch of await this.log.read(this.applied + 1, ALL)) {
      const header = readHeader(batch);
      if (header.index > upTo) return;
      this.applied = header.index;
      if (header.kind !== BatchKind.Records && header.kind !== BatchKind.System) continue;
      const { time, baseOffset, count } = header;
      const kind = header.kind === BatchKind.System ? 'system' : 'records';
      const rows = this.state.apply({ time, baseOffset, kind, ...(kind === 'records' && { count }) }, payloadOf(batch));
      if (kind === 'records') this.outcomes.push(rows);
      this.nextOffset = baseOffset + count;
    }
  }
}

const seen = (page: RecordPage): [number, string][] =>
  page.records.map(({ offset, value }) => [offset, value.toString()]);

describe('RecordReader', () => {
  let world: World;
  beforeEach(() => {
    world = new World();
  });
  const page = (from: number, maxBytes = ALL): Promise<RecordPage> => world.reader.page(from, maxBytes, 1_000);

  test('gives dense offsets over batches and chunks; what takes no offset does not show', async () => {
    world.append(BatchKind.NoOp, []);
    world.values(['a', 'b'], ['c']);
    world.append(BatchKind.System, [[encodeCommand(createUsd())]], 1);
    world.append(BatchKind.NoOp, []);
    world.values(['d']);
    await world.apply();
    expect(seen(await page(0))).toEqual([
      [0, 'a'],
      [1, 'b'],
      [2, 'c'],
      [3, 'd'],
    ]);
    for (const from of [1, 2, 3]) expect((await page(from)).records[0]?.offset).toBe(from);
    const { records, firstOffset, nextOffset } = await page(1);
    expect([firstOffset, nextOffset, records.length]).toEqual([0, 4, 3]);
    expect(records[0]).toMatchObject({ term: 1, timestamp: 2_000, type: 0 });
  });

  test('never shows what is not applied, in the middle of the log or at its end', async () => {
    world.values(['a']);
    const half = world.values(['b']);
    world.values(['c']);
    await world.apply(half);
    expect(seen(await page(0))).toEqual([
      [0, 'a'],
      [1, 'b'],
    ]);
    expect(await page(2)).toEqual({ records: [], firstOffset: 0, nextOffset: 2 });
    expect(await page(99)).toEqual({ records: [], firstOffset: 0, nextOffset: 2 });
  });

  test('a page is bounded in bytes, holds one record at least, and the next goes on where it ended', async () => {
    for (let batch = 0; batch < 4; batch += 1) world.values(['0123456789', '0123456789'], ['0123456789']);
    await world.apply();
    expect((await page(0, 1)).records).toHaveLength(1);
    expect((await page(0, 2 * 42)).records).toHaveLength(2);
    const offsets: number[] = [];
    for (let from = 0; from < 12; from = (offsets.at(-1) as number) + 1) {
      const { records } = await page(from, 100);
      expect(records.length).toBeLessThanOrEqual(4);
      offsets.push(...records.map((record) => record.offset));
    }
    expect(offsets).toEqual(Array.from({ length: 12 }, (_, at) => at));
  });

  test('a page of empty values ends, too', async () => {
    world.append(BatchKind.Records, [Array.from({ length: 1_000 }, () => Buffer.alloc(0))]);
    await world.apply();
    expect((await page(0, 3_200)).records).toHaveLength(100);
  });

  test('a record of the ledger comes with its outcome, and only the outcomes that are needed are read', async () => {
    world.append(BatchKind.System, [[encodeCommand(createUsd())]], 1);
    const open = (name: string): Buffer => encodeCommand(openAccount(name));
    world.append(BatchKind.Records, [[open('Alice'), open('Bob')], [open('Carol')]], 1);
    await world.apply();
    const { records } = await page(1);
    expect(records.map((record) => record.type)).toEqual([1, 1]);
    expect(records[0]?.value.includes('Bob')).toBe(true);
    expect(records[0]?.value.length).toBeGreaterThan(open('Bob').length);
    expect(world.outcomeReads).toEqual([[1, 2]]);
  });

  test('a committed batch that nobody can read is named, and nothing else of it is made up', async () => {
    world.log.append(world.chain.next({ kind: BatchKind.Records, count: 2, payload: Buffer.from('no chunk at all') }));
    await world.apply();
    await expect(page(0)).rejects.toMatchObject({ code: 'FAILED_PRECONDITION', reason: 'RECORD_UNDECODABLE' });
  });

  describe('below what this node holds', () => {
    const found: RecordPage = { records: [], firstOffset: 0, nextOffset: 7 };

    beforeEach(async () => {
      const first = world.values(['a', 'b']);
      world.values(['c']);
      await world.apply();
      await world.log.sync();
      await world.log.truncatePrefix(first);
    });

    test('the peers are asked, with what is left of the deadline', async () => {
      world.fromPeers = found;
      expect(await page(1, 10)).toBe(found);
      expect(world.askedPeers).toEqual([[1, 10, 1_000]]);
      expect(seen(await page(2))).toEqual([[2, 'c']]);
      expect(world.askedPeers).toHaveLength(1);
    });

    test('where no peer has it, the answer says from where on there is something', async () => {
      expect(await page(0)).toEqual({ records: [], firstOffset: 2, nextOffset: 3 });
    });

    test('a peer that asks is told only what is here: nobody passes on what he does not have', async () => {
      expect(await world.reader.own(0, ALL)).toEqual({ records: [], firstOffset: 2, nextOffset: 3 });
      expect(await world.reader.own(-5, ALL)).toMatchObject({ records: [] });
      expect(world.askedPeers).toEqual([]);
    });
  });

  test('what was dropped under a snapshot while it was read is asked of the peers', async () => {
    world.values(['a']);
    await world.apply();
    const gone = new LogRangeError('compacted', 'dropped');
    jest.spyOn(world.log, 'read').mockRejectedValueOnce(gone);
    await expect(page(0)).rejects.toMatchObject({ code: 'UNAVAILABLE', reason: 'NOT_READY' });
    expect(world.askedPeers).toEqual([[0, ALL, 1_000]]);
  });

  test('while another state is being installed nobody is told that there is nothing where something is', async () => {
    world.values(['a']);
    await world.apply();
    // The state stands at its new place already, and the log not yet.
    world.nextOffset = 900;
    await expect(page(500)).rejects.toMatchObject({ code: 'UNAVAILABLE', reason: 'NOT_READY' });
    world.fromPeers = { records: [], firstOffset: 0, nextOffset: 900 };
    expect(await page(500)).toBe(world.fromPeers);
  });

  test('a record whose outcome is lost here is asked of the peers, and never shown without it', async () => {
    world.append(BatchKind.System, [[encodeCommand(createUsd())]], 1);
    world.append(BatchKind.Records, [[encodeCommand(openAccount('Alice'))]], 1);
    await world.apply();
    world.outcomes = [Buffer.alloc(OUTCOME_ROW_BYTES)];
    await expect(page(0)).rejects.toMatchObject({ reason: 'NOT_READY' });
    expect(world.askedPeers).toEqual([[0, ALL, 1_000]]);
    await expect(world.reader.own(0, ALL)).rejects.toThrow('outcome of the record at offset 0 is damaged or missing');
  });

  test('a disk that fails is not hidden by asking the peers', async () => {
    world.values(['a']);
    await world.apply();
    jest.spyOn(world.log, 'read').mockRejectedValueOnce(new Error('EIO'));
    await expect(page(0)).rejects.toThrow('EIO');
    expect(world.askedPeers).toEqual([]);
  });

  test('a node that was given its state by a snapshot has nothing of its own before it', async () => {
    const given = new World();
    given.chain.end = boundaryAfter(world.chain.next({ count: 5 }));
    await given.log.reset(given.chain.end);
    given.applied = 1;
    given.nextOffset = 5;
    expect(await given.reader.page(3, ALL, 1_000)).toEqual({ records: [], firstOffset: 5, nextOffset: 5 });
    expect(given.askedPeers).toEqual([[3, ALL, 1_000]]);
  });
});

function createUsd(): Parameters<typeof encodeCommand>[0] {
  return {
    kind: 'create_ledger',
    code: 'USD',
    scale: 2,
    autoOpen: false,
    rounding: 0,
    defaultMinBalance: 0n,
    defaultMaxBalance: undefined,
  };
}

function openAccount(name: string): Parameters<typeof encodeCommand>[0] {
  const given = { kind: 'default' } as const;
  return { kind: 'open_account', name, ledger: 'USD', min: given, max: given, userData: 0n, metadata: Buffer.alloc(0) };
}
