import { encodeCommand } from '../../src/ledger/command-codec';
import { SnapshotFormatError } from '../../src/ledger/snapshot-format';
import { BatchKind, readHeader } from '../../src/log/batch';
import { encodeValues } from '../../src/log/chunk';
import { CHECK_EVERY, CHECKS_KEPT, GroupHistory, HistoryReader } from '../../src/node/group-history';
import { leafOf } from '../../src/proof/leaf';
import { LedgerMachine } from '../../src/node/ledger-machine';
import { sha256 } from '../../src/proof/hashes';
import { BatchChain } from '../support/batch-chain';

const usd = encodeCommand({
  ...{ kind: 'create_ledger', code: 'USD', scale: 2, autoOpen: false, rounding: 0 },
  ...{ defaultMinBalance: 0n, defaultMaxBalance: undefined },
});

const EMPTY = Buffer.alloc(0);

const machineOf = (seed: number): LedgerMachine =>
  new LedgerMachine({ write: () => undefined, sync: async () => undefined }, seed);

/** The same log for every machine: values, and what is Raft's own. */
class Log {
  private readonly chain = new BatchChain();

  apply(machines: readonly LedgerMachine[], entries: number): void {
    for (let i = 0; i < entries; i++) {
      const payload = encodeValues(i % 3 === 0 ? 1 : 0, [i % 3 === 0 ? usd : Buffer.from(`v${i}`)]);
      const batch = this.chain.next(
        i % 5 === 4 ? { kind: BatchKind.NoOp, payload: EMPTY } : { kind: BatchKind.Records, count: 1, payload },
      );
      for (const machine of machines) machine.apply(batch, readHeader(batch));
    }
  }
}

async function* inPieces(chunks: Iterable<Buffer>, size: number): AsyncGenerator<Buffer> {
  const whole = Buffer.concat([...chunks]);
  for (let at = 0; at < whole.length; at += size) yield whole.subarray(at, at + size);
}

const rootOf = (machine: LedgerMachine): string => machine.history.tree.root().toString('hex');

describe('what a state knows of its log', () => {
  test('is the same on every node: root and checks', () => {
    const [one, other] = [machineOf(1), machineOf(99)];
    new Log().apply([one, other], CHECK_EVERY * 2 + 3);
    expect(one.history.tree.size).toBe(CHECK_EVERY * 2 + 3);
    expect(rootOf(one)).toBe(rootOf(other));
    expect(one.history.checks.map(({ index }) => index)).toEqual([CHECK_EVERY, CHECK_EVERY * 2]);
    expect(one.history.checks).toEqual(other.history.checks);
  });

  test('covers what was decided: another outcome is another leaf', () => {
    const batch = new BatchChain().next({ payload: encodeValues(0, [Buffer.from('v')]) });
    const header = readHeader(batch);
    expect(leafOf(header, Buffer.alloc(64, 1))).not.toEqual(leafOf(header, Buffer.alloc(64, 2)));
    // What has no records has no outcomes that are kept, whatever was handed in.
    const own = { kind: BatchKind.System, count: 0, hash: header.hash };
    expect(leafOf(own, Buffer.alloc(64, 1))).toEqual(leafOf(own, Buffer.alloc(0)));
  });

  test('keeps the newest checks only', () => {
    const machine = machineOf(1);
    new Log().apply([machine], CHECK_EVERY * (CHECKS_KEPT + 2));
    expect(machine.history.checks).toHaveLength(CHECKS_KEPT);
    expect(machine.history.checks[0]!.index).toBe(CHECK_EVERY * 3);
  });

  test.each([1, 7, 16, 1000, 1 << 20])('is in a snapshot, in pieces of %i bytes, and goes on from it', async (size) => {
    const [one, restored] = [machineOf(1), machineOf(2)];
    const log = new Log();
    log.apply([one], CHECK_EVERY + 77);
    const { nextOffset } = one;
    const chunks = one.snapshot();
    log.apply([one], 50);
    await restored.restore(inPieces(chunks, size), { nextOffset });
    expect(restored.history.tree.size).toBe(CHECK_EVERY + 77);
    expect(restored.history.checks).toEqual([]);
  });

  test('a machine that was restored goes on to the same root and the same checks as one that was not', async () => {
    const [one, restored] = [machineOf(1), machineOf(2)];
    const log = new Log();
    log.apply([one], 200);
    await restored.restore(inPieces(one.snapshot(), 4096), { nextOffset: one.nextOffset });
    log.apply([one, restored], CHECK_EVERY);
    expect(rootOf(restored)).toBe(rootOf(one));
    expect(restored.history.checks).toEqual(one.history.checks);
  });

  test('takes no entry out of its turn', () => {
    const batch = new BatchChain().next({ kind: BatchKind.NoOp, payload: EMPTY });
    const history = new GroupHistory();
    const header = readHeader(batch);
    const slice = (): Buffer => sha256(Buffer.alloc(0));
    history.took(header, Buffer.alloc(0), slice);
    expect(() => history.took(header, Buffer.alloc(0), slice)).toThrow('Entry 1 was applied where entry 2 was to be.');
  });

  test('refuses a snapshot without it, or with half of it', () => {
    const reader = new HistoryReader();
    expect(() => reader.take(Buffer.alloc(16, 1))).toThrow(SnapshotFormatError);
    const half = new HistoryReader();
    half.take(Buffer.concat([...new GroupHistory().capture()]).subarray(0, 10));
    expect(() => half.finish()).toThrow('it stops within the history');
  });
});
