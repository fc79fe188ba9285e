import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { encodeCommand } from '../../src/ledger/command-codec';
import { FrameKind, SnapshotFormatError } from '../../src/ledger/snapshot-format';
import { LedgerState } from '../../src/ledger/state';
import { EXTRAS_GO_WITH_ROWS, Tables } from '../../src/ledger/tables';
import { encodeValues } from '../../src/log/chunk';
import { createLedger, LedgerUnderTest, linked, openAccount, transfer, uuid } from './ledger-under-test';
import { Operations } from './long-history/operations';

const BATCHES = 12;
const FRAME_HEADER_BYTES = 8;

/** Operations of every kind; before batch `switchAt` extras begin to go with their rows. */
function history(seed: number, switchAt: number): LedgerUnderTest {
  const ledger = new LedgerUnderTest(new Tables(0), 1);
  const operations = new Operations(seed);
  ledger.do(...operations.start());
  for (let i = 0; i < BATCHES; i++) {
    if (i === switchAt) ledger.state.switchRules(EXTRAS_GO_WITH_ROWS);
    ledger.do(...operations.batch(100));
  }
  return ledger;
}

/** Each with a text id and metadata. */
function withTexts(count: number, from = 0): ReturnType<typeof transfer>[] {
  return Array.from({ length: count }, (_, i) =>
    transfer({ id: `order ${from + i}`, from: 'bank', to: 'shop', amount: 1n, metadata: Buffer.alloc(900, `of ${i}`) }),
  );
}

function newest(): LedgerUnderTest {
  const ledger = new LedgerUnderTest();
  ledger.do(createLedger('USD'), openAccount('bank', { min: 'none' }), openAccount('shop'));
  return ledger;
}

function snapshotOf(state: LedgerState): Buffer {
  return Buffer.concat([...state.snapshot()].map((chunk) => Buffer.from(chunk)));
}

/** Position and length of the body of each frame of extras. */
function extrasIn(snapshot: Buffer): { at: number; length: number }[] {
  const found: { at: number; length: number }[] = [];
  for (let at = 0; at < snapshot.length;) {
    const length = snapshot.readUInt32LE(at + 4);
    if (snapshot.readUInt32LE(at) === FrameKind.EXTRAS) found.push({ at: at + FRAME_HEADER_BYTES, length });
    at += FRAME_HEADER_BYTES + length;
  }
  return found;
}

