import fc from 'fast-check';
import type { Committed, RecordPage, SubmitRequest } from '../../src/api/node-port';
import { encodeValues } from '../../src/log/chunk';
import {
  PEER_CALLS,
  PeerBodyError,
  decodeCommitted,
  decodeJson,
  decodeRecordPage,
  decodeSubmit,
  encodeCommitted,
  encodeJson,
  encodeRecordPage,
  encodeSubmit,
  numberField,
  textField,
} from '../../src/node/peer-calls';
import { check } from './seeded';

const bytes = (maxLength = 64): fc.Arbitrary<Buffer> => fc.uint8Array({ maxLength }).map((array) => Buffer.from(array));
const safe = fc.nat(Number.MAX_SAFE_INTEGER);

const submits: fc.Arbitrary<SubmitRequest> = fc
  .record({
    type: fc.constantFrom<0 | 1>(0, 1),
    kind: fc.constantFrom<'records' | 'system'>('records', 'system'),
    subject: fc.string({ unit: 'grapheme', maxLength: 30 }),
    values: fc.array(bytes(), { minLength: 1, maxLength: 5 }),
  })
  .map(({ type, kind, subject, values }) => ({
    type,
    kind,
    subject,
    count: values.length,
    chunk: encodeValues(type, values),
  }));

const committed: fc.Arbitrary<Committed> = fc.record({
  index: safe,
  term: safe,
  baseOffset: safe,
  time: safe,
  leader: fc.constantFrom('', 'node-1', 'ä'.repeat(63)),
  outcomes: bytes(),
});

const pages: fc.Arbitrary<RecordPage> = fc.record({
  firstOffset: safe,
  nextOffset: safe,
  records: fc.array(
    fc.record({ offset: safe, term: safe, timestamp: safe, type: fc.nat(2 ** 32 - 1), value: bytes() }),
    { maxLength: 6 },
  ),
});

/** Decoders of what a peer sends: they give something sound, or say what is wrong; nothing else escapes. */
const decoders: readonly (readonly [string, (body: Buffer) => object, fc.Arbitrary<Buffer>])[] = [
  ['decodeSubmit', decodeSubmit, submits.map(encodeSubmit)],
  ['decodeCommitted', decodeCommitted, committed.map(encodeCommitted)],
  ['decodeRecordPage', decodeRecordPage, pages.map(encodeRecordPage)],
  ['decodeJson', decodeJson, fc.jsonValue().map((value) => Buffer.from(JSON.stringify(value)))],
];

function survives(decode: (body: Buffer) => object, body: Buffer): void {
  try {
    const decoded = decode(body);
    for (const value of Object.values(decoded))
      if (typeof value === 'number' && decode !== decodeJson) expect(value).toBeGreaterThanOrEqual(0);
  } catch (error) {
    if (!(error instanceof PeerBodyError)) throw error;
  }
}

describe('the bodies of calls between peers', () => {
  test('each call has a number of its own', () => {
    const numbers = Object.values(PEER_CALLS);
    expect(new Set(numbers).size).toBe(numbers.length);
  });

  test('a forwarded write arrives as it was sent', () => {
    check(
      'peer-calls',
      200,
      fc.property(submits, (request) => expect(decodeSubmit(encodeSubmit(request))).toEqual(request)),
    );
  });

  test('an answer arrives as it was sent', () => {
    check(
      'peer-calls',
      200,
      fc.property(committed, (answer) => expect(decodeCommitted(encodeCommitted(answer))).toEqual(answer)),
    );
  });

  test('a page of records arrives as it was sent', () => {
    check(
      'peer-calls',
      200,
      fc.property(pages, (page) => expect(decodeRecordPage(encodeRecordPage(page))).toEqual(page)),
    );
  });

  test.each(decoders)('%s survives any bytes', (_name, decode) => {
    check(
      'peer-calls',
      500,
      fc.property(bytes(200), (body) => survives(decode, body)),
    );
  });

  test.each(decoders)('%s survives a sound body with one byte changed, or cut off anywhere', (_name, decode, sound) => {
    const damaged = fc.tuple(sound, fc.nat(), fc.nat(255), fc.boolean()).map(([body, at, byte, cut]) => {
      const place = body.length === 0 ? 0 : at % body.length;
      if (cut) return body.subarray(0, place);
      const copy = Buffer.from(body);
      if (copy.length > 0) copy.writeUInt8(byte, place);
      return copy;
    });
    check(
      'peer-calls',
      500,
      fc.property(damaged, (body) => survives(decode, body)),
    );
  });

  describe('a forwarded write', () => {
    const request: SubmitRequest = {
      type: 1,
      kind: 'system',
      subject: 'anna',
      count: 2,
      chunk: encodeValues(1, [Buffer.from('a'), Buffer.from('b')]),
    };

    test.each<[string, (body: Buffer) => Buffer, string]>([
      ['of an unknown type', (body) => patched(body, 0, 2), 'record type 2'],
      ['of an unknown kind', (body) => patched(body, 1, 9), 'kind 9'],
      ['with another count than it holds', (body) => patched(body, 4, 3), 'of 3 records holds 2'],
      ['of nothing', (body) => patched(body, 4, 0), 'of 0 records holds 2'],
      ['with bytes behind it', (body) => Buffer.concat([body, Buffer.alloc(1)]), 'came with'],
      ['that ends early', (body) => body.subarray(0, -1), 'came with'],
      ['whose chunk is malformed', (body) => patched(body, 12 + 4 + 4, 200), 'is malformed'],
    ])('%s is refused', (_what, change, why) => {
      expect(() => decodeSubmit(change(encodeSubmit(request)))).toThrow(PeerBodyError);
      expect(() => decodeSubmit(change(encodeSubmit(request)))).toThrow(why);
    });
  });

  test('a number beyond what a node counts to is refused', () => {
    const body = encodeCommitted({ index: 1, term: 1, baseOffset: 0, time: 0, leader: '', outcomes: Buffer.alloc(0) });
    body.writeBigUInt64LE(2n ** 53n, 0);
    expect(() => decodeCommitted(body)).toThrow('larger than any that a node counts to');
  });

  test('the fields of a JSON body have types', () => {
    const body = decodeJson(encodeJson({ name: 'node-1', from: 7, half: 1.5, none: null }));
    expect(textField(body, 'name')).toBe('node-1');
    expect(numberField(body, 'from')).toBe(7);
    for (const name of ['from', 'none', 'missing']) expect(() => textField(body, name)).toThrow(PeerBodyError);
    for (const name of ['name', 'half', 'none', 'missing'])
      expect(() => numberField(body, name)).toThrow(PeerBodyError);
  });
});

function patched(body: Buffer, at: number, byte: number): Buffer {
  const copy = Buffer.from(body);
  copy.writeUInt8(byte, at);
  return copy;
}
