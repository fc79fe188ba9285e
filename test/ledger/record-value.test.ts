import { type Command, decodeCommand, encodeCommand } from '../../src/ledger/command-codec';
import { InvariantViolation } from '../../src/ledger/invariant';
import { encodePackedRows } from '../../src/ledger/packed-rows';
import { decodeLogRecord, recordValue } from '../../src/ledger/record-value';
import { ResultCode } from '../../src/ledger/result-codes';
import { createLedger, LedgerUnderTest, openAccount, packed, transfer, uuid, uuidBytes } from './ledger-under-test';
import { publishedCodec } from './published-codec';

const codes = (number: number): string | undefined => ['', 'USD'][number];

function valueOf(ledger: LedgerUnderTest, command: Command): Buffer {
  const bytes = encodeCommand(command);
  ledger.do(command);
  return recordValue(1, 0, bytes, ledger.batches.at(-1)?.outcomes as Buffer, 0, codes);
}

describe('what a consumer gets for a record of the ledger', () => {
  test('the command as it was written, and the outcome beside it', () => {
    const ledger = LedgerUnderTest.withAccounts('alice');
    const command = transfer({ id: uuid(1), from: 'bank', to: 'alice', amount: '0.5' });
    const value = valueOf(ledger, command);
    expect(publishedCodec.decode(value)).toMatchObject({
      transfer: { id: uuidBytes(1), debit_account: 'bank', amount: '0.5' },
      outcome: {
        debit_handle: '1',
        credit_handle: '2',
        amount_moved: Buffer.from([50, ...new Array<number>(15).fill(0)]),
        ledger: 'USD',
        scale: 2,
        offset: String(ledger.offset - 1),
        timestamp: String(ledger.time),
      },
    });
    expect(decodeLogRecord(value)).toEqual({
      command,
      undecodable: undefined,
      outcome: {
        result: ResultCode.OK,
        replayed: false,
        debitHandle: 1,
        creditHandle: 2,
        amountMoved: 50n,
        ledger: 'USD',
        scale: 2,
        offset: ledger.offset - 1,
        timestamp: ledger.time,
        openedDebit: false,
        openedCredit: false,
        amountHeld: 0n,
        amountReleased: 0n,
        hold: 0,
        holdId: '',
      },
    });
  });

  test('a packed row is shown as the transfer that it is', () => {
    const ledger = LedgerUnderTest.withAccounts('alice');
    const row = packed(1, 1, 2, 2n ** 100n, { userData: 5n, code: 6 });
    ledger.rows([row]);
    const value = recordValue(1, 64, encodePackedRows([row]), ledger.batches.at(-1)?.outcomes as Buffer, 0, codes);
    expect(publishedCodec.decode(value)).toMatchObject({
      transfer: { id: uuidBytes(1), debit_handle: '1', credit_handle: '2', code: 6, user_data: '5' },
    });
    expect(decodeLogRecord(value)).toMatchObject({
      command: { amount: { minor: 2n ** 100n }, debit: { handle: 1 } },
      outcome: { amountMoved: 2n ** 100n },
    });
  });

  test('openings: the handle, the ledger, and which accounts a transfer opened', () => {
    const ledger = new LedgerUnderTest();
    const created = decodeLogRecord(valueOf(ledger, createLedger('USD', { autoOpen: true, min: undefined })));
    expect(created?.outcome).toMatchObject({ result: ResultCode.OK, ledger: 'USD', scale: 2 });
    expect(decodeLogRecord(valueOf(ledger, openAccount('alice')))?.outcome).toMatchObject({ creditHandle: 1 });
    const moved = decodeLogRecord(
      valueOf(ledger, transfer({ id: 'x', from: 'bob', to: 'alice', amount: '1', ledger: 'USD' })),
    );
    expect(moved?.outcome).toMatchObject({ debitHandle: 2, openedDebit: true, openedCredit: false });
  });

  test('a repeat and a refusal say so', () => {
    const ledger = LedgerUnderTest.withAccounts('alice');
    const command = transfer({ id: 'x', from: 'alice', to: 'bank', amount: '1' });
    const first = decodeLogRecord(valueOf(ledger, command));
    const again = decodeLogRecord(valueOf(ledger, command));
    expect(first?.outcome).toMatchObject({ result: ResultCode.INSUFFICIENT_FUNDS, replayed: false, amountMoved: 0n });
    expect(again?.outcome).toEqual({ ...first?.outcome, replayed: true });
  });

  test('adding up what moved gives the balances, repeats or not', () => {
    const ledger = LedgerUnderTest.withAccounts('alice', 'bob');
    const say = (id: string, from: string, to: string): Command => transfer({ id, from, to, amount: '1' });
    const commands = [
      say('a', 'bank', 'alice'),
      say('a', 'bank', 'alice'),
      say('b', 'alice', 'bob'),
      say('c', 'alice', 'bob'),
    ];
    const sums = new Map<number, bigint>();
    for (const command of commands) {
      const outcome = decodeLogRecord(valueOf(ledger, command))?.outcome;
      const { debitHandle = 0, creditHandle = 0, amountMoved = 0n } = outcome ?? {};
      sums.set(debitHandle, (sums.get(debitHandle) ?? 0n) - amountMoved);
      sums.set(creditHandle, (sums.get(creditHandle) ?? 0n) + amountMoved);
    }
    for (const name of ['bank', 'alice', 'bob']) expect(sums.get(ledger.handle(name))).toBe(ledger.posted(name));
  });

  test('what could not be decoded is shown as its bytes', () => {
    const ledger = LedgerUnderTest.withAccounts('alice');
    const bad = transfer({ id: 'x', from: 'alice', to: 'bank', amount: 'one' });
    const value = valueOf(ledger, bad);
    expect(publishedCodec.decode(value)).toMatchObject({
      command: 'undecodable',
      undecodable: encodeCommand(bad),
      outcome: { result: ResultCode.MALFORMED_RECORD },
    });
    const read = decodeLogRecord(value);
    expect(read).toMatchObject({ command: undefined, undecodable: encodeCommand(bad) });
    expect(decodeCommand(read?.undecodable as Buffer)).toEqual(bad);
  });

  test("a producer's value is itself, and an outcome that is not known is never made up", () => {
    const value = Buffer.from('mine');
    expect(recordValue(0, 0, value, Buffer.alloc(0), 0, codes)).toBe(value);
    expect(() => recordValue(1, 0, value, Buffer.alloc(64), 0, codes)).toThrow(InvariantViolation);
  });

  test('bytes that are no LogRecord are not read as one', () => {
    expect(decodeLogRecord(Buffer.from([0xff]))).toBeUndefined();
    expect(decodeLogRecord(Buffer.from([0x7a, 1, 0xff]))).toBeUndefined();
    expect(decodeLogRecord(Buffer.alloc(0))).toEqual({
      command: undefined,
      undecodable: undefined,
      outcome: undefined,
    });
  });

  test("the system's records have no offset", () => {
    const ledger = new LedgerUnderTest();
    const command = createLedger('USD');
    valueOf(ledger, openAccount('early'));
    const bytes = encodeCommand(command);
    const chunk = Buffer.concat([
      Buffer.from([1, 0, 0, 0, 1, 0, 0, 0, bytes.length + 4, 0, 0, 0, 0, 0, 0, 0, bytes.length, 0, 0, 0]),
      bytes,
    ]);
    ledger.apply(Buffer.concat([chunk, Buffer.alloc((8 - (chunk.length % 8)) % 8)]), 'system');
    const value = recordValue(1, 0, bytes, ledger.batches.at(-1)?.outcomes as Buffer, 0, codes);
    expect(decodeLogRecord(value)?.outcome?.offset).toBe(-1);
  });
});
