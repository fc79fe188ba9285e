import fc from 'fast-check';
import { encodeCommand } from '../../src/ledger/command-codec';
import { InvariantViolation } from '../../src/ledger/invariant';
import { OUTCOME_ROW_BYTES } from '../../src/ledger/outcome-row';
import { ResultCode } from '../../src/ledger/result-codes';
import { LedgerState } from '../../src/ledger/state';
import { encodeRows, encodeValues } from '../../src/log/chunk';
import { createLedger, decodeRows, LedgerUnderTest, openAccount, packed, transfer, uuid } from './ledger-under-test';
import { transferOptions } from './random-histories';
import { check } from './random-runs';

const FILE = 'malformed';

/** Apply is total: whatever was committed gets an answer, the same on every machine, and leaves money alone. */
function expectTotal(payload: Buffer, count: number): void {
  const results = [1, 2].map(() => {
    const ledger = LedgerUnderTest.withAccounts('a', 'b');
    ledger.transfer({ id: 'fund', from: 'bank', to: 'a', amount: '100' });
    const rows = ledger.state.apply(
      { time: ledger.time + 1, baseOffset: ledger.offset, kind: 'records', count },
      payload,
    );
    expect(rows.length).toBe(count * OUTCOME_ROW_BYTES);
    ledger.state.assertInvariants();
    return rows.toString('hex') + ledger.state.hash();
  });
  expect(results[0]).toBe(results[1]);
}

describe('any bytes', () => {
  test('as a payload', () => {
    check(
      FILE,
      200,
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(5), (bytes, count) =>
        expectTotal(Buffer.from(bytes), count),
      ),
    );
  });

  test('as a record', () => {
    const records = fc.array(
      fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
      { minLength: 1, maxLength: 8 },
    );
    check(
      FILE,
      200,
      fc.property(records, (values) => expectTotal(encodeValues(1, values), values.length)),
    );
  });

  test('as packed rows', () => {
    const rows = fc.uint8Array({ minLength: 64, maxLength: 64 }).map((bytes) => Buffer.from(bytes));
    check(
      FILE,
      100,
      fc.property(fc.array(rows, { minLength: 1, maxLength: 8 }), (all) =>
        expectTotal(encodeRows(Buffer.concat(all)), all.length),
      ),
    );
  });

  test('a good record with bytes changed, taken out or put in', () => {
    const good = transferOptions.map((options) => encodeCommand(transfer(options)));
    const damage = fc.record({ at: fc.nat(), to: fc.nat(255), how: fc.constantFrom('set', 'cut', 'insert') });
    const property = fc.property(good, fc.array(damage, { minLength: 1, maxLength: 4 }), (bytes, damages) => {
      let record = bytes;
      for (const { at, to, how } of damages) {
        const place = at % record.length;
        const [before, after] = [record.subarray(0, place), record.subarray(how === 'insert' ? place : place + 1)];
        record = Buffer.concat(how === 'cut' ? [before, after] : [before, Buffer.of(to), after]);
        if (record.length === 0) return;
      }
      expectTotal(encodeValues(1, [record]), 1);
    });
    check(FILE, 600, property);
  });
});

describe('what cannot be decoded', () => {
  const refused = (payload: Buffer, count?: number): number[] => {
    const ledger = LedgerUnderTest.withAccounts('a');
    const batch = { time: ledger.time + 1, baseOffset: ledger.offset, kind: 'records' as const };
    const rows = ledger.state.apply(count === undefined ? batch : { ...batch, count }, payload);
    return decodeRows(rows).map((row) => row.result);
  };
  const good = encodeCommand(transfer({ id: 'x', from: 'bank', to: 'a', amount: '1' }));

  test('a payload that is no chunks: every record that the header promises is refused', () => {
    expect(refused(Buffer.from('not a chunk, not at all'), 3)).toEqual([21, 21, 21]);
    expect(refused(Buffer.from('not a chunk, not at all'))).toEqual([]);
  });

  test('a payload with fewer records than the header promises, and with more', () => {
    expect(refused(encodeValues(1, [good]), 2)).toEqual([0, 21]);
    expect(refused(encodeValues(1, [good, good]), 1)).toEqual([0]);
    expect(refused(Buffer.concat([encodeValues(1, [good]), encodeValues(1, [good])]), 1)).toEqual([0]);
  });

  test('a record type or a width that this version does not know', () => {
    expect(refused(encodeValues(2, [good]))).toEqual([21]);
    const rows = encodeRows(Buffer.alloc(64));
    rows.writeUInt32LE(32, 12);
    rows.writeUInt32LE(2, 4);
    expect(refused(rows)).toEqual([21, 21]);
  });

  test('a packed row of a bad shape, each by the name of its fault', () => {
    const ledger = LedgerUnderTest.withAccounts('a', 'b');
    const rows = ledger.rows([
      packed(1, 1, 2, 1n, { id: Buffer.alloc(16) }),
      packed(1, 1, 2, 1n, { id: Buffer.alloc(16, 0xff) }),
      packed(1, 1, 2, 0n),
      packed(1, 1, 2, 10n ** 38n),
      packed(1, 1, 2, 2n ** 128n - 1n),
      packed(1, 1, 2, 1n, { flags: 16 }),
      packed(1, 1, 1, 1n),
      packed(1, 0, 1, 1n),
      packed(1, 1, 0, 1n),
      packed(1, 1, 2 ** 40, 1n),
      packed(1, 2 ** 32 + 1, 2, 1n, { id: Buffer.alloc(16, 3) }),
      packed(1, 1, 2, 1n, { id: Buffer.concat([Buffer.alloc(15), Buffer.of(1)]) }),
      packed(1, 1, 2, 1n, { id: Buffer.concat([Buffer.alloc(15, 0xff), Buffer.of(1)]) }),
    ]);
    expect(rows.map((row) => row.result)).toEqual([21, 21, 23, 24, 24, 21, 25, 21, 21, 2, 1, 0, 0]);
  });

  test('an id in two forms, none, or of the wrong length; a UUID that was written as a text', () => {
    const bytes = (...parts: Buffer[]): Buffer => {
      const body = Buffer.concat(parts);
      return Buffer.concat([Buffer.of(0x1a, body.length), body]);
    };
    const field = (number: number, value: string | Buffer): Buffer =>
      Buffer.concat([Buffer.of(number * 8 + 2, value.length), Buffer.from(value)]);
    const rest = [field(3, 'bank'), field(4, 'a'), field(7, '1')];
    const records = [
      bytes(...rest),
      bytes(field(1, Buffer.alloc(15, 1)), ...rest),
      bytes(field(1, Buffer.alloc(16, 1)), field(2, 'x'), ...rest),
      bytes(field(2, uuid(1)), ...rest),
      bytes(field(2, uuid(1).replaceAll('-', '')), ...rest),
      bytes(field(2, Buffer.of(0xff)), ...rest),
      bytes(field(2, 'x'), field(8, Buffer.alloc(16, 1)), ...rest),
      bytes(field(2, 'x'), ...rest, Buffer.of(5 * 8, 1)),
      bytes(field(2, 'x'), ...rest, Buffer.of(3 * 8, 1)),
      Buffer.concat([bytes(field(2, 'x'), ...rest), bytes(field(2, 'x'), ...rest)]),
      Buffer.concat([bytes(field(2, 'x'), ...rest), Buffer.of(15 * 8 + 2, 0)]),
      Buffer.of(4 * 8 + 2, 0),
      Buffer.of(),
      // Fields that this version does not know: in the command, and beside it.
      bytes(field(2, 'x'), ...rest, Buffer.of(0xca, 0x01, 1, 0x31)),
      Buffer.concat([bytes(field(2, 'x'), ...rest), Buffer.of(14 * 8, 1)]),
      Buffer.of(8 * 8 + 2, 0),
      // And a good one.
      bytes(field(2, 'x'), ...rest),
    ];
    expect(refused(encodeValues(1, records))).toEqual([...records.slice(1).map(() => 21), 0]);
  });
});

