import { ResultCode } from '../../src/ledger/result-codes';
import { FrameKind, SnapshotFormatError } from '../../src/ledger/snapshot-format';
import { SnapshotReader } from '../../src/ledger/snapshot-reader';
import { LedgerState } from '../../src/ledger/state';
import { Tables } from '../../src/ledger/tables';
import { LedgerUnderTest, openAccount, packed, transfer, uuid } from './ledger-under-test';

function history(): LedgerUnderTest {
  const ledger = LedgerUnderTest.withAccounts('alice', 'bob');
  ledger.do(openAccount('rich', { max: '99.50', userData: 7n, metadata: Buffer.from('meta') }));
  ledger.do(
    transfer({ id: uuid(1), from: 'bank', to: 'alice', amount: '1', metadata: Buffer.from('m') }),
    transfer({ id: 'text', from: 'alice', to: 'bob', amount: '0.5' }),
    transfer({ id: 'refused', from: 'nobody', to: 'bob', amount: '0.5' }),
  );
  return ledger;
}

function bytesOf(state: LedgerState): Buffer {
  return Buffer.concat([...state.snapshot()]);
}

describe('a snapshot', () => {
  test('holds everything: hash, balances, ids, refusals, counters', () => {
    const ledger = history();
    const restored = LedgerState.restore(ledger.state.snapshot());
    expect(restored.hash()).toBe(ledger.state.hash());
    expect(restored.nextOffset).toBe(ledger.offset);
    expect(restored.reader.counts()).toEqual(ledger.state.reader.counts());
    expect(restored.reader.account('rich')).toEqual(ledger.state.reader.account('rich'));
    expect(restored.reader.transferById({ kind: 'text', text: 'refused' })).toMatchObject({
      result: ResultCode.DEBIT_ACCOUNT_NOT_FOUND,
      debitAccount: 'nobody',
    });
    restored.assertInvariants();
  });

  test('of an empty state is one too', () => {
    const empty = new LedgerState();
    expect(LedgerState.restore(empty.snapshot()).hash()).toBe(empty.hash());
  });

  test('may come in pieces of any size', () => {
    const ledger = history();
    const bytes = bytesOf(ledger.state);
    for (const size of [1, 7, 4096]) {
      const reader = new SnapshotReader(0);
      // The buffer is used again, as a socket's may be.
      const piece = Buffer.alloc(size);
      for (let at = 0; at < bytes.length; at += size) {
        const copied = bytes.copy(piece, 0, at, at + size);
        reader.push(piece.subarray(0, copied));
      }
      expect(new LedgerState(reader.finish()).hash()).toBe(ledger.state.hash());
    }
  });

  test('is the state at the moment of the call, however much is applied while it is read', () => {
    const ledger = history();
    const then = ledger.state.hash();
    const first = ledger.state.snapshot();
    const pieces: Buffer[] = [];
    let n = 100;
    for (const piece of first) {
      pieces.push(Buffer.from(piece));
      ledger.rows([packed(n++, ledger.handle('bank'), ledger.handle('bob'), 1n)]);
      ledger.transfer({ id: `t${n}`, from: 'bank', to: 'alice', amount: '1' });
      ledger.do(openAccount(`account ${n}`));
    }
    expect(LedgerState.restore(pieces).hash()).toBe(then);
    expect(ledger.state.hash()).not.toBe(then);
    expect(LedgerState.restore(ledger.state.snapshot()).hash()).toBe(ledger.state.hash());
    expect(ledger.replayed().hash()).toBe(ledger.state.hash());
  });

  test('two at once do not disturb each other, and one may be given up', () => {
    const ledger = history();
    const first = ledger.state.snapshot()[Symbol.iterator]();
    const firstHash = ledger.state.hash();
    const head = first.next().value as Buffer;
    ledger.transfer({ id: 'a', from: 'bank', to: 'alice', amount: '1' });
    const second = [...ledger.state.snapshot()].map((piece) => Buffer.from(piece));
    const secondHash = ledger.state.hash();
    ledger.transfer({ id: 'b', from: 'bank', to: 'alice', amount: '1' });
    const rest: Buffer[] = [];
    for (let next = first.next(); next.done !== true; next = first.next()) rest.push(Buffer.from(next.value));
    expect(LedgerState.restore([head, ...rest]).hash()).toBe(firstHash);
    expect(LedgerState.restore(second).hash()).toBe(secondHash);
    const givenUp = ledger.state.snapshot()[Symbol.iterator]();
    givenUp.next();
    givenUp.return?.();
    expect(ledger.tables.accounts.hot.isFrozen).toBe(false);
  });

  test('that nobody began to read is let go of as well', () => {
    const { state, tables } = history();
    const givenUp = state.snapshot();
    const tablesOf = [tables.accounts.hot, tables.accounts.cold, tables.holds.rows, tables.reversals.rows];
    expect(tablesOf.map(({ isFrozen }) => isFrozen)).toEqual([true, true, true, true]);
    givenUp[Symbol.iterator]().return?.();
    expect(tablesOf.map(({ isFrozen }) => isFrozen)).toEqual([false, false, false, false]);
  });
});

