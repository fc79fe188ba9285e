import fc from 'fast-check';
import { type MessageTypeDefinition } from '@grpc/proto-loader';
import { appendTransfer, beginTransferBatch, decodeBatchAnswer, encodeRowsBatch } from '../../src/client/batch-codec';
import { LedgerError } from '../../src/client';
import { ProtobufWriter } from '../../src/client/protobuf-writer';
import { u128ToBytes } from '../../src/ledger/amounts';
import { publishedPackage } from '../../src/proto/load';

const SEED = Number(process.env['CODEC_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const CHECK = { seed: SEED, numRuns: 300 };
const REPEAT = `repeat with: CODEC_SEED=${SEED} npx jest test/client/batch-codec`;

type Message = Record<string, unknown>;
const definition = (name: string): MessageTypeDefinition<object, object> =>
  publishedPackage()[`ledger.v1.${name}`] as unknown as MessageTypeDefinition<object, object>;
const requestOf = (bytes: Buffer): Message => definition('SubmitBatchRequest').deserialize(bytes) as Message;
const answerBytes = (message: Message): Buffer => definition('SubmitBatchResponse').serialize(message);

function encode(
  sequence: number,
  transfers: readonly (Parameters<typeof appendTransfer>[2] & { id: string })[],
): Buffer {
  const writer = new ProtobufWriter(16);
  beginTransferBatch(writer, sequence);
  for (const transfer of transfers) appendTransfer(writer, transfer.id, transfer);
  return writer.copy();
}

const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const text = fc.string({ unit: 'binary', maxLength: 150 });
const transfer = fc.record({
  id: text,
  debitAccount: text,
  creditAccount: text,
  amount: fc.oneof(fc.constant('0.50'), text),
  ledger: text,
  code: fc.nat({ max: 0xffff_ffff }),
  userData: u64,
  metadata: fc.uint8Array({ maxLength: 1024 }),
  debitHandle: u64,
  creditHandle: u64,
  kind: fc.constantFrom('plain', 'pending', 'post', 'void'),
  pendingId: text,
  timeoutMs: fc.maxSafeNat(),
  balancing: fc.boolean(),
  reverses: text,
  effectiveTime: fc.maxSafeNat(),
  importedTime: fc.maxSafeNat(),
});

describe('the request of a batch of transfers', () => {
  test(`is what the published proto says (${REPEAT})`, () => {
    fc.assert(
      fc.property(fc.nat(), fc.array(transfer, { minLength: 1, maxLength: 20 }), (sequence, transfers) => {
        const decoded = requestOf(encode(sequence, transfers));
        expect(decoded['sequence']).toBe(String(sequence));
        expect(decoded['transfers']).toEqual(
          transfers.map((one) => ({
            ...{ id: one.id, debit_account: one.debitAccount, credit_account: one.creditAccount },
            ...{ amount: one.amount, ledger: one.ledger, code: one.code, user_data: String(one.userData) },
            ...{ metadata: Buffer.from(one.metadata), debit_handle: String(one.debitHandle) },
            credit_handle: String(one.creditHandle),
            ...{ kind: ['plain', 'pending', 'post', 'void'].indexOf(one.kind), pending_id: one.pendingId },
            ...{ timeout_ms: String(one.timeoutMs), balancing: one.balancing, reverses: one.reverses },
            ...{ effective_time: String(one.effectiveTime), imported_time: String(one.importedTime) },
            // A group travels in a call of its own.
            group: '',
          })),
        );
      }),
      CHECK,
    );
  });

  test('keeps what was there when a transfer cannot be added', () => {
    const writer = new ProtobufWriter(16);
    beginTransferBatch(writer, 1);
    appendTransfer(writer, 'a', { amount: '1' });
    const before = writer.copy();
    expect(() => appendTransfer(writer, '\udc00', { amount: '1' })).toThrow(LedgerError);
    expect(() => appendTransfer(writer, 'x'.repeat(80) + '\udc00', { amount: '1' })).toThrow('unpaired surrogate');
    expect(() => appendTransfer(writer, 'b', { amount: '1', userData: -1 })).toThrow('userData');
    expect(() => appendTransfer(writer, 'b', { amount: '1', debitHandle: 2n ** 64n })).toThrow('debitHandle');
    expect(() => appendTransfer(writer, 'b', { amount: '1', metadata: Buffer.alloc(20_000) })).toThrow('at most');
    expect(writer.copy()).toEqual(before);
  });

  test('of packed rows carries the bytes as they are', () => {
    const rows = Buffer.alloc(128, 7);
    expect(requestOf(encodeRowsBatch(2 ** 40, rows))).toMatchObject({ sequence: String(2 ** 40), rows, transfers: [] });
  });
});

const offset = fc.integer({ min: -1, max: Number.MAX_SAFE_INTEGER });
const time = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const ascii = fc.string({ unit: 'grapheme-ascii', maxLength: 40 });
const row = fc.record({ row: fc.nat({ max: 8189 }), result: fc.nat({ max: 25 }), replayed: fc.boolean(), offset });
const item = fc.record({
  result: fc.oneof(fc.constant('ok'), ascii),
  message: text,
  offset,
  timestamp: time,
  replayed: fc.boolean(),
  amountMoved: ascii,
  amountHeld: ascii,
});
const amount = fc.record({ row: fc.nat({ max: 8189 }), amountMinor: fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }) });