describe('batches', () => {
  test("a producer's records take offsets and rows of zeros", () => {
    const ledger = LedgerUnderTest.withAccounts('a');
    const command = transfer({ id: 'x', from: 'bank', to: 'a', amount: '1' });
    const base = ledger.offset;
    const payload = Buffer.concat([
      encodeValues(0, [Buffer.from('v'), Buffer.alloc(0)]),
      encodeValues(1, [encodeCommand(command)]),
    ]);
    const rows = ledger.apply(payload);
    expect(rows.map((row) => row.offset)).toEqual([0, 0, base + 2]);
    expect(ledger.batches.at(-1)?.outcomes.subarray(0, 128)).toEqual(Buffer.alloc(128));
  });

  test("the system's records take no offsets", () => {
    const ledger = new LedgerUnderTest();
    const rows = ledger.apply(
      encodeValues(1, [encodeCommand(createLedger('USD')), encodeCommand(openAccount('a'))]),
      'system',
    );
    expect(rows).toMatchObject([
      { result: 0, ledgerNumber: 1, offset: -1 },
      { result: 0, creditHandle: 1, offset: -1 },
    ]);
    expect(ledger.state.nextOffset).toBe(0);
    expect(ledger.state.reader.ledger('USD')?.offset).toBe(-1);
    expect(ledger.state.reader.account('a')?.offset).toBe(-1);
    expect(ledger.do(createLedger('USD'))).toMatchObject([{ result: 0, replayed: true, offset: -1 }]);
    ledger.apply(encodeValues(1, [encodeCommand(transfer({ id: 'x', from: 'q', to: 'a', amount: '1' }))]), 'system');
    expect(ledger.state.reader.transferById({ kind: 'text', text: 'x' })?.offset).toBe(-1);
    expect(LedgerState.restore(ledger.state.snapshot()).hash()).toBe(ledger.state.hash());
  });

  test('out of order stop the machine: that is a fault of the program, not of a client', () => {
    const ledger = LedgerUnderTest.withAccounts('a');
    const payload = encodeValues(0, [Buffer.from('v')]);
    const at = { time: ledger.time + 1, baseOffset: ledger.offset, kind: 'records' as const };
    expect(() => ledger.state.apply({ ...at, time: ledger.time }, payload)).toThrow(InvariantViolation);
    expect(() => ledger.state.apply({ ...at, baseOffset: ledger.offset + 1 }, payload)).toThrow(InvariantViolation);
  });

  test('packed rows may lie anywhere in memory', () => {
    const ledger = LedgerUnderTest.withAccounts('a');
    const chunk = encodeRows(Buffer.concat([packedBytes(1), packedBytes(2)]));
    for (const shift of [1, 2, 3, 4]) {
      const place = Buffer.alloc(chunk.length + 8).subarray(shift, shift + chunk.length);
      chunk.copy(place);
      expect(ledger.apply(place).map((row) => row.result)).toEqual([ResultCode.OK, ResultCode.OK]);
    }
    expect(ledger.posted('a')).toBe(2n);
  });
});

function packedBytes(n: number): Buffer {
  const row = Buffer.alloc(64);
  row.writeUInt32LE(n, 0);
  row.writeUInt8(1, 16);
  row.writeUInt8(2, 24);
  row.writeUInt8(1, 32);
  return row;
}
