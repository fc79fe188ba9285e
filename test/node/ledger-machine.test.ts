import { encodeCommand } from '../../src/ledger/command-codec';
import type { Tables } from '../../src/ledger/tables';
import { OUTCOME_ROW_BYTES } from '../../src/ledger/outcome-row';
import { RULES_VERSIONS } from '../../src/ledger/rules-versions';
import { BatchKind, readHeader, type BatchHeader } from '../../src/log/batch';
import { encodeValues } from '../../src/log/chunk';
import type { OutcomeStore } from '../../src/log/outcomes';
import { LedgerMachine } from '../../src/node/ledger-machine';
import { BatchChain, type NextBatch } from '../support/batch-chain';

type Kept = Pick<OutcomeStore, 'write' | 'sync'>;

class World {
  readonly kept: [number, Buffer][] = [];
  readonly machine: LedgerMachine;
  readonly chain = new BatchChain();

  constructor(seed = 1) {
    const outcomes: Kept = {
      write: (offset, rows) => void this.kept.push([offset, rows]),
      sync: async () => undefined,
    };
    this.machine = new LedgerMachine(outcomes, seed);
  }

  apply(options: NextBatch): [Buffer, BatchHeader] {
    const batch = this.chain.next(options);
    const header = readHeader(batch);
    return [this.machine.apply(batch, header), header];
  }
}

const usd = encodeCommand({
  kind: 'create_ledger',
  code: 'USD',
  scale: 2,
  autoOpen: false,
  rounding: 0,
  defaultMinBalance: 0n,
  defaultMaxBalance: undefined,
});
const values = (type: number, ...records: string[]): Buffer =>
  encodeValues(
    type,
    records.map((text) => Buffer.from(text)),
  );

async function* streamed(chunks: Iterable<Buffer>): AsyncIterable<Buffer> {
  yield* chunks;
}

describe('LedgerMachine', () => {
  test('records take offsets and their outcomes are kept; system records take none', () => {
    const world = new World();
    const [rows] = world.apply({ kind: BatchKind.System, payload: encodeValues(1, [usd]) });
    expect(rows).toHaveLength(OUTCOME_ROW_BYTES);
    expect(world.machine.nextOffset).toBe(0);
    expect(world.machine.reader.ledger('USD')).toBeDefined();
    expect(world.kept).toEqual([]);
    const [outcomes] = world.apply({ count: 3, payload: values(0, 'a', 'b', 'c') });
    expect(outcomes).toHaveLength(3 * OUTCOME_ROW_BYTES);
    expect(world.machine.nextOffset).toBe(3);
    world.apply({ count: 1, payload: values(1, 'no command') });
    expect(world.kept.map(([offset, kept]) => [offset, kept.length])).toEqual([
      [0, 3 * OUTCOME_ROW_BYTES],
      [3, OUTCOME_ROW_BYTES],
    ]);
  });

  test('what is Raft’s own changes nothing', () => {
    const world = new World();
    const before = world.machine.hash();
    for (const kind of [BatchKind.NoOp, BatchKind.Configuration]) {
      const payload = kind === BatchKind.NoOp ? Buffer.alloc(0) : Buffer.from('{}');
      expect(world.apply({ kind, payload })[0]).toHaveLength(0);
    }
    expect(world.machine.hash()).toBe(before);
  });

  test.each([
    ['no chunk at all', Buffer.from('what?')],
    ['fewer records than it says', values(0, 'a')],
    ['more records than it says', values(0, 'a', 'b', 'c', 'd')],
    ['none', Buffer.alloc(0)],
  ])('is total: a batch that says three and holds %s has three outcomes', (_what, payload) => {
    const world = new World();
    expect(world.apply({ count: 3, payload })[0]).toHaveLength(3 * OUTCOME_ROW_BYTES);
    expect(world.machine.nextOffset).toBe(3);
    expect(world.apply({ count: 1, payload: values(0, 'next') })[1].baseOffset).toBe(3);
  });

  test('a snapshot restores the same state on another node, and what came later does not show in it', async () => {
    const world = new World();
    world.apply({ kind: BatchKind.System, payload: encodeValues(1, [usd]) });
    world.apply({ count: 2, payload: values(0, 'a', 'b') });
    const hash = world.machine.hash();
    const snapshot = world.machine.snapshot();
    world.apply({ count: 1, payload: values(0, 'later') });
    const other = new World(99);
    await other.machine.restore(streamed(snapshot), { nextOffset: 2 });
    expect(other.machine.hash()).toBe(hash);
    expect(other.machine.nextOffset).toBe(2);
    expect(other.machine.reader.ledger('USD')).toBeDefined();
  });

  test.each([0, 1])(
    'a snapshot that is ended after %s pieces, before those of the ledger, freezes nothing any more',
    (pieces) => {
      const world = new World();
      world.apply({ kind: BatchKind.System, payload: encodeValues(1, [usd]) });
      const { hot } = (world.machine as unknown as { state: { tables: Tables } }).state.tables.accounts;
      const givenUp = world.machine.snapshot()[Symbol.iterator]();
      for (let read = 0; read < pieces; read++) givenUp.next();
      expect(hot.isFrozen).toBe(true);
      givenUp.return?.();
      expect(hot.isFrozen).toBe(false);
    },
  );

  test('a snapshot that stands elsewhere than it says is not taken', async () => {
    const world = new World();
    world.apply({ count: 2, payload: values(0, 'a', 'b') });
    const other = new World();
    const before = other.machine.hash();
    await expect(other.machine.restore(streamed(world.machine.snapshot()), { nextOffset: 3 })).rejects.toThrow(
      'stands at offset 3, but its state stands at 2',
    );
    expect(other.machine.hash()).toBe(before);
  });

  test('stops at rules that this program does not know', () => {
    const version = Buffer.alloc(4);
    version.writeUInt32LE(1);
    const world = new World();
    expect(world.apply({ kind: BatchKind.Version, payload: version })[0]).toHaveLength(0);
    version.writeUInt32LE(RULES_VERSIONS.length + 1);
    expect(() => world.apply({ kind: BatchKind.Version, payload: version })).toThrow(/version/);
  });
});