describe('what transfers have beyond their rows', () => {
  test('is where it always was under the first rules: hash and snapshot are those that the first program made', () => {
    const { state } = history(2_024, BATCHES);
    expect(state.hash()).toBe('438af6f45028a646ddbbc7a7c90cc56a0b04617aa8e9053c3a9ba79c30b1c6c5');
    expect(createHash('sha256').update(snapshotOf(state)).digest('hex')).toBe(
      '3781298cf5f32afdabe43314d5d8bf5bf742e0c18fcec7f0f930f11495382a8f',
    );
  });

  test('decides nothing otherwise, wherever the switch is, and snapshots hold all of it', () => {
    const property = fc.property(fc.nat(2 ** 31), fc.nat(BATCHES - 1), (seed, switchAt) => {
      const before = history(seed, BATCHES);
      const after = history(seed, switchAt);
      expect(after.batches.map(({ outcomes }) => outcomes)).toEqual(before.batches.map(({ outcomes }) => outcomes));
      expect(after.state.hash()).not.toBe(before.state.hash());
      after.state.assertInvariants();
      const restored = LedgerState.restore(after.state.snapshot(), seed);
      expect(restored.hash()).toBe(after.state.hash());
      expect(snapshotOf(restored).equals(snapshotOf(after.state))).toBe(true);
      restored.assertInvariants();
      // A snapshot of the time before, switched later, is as one that was there all the time.
      const late = LedgerState.restore(before.state.snapshot());
      late.switchRules(EXTRAS_GO_WITH_ROWS);
      before.state.switchRules(EXTRAS_GO_WITH_ROWS);
      expect(late.hash()).toBe(before.state.hash());
    });
    fc.assert(property, { numRuns: 6 });
  }, 60_000);

  test('is part of the hash of the state: one byte of metadata makes another one', () => {
    const [one, other] = ['m', 'n'].map((metadata) => {
      const ledger = newest();
      // Enough of them that the one in question is in a whole unit of the hash.
      const first = transfer({ id: 'x', from: 'bank', to: 'shop', amount: 1n, metadata: Buffer.from(metadata) });
      ledger.do(first, ...withTexts(100));
      return ledger.state.hash();
    });
    expect(one).not.toBe(other);
  });

  test('of a group that failed is gone, over any number of pages', () => {
    const ledger = newest();
    const { extras } = ledger.tables.transfers;
    ledger.do(...withTexts(3));
    const [hash, bytes] = [ledger.state.hash(), extras.table.bytes];
    const failing = transfer({ id: 'too much', from: 'shop', to: 'bank', amount: 10n ** 9n });
    const results = ledger.results(...linked('group', ...withTexts(2_000, 3), failing));
    expect(results.at(-1)).toBe('insufficient_funds');
    // The member that failed is remembered, for it might pass later.
    expect(extras.table.bytes - bytes).toBeLessThan(60);
    expect(ledger.state.hash()).not.toBe(hash);
    ledger.do(...withTexts(2_500, 3));
    ledger.state.assertInvariants();
    const restored = LedgerState.restore(ledger.state.snapshot());
    expect(restored.hash()).toBe(ledger.state.hash());
    expect(restored.reader.transferById({ kind: 'text', text: 'order 2502' })?.metadata.toString()).toMatch(/^of 2499/);
  });

  test('of a rehearsal is gone, and one after the other gets the same place', () => {
    const ledger = newest();
    ledger.do(...withTexts(2_000));
    const hash = ledger.state.hash();
    const payload = encodeValues(1, withTexts(1_500, 2_000).map(encodeCommand));
    for (let i = 0; i < 3; i++) ledger.state.rehearse(ledger.time + 1, payload, () => undefined);
    expect(ledger.state.hash()).toBe(hash);
    ledger.do(transfer({ id: uuid(1), from: 'bank', to: 'shop', amount: 1n, metadata: Buffer.from('last') }));
    expect(LedgerState.restore(ledger.state.snapshot()).hash()).toBe(ledger.state.hash());
  });

  test('that does not fit the rows makes a snapshot one that cannot be read', () => {
    const ledger = newest();
    ledger.do(...withTexts(3));
    const snapshot = snapshotOf(ledger.state);
    const [frame] = extrasIn(snapshot);
    const { at, length } = frame!;
    const cut = (bytes: number): Buffer => {
      const header = Buffer.from(snapshot.subarray(at - FRAME_HEADER_BYTES, at));
      header.writeUInt32LE(length - bytes, 4);
      return Buffer.concat([
        snapshot.subarray(0, at - FRAME_HEADER_BYTES),
        header,
        snapshot.subarray(at, at + length - bytes),
        snapshot.subarray(at + length),
      ]);
    };
    const third = length / 3;
    expect(() => LedgerState.restore([cut(1)])).toThrow(SnapshotFormatError);
    expect(() => LedgerState.restore([cut(third)])).toThrow(SnapshotFormatError);
    const twice = Buffer.concat([
      snapshot.subarray(0, at + length),
      snapshot.subarray(at - FRAME_HEADER_BYTES, at + length),
      snapshot.subarray(at + length),
    ]);
    expect(() => LedgerState.restore([twice])).toThrow(SnapshotFormatError);
    expect(LedgerState.restore([snapshot]).hash()).toBe(ledger.state.hash());
  });

  test('is not in the snapshot of an empty state', () => {
    const state = new LedgerState(new Tables(0));
    state.switchRules(EXTRAS_GO_WITH_ROWS);
    expect(LedgerState.restore(state.snapshot()).hash()).toBe(state.hash());
    expect(LedgerState.restore(state.snapshot()).rulesVersion).toBe(2);
  });
});
