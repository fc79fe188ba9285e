import fc from 'fast-check';
import { CopyRows } from '../../../src/ledger/projection/copy-rows';
import { type Quantity } from '../../../src/ledger/projection/exact-sum';
import { KnownAccount } from '../../../src/ledger/projection/known-account';
import { writeNumeric } from '../../../src/ledger/projection/numeric-wire';
import { UsualRows } from '../../../src/ledger/projection/usual-rows';
import { check } from '../random-runs';

const FILE = 'projection/copy-rows.test.ts';

describe('rows of a binary copy', () => {
  test('a row that lacks a field is refused before the database sees it', () => {
    const rows = new CopyRows(2);
    rows.row();
    rows.int4(1);
    expect(() => rows.row()).toThrow('Row 1 of a copy lacks 1 of its 2 fields.');
    expect(() => rows.finish()).toThrow('Row 1 of a copy lacks 1 of its 2 fields.');
    rows.int4(2);
    rows.int4(3);
    expect(() => rows.finish()).toThrow('Row 1 of a copy lacks -1 of its 2 fields.');
  });

  test('a number that is not exact is refused', () => {
    const rows = new CopyRows(1);
    rows.row();
    expect(() => rows.int8(2 ** 53)).toThrow('9007199254740992 is not one');
    expect(() => writeNumeric(Buffer.alloc(200), 0, 2 ** 53, 2)).toThrow('9007199254740992 is not a safe integer');
    expect(() => writeNumeric(Buffer.alloc(200), 0, 1n, -1)).toThrow('not -1');
    expect(() => writeNumeric(Buffer.alloc(200), 0, 10n ** 300n, 0)).toThrow('more than 250 digits');
  });

  test('no byte is lost where one piece of memory ends and the next begins, wherever in a row that is', () => {
    const count = 24_000;
    for (let shift = 0; shift < 11; shift++) {
      const rows = new CopyRows(2);
      rows.row();
      rows.ascii('x'.repeat(shift));
      rows.null();
      for (let i = 1; i < count; i++) {
        rows.row();
        rows.bool(true);
        rows.null();
      }
      const bytes = Buffer.concat(rows.finish());
      const head = 19;
      const first = 2 + 4 + shift + 4;
      expect(bytes).toHaveLength(head + first + (count - 1) * 11 + 2);
      const last = bytes.subarray(-13);
      expect(last.toString('hex')).toBe('00020000000101ffffffffffff');
    }
  });
});

describe('rows of usual transfers', () => {
  const FIELDS = 14;
  const place = { group: 3, offset: 5_000_000_123, time: 1_700_000_000_123_456 };
  const id = '00112233-4455-6677-8899-aabbccddeeff';
  const source = Buffer.alloc(64);
  Buffer.from(id.replaceAll('-', ''), 'hex').copy(source, 7);

  function accountOf(handle: number, scale: number, debits: Quantity, credits: Quantity): KnownAccount {
    const ledger = {
      number: 1,
      code: 'EUR',
      scale,
      halfUp: false,
      defaultMinBalance: 0n,
      defaultMaxBalance: undefined,
    };
    const account = new KnownAccount(handle, ledger, { min: undefined, max: undefined, closed: false });
    account.debits = debits;
    account.credits = credits;
    return account;
  }

  const quantity = fc.oneof(
    fc.nat({ max: Number.MAX_SAFE_INTEGER }),
    // Zeros at the end are left out, four at a time.
    fc.tuple(fc.nat({ max: 90_000 }), fc.nat({ max: 11 })).map(([n, zeros]) => n * 10 ** zeros),
    fc.bigInt({ min: 2n ** 53n, max: 2n ** 126n }),
  );
  const amounts = fc.nat({ max: Number.MAX_SAFE_INTEGER });

  test('are those that are written field by field', () => {
    const handles = fc.tuple(fc.integer({ min: 1, max: 2 ** 40 }), fc.integer({ min: 1, max: 2 ** 40 }));
    const totals = fc.tuple(quantity, quantity, quantity, quantity);
    const userData = fc.oneof(fc.constant(undefined), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }));
    const code = fc.nat({ max: 2 ** 32 - 1 });
    check(
      FILE,
      200,
      fc.property(
        handles,
        totals,
        amounts,
        fc.nat({ max: 18 }),
        code,
        userData,
        (pair, four, amount, scale, tag, data) => {
          const payer = accountOf(pair[0], scale, four[0], four[1]);
          const payee = accountOf(pair[1], scale, four[2], four[3]);
          const fast = new UsualRows(data !== undefined);
          const slow = new CopyRows(data === undefined ? FIELDS : FIELDS + 1);
          for (let i = 0; i < 3; i++) {
            fast.add({ source, at: 7, amount, code: tag, userData: data ?? 0 }, place, payer, payee);
            slow.row();
            slow.int4(place.group);
            slow.int8(place.offset);
            slow.timestamptz(place.time);
            slow.ascii(id);
            slow.int8(payer.handle);
            slow.int8(payee.handle);
            slow.ascii('EUR');
            slow.numeric(amount, scale);
            slow.numeric(amount, scale);
            slow.int8(tag);
            if (data !== undefined) slow.numeric(data, 0);
            for (const total of four) slow.numeric(total, scale);
          }
          expect(fast.count).toBe(3);
          expect(Buffer.concat(fast.finish()).equals(Buffer.concat(slow.finish()))).toBe(true);
        },
      ),
    );
  });

  test('a number has the digits that were written, whichever way it went', () => {
    check(
      FILE,
      200,
      fc.property(quantity, fc.nat({ max: 18 }), fc.boolean(), (value, scale, isNegative) => {
        const minor = isNegative ? -BigInt(value) : value;
        const bytes = Buffer.alloc(200);
        const end = writeNumeric(bytes, 4, minor, scale);
        expect(minorOf(bytes.subarray(4, end), scale)).toBe(BigInt(minor));
      }),
    );
  });

  /** As numeric_recv reads it. */
  function minorOf(bytes: Buffer, scale: number): bigint {
    const groups = bytes.readUInt16BE(0);
    const weight = bytes.readInt16BE(2);
    expect(bytes.readUInt16BE(6)).toBe(scale);
    expect(bytes).toHaveLength(8 + 2 * groups);
    // Neither the first group nor the last is zero.
    for (const end of groups === 0 ? [] : [0, groups - 1]) expect(bytes.readUInt16BE(8 + 2 * end)).not.toBe(0);
    let units = 0n;
    for (let i = 0; i < groups; i++) {
      const group = bytes.readUInt16BE(8 + 2 * i);
      expect(group).toBeLessThan(10_000);
      // In units of 10^-20, so that every place of a group is a whole number.
      units += BigInt(group) * 10n ** BigInt(20 + 4 * (weight - i));
    }
    const minor = units / 10n ** BigInt(20 - scale);
    expect(minor * 10n ** BigInt(20 - scale)).toBe(units);
    return bytes.readUInt16BE(4) === 0x4000 ? -minor : minor;
  }
});