const wireError = ({ retryAfterMs, ...rest }: { retryAfterMs: number }): Message => ({
  ...{ ...rest, retry_after_ms: retryAfterMs },
});

describe('the answer to a batch', () => {
  test(`is read as the published proto says (${REPEAT})`, () => {
    const answer = fc.record({
      ...{ sequence: time, count: fc.nat(), baseOffset: offset, timestamp: time, token: ascii },
      ...{ refused: fc.array(row, { maxLength: 5 }), repeats: fc.array(row, { maxLength: 5 }) },
      ...{ items: fc.array(item, { maxLength: 20 }), amounts: fc.array(amount, { maxLength: 5 }) },
      error: fc.option(fc.record({ code: fc.nat({ max: 16 }), reason: ascii, message: text, retryAfterMs: fc.nat() }), {
        nil: undefined,
      }),
    });
    fc.assert(
      fc.property(answer, (expected) => {
        const { sequence, count, timestamp, token, refused, repeats, items, error, baseOffset } = expected;
        const results = items.map(({ amountMoved, amountHeld, ...result }) => ({
          ...{ result, amount_moved: amountMoved, amount_held: amountHeld },
        }));
        const amounts = expected.amounts.map((one) => ({ row: one.row, amount: u128ToBytes(one.amountMinor) }));
        const message = {
          sequence,
          count,
          timestamp,
          token,
          refused,
          repeats,
          results,
          amounts,
          base_offset: baseOffset,
        };
        expect(decodeBatchAnswer(answerBytes(error ? { ...message, error: wireError(error) } : message))).toEqual(
          expected,
        );
      }),
      CHECK,
    );
  });

  test('passes over fields that this version does not know', () => {
    const unknown = Buffer.from([
      ...[0xf8, 0x01, 0x05], // field 31, a number
      ...[0xf9, 0x01, 1, 2, 3, 4, 5, 6, 7, 8], // field 31, eight bytes
      ...[0xfa, 0x01, 0x02, 1, 2], // field 31, a text
      ...[0xfd, 0x01, 1, 2, 3, 4], // field 31, four bytes
    ]);
    expect(decodeBatchAnswer(Buffer.concat([unknown, answerBytes({ count: 3 }), unknown])).count).toBe(3);
  });

  test(`never reads beyond its bytes, whatever they are (${REPEAT})`, () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          decodeBatchAnswer(Buffer.from(bytes));
        } catch (error) {
          expect((error as Error).name).toBe('ProtobufFormatError');
        }
      }),
      { ...CHECK, numRuns: 2_000 },
    );
  });
});