describe('what is not a snapshot is refused with a reason', () => {
  const read = (bytes: Buffer): LedgerState => LedgerState.restore([bytes]);

  test('cut short at any frame', () => {
    const pieces = [...history().state.snapshot()].map((piece) => Buffer.from(piece));
    for (let kept = 0; kept < pieces.length; kept++) {
      expect(() => read(Buffer.concat(pieces.slice(0, kept)))).toThrow(SnapshotFormatError);
    }
  });

  test.each<[string, (bytes: Buffer) => unknown]>([
    ['begin', (bytes) => bytes.writeUInt32LE(1, 8)],
    ['version 5', (bytes) => bytes.writeUInt32LE(5, 12)],
    ['results', (bytes) => bytes.writeUInt32LE(9999, 64)],
    ['follow', (bytes) => bytes.writeUInt32LE(FrameKind.HOT, 0)],
    ['longer than any page', (bytes) => bytes.writeUInt32LE(0x7fff_ffff, 4)],
    ['as many rows', (bytes) => bytes.writeUInt32LE(99, 8 + 44)],
  ])('%s', (reason, damage) => {
    const bytes = bytesOf(history().state);
    damage(bytes);
    expect(() => read(bytes)).toThrow(SnapshotFormatError);
    expect(() => read(bytes)).toThrow(reason);
  });

  test('an unknown frame, or a page that is not whole rows', () => {
    const frame = (kind: number, length: number): Buffer => {
      const bytes = Buffer.alloc(8 + length);
      bytes.writeUInt32LE(kind, 0);
      bytes.writeUInt32LE(length, 4);
      return bytes;
    };
    const [head] = new LedgerState().snapshot();
    for (const [kind, length] of [
      [99, 0],
      [FrameKind.HOT, 65],
      [FrameKind.HOT, 0],
      [FrameKind.ARENA, 7],
      [FrameKind.LEDGER, 3],
    ] as const) {
      expect(() => read(Buffer.concat([head as Buffer, frame(kind, length)]))).toThrow(SnapshotFormatError);
    }
  });
});

describe('the hash of the state', () => {
  test('is asked for again and again without starting anew, and changes with everything', () => {
    const ledger = new LedgerUnderTest(new Tables(3));
    const seen = new Set([ledger.state.hash()]);
    const commands = [
      { kind: 'create_ledger', code: 'USD', scale: 0, autoOpen: true, rounding: 0 } as const,
      openAccount('a'),
      transfer({ id: 'x', from: 'nobody', to: 'a', amount: '1' }),
      transfer({ id: 'x', from: 'nobody', to: 'a', amount: '1' }),
      transfer({ id: 'x', from: 'nobody', to: 'a', amount: '2' }),
    ];
    for (const command of commands) {
      const [row] = ledger.do(
        command.kind === 'create_ledger'
          ? { ...command, defaultMinBalance: 0n, defaultMaxBalance: undefined }
          : command,
      );
      expect(row).toBeDefined();
      seen.add(ledger.state.hash());
      expect(ledger.replayed().hash()).toBe(ledger.state.hash());
    }
    expect(seen.size).toBe(commands.length + 1);
  });

  test('takes in full pages once: more rows than a page has', () => {
    const ledger = LedgerUnderTest.withAccounts('a');
    for (let batch = 0; batch < 5; batch++) {
      ledger.rows(Array.from({ length: 8000 }, (_, i) => packed(batch * 8000 + i, 1, 2, 1n)));
      if (batch === 2) ledger.state.hash();
    }
    expect(ledger.state.reader.counts().transfers).toBe(40_000);
    expect(ledger.replayed().hash()).toBe(ledger.state.hash());
    expect(LedgerState.restore(ledger.state.snapshot()).hash()).toBe(ledger.state.hash());
    ledger.state.assertInvariants();
  });
});
