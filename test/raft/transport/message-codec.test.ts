import type { Message } from '../../../src/raft/core/messages';
import { FrameType, type Frame } from '../../../src/raft/transport/frame';
import { decodeMessage } from '../../../src/raft/transport/message-decoder';
import { encodeMessage } from '../../../src/raft/transport/message-encoder';
import { MESSAGE_FIXED_BYTES, MESSAGE_NUMBERS, REFUSAL_NUMBERS } from '../../../src/raft/transport/message-layout';
import { WireFormatError } from '../../../src/raft/transport/wire-format-error';
import { everyMessage } from './generated-messages';

const FROM = '0123456789abcdef';
const TO = 'fedcba9876543210';

function frameOf(message: Message, group = 3): Frame {
  return { type: FrameType.message, group, body: Buffer.concat(encodeMessage(message).parts) };
}

describe('the codec of Raft messages', () => {
  test.each(everyMessage(FROM, TO).map((message) => [message.type, message] as const))(
    '%s comes back',
    (_type, message) => {
      expect(decodeMessage(frameOf(message), FROM, TO)).toEqual({ ...message, group: 3 });
    },
  );

  test('knows every type and every refusal, under a number of its own', () => {
    const types = new Set(everyMessage(FROM, TO).map((message) => message.type));
    expect([...types].sort()).toEqual(Object.keys(MESSAGE_NUMBERS).sort());
    for (const numbers of [MESSAGE_NUMBERS, REFUSAL_NUMBERS]) {
      expect(new Set(Object.values(numbers)).size).toBe(Object.values(numbers).length);
    }
  });

  test('sends batches as the buffers that they are, and receives them as slices of the frame', () => {
    const append = everyMessage(FROM, TO).find((message) => message.type === 'append' && message.entries.length > 0);
    if (append?.type !== 'append') throw new Error('The messages hold no append with entries.');
    const encoded = encodeMessage(append);
    expect(encoded.checkedParts).toBe(1);
    append.entries.forEach((entry, i) => expect(encoded.parts[i + 1]).toBe(entry.data));

    const frame = frameOf(append);
    const decoded = decodeMessage(frame, FROM, TO);
    if (decoded.type !== 'append') throw new Error('An append came back as something else.');
    for (const entry of decoded.entries) {
      expect(entry.data.buffer).toBe(frame.body.buffer);
      expect((entry.data.byteOffset - frame.body.byteOffset) % 8).toBe(0);
    }
  });

  test.each([
    ['another sender', (body: Buffer) => body.writeUInt8(0xee, 8)],
    ['another receiver', (body: Buffer) => body.writeUInt8(0xee, 16)],
    ['an unknown type', (body: Buffer) => body.writeUInt8(200, 0)],
    ['a term beyond 2^53', (body: Buffer) => body.writeUInt32LE(0x20_0000, 28)],
    ['more entries than there are', (body: Buffer) => body.writeUInt32LE(3, 4)],
    ['fewer entries than there are', (body: Buffer) => body.writeUInt32LE(1, 4)],
    ['entries that do not follow prevIndex', (body: Buffer) => body.writeUInt32LE(6, 40)],
    ['a batch that is none', (body: Buffer) => body.writeUInt32LE(0, MESSAGE_FIXED_BYTES)],
    ['a configuration that is none', (body: Buffer) => body.writeUInt8(0x21, MESSAGE_FIXED_BYTES + 160)],
  ])('refuses %s', (_what, damage) => {
    const append = everyMessage(FROM, TO).find((message) => message.type === 'append' && message.entries.length > 0);
    if (append === undefined) throw new Error('The messages hold no append with entries.');
    const frame = frameOf(append);
    damage(frame.body);
    expect(() => decodeMessage(frame, FROM, TO)).toThrow(WireFormatError);
  });

  test('refuses every truncation of every message', () => {
    for (const message of everyMessage(FROM, TO)) {
      const { body } = frameOf(message);
      for (let length = 0; length < body.length; length += length < 400 ? 1 : 997) {
        const cut = { type: FrameType.message, group: 0, body: Buffer.from(body.subarray(0, length)) };
        expect(() => decodeMessage(cut, FROM, TO)).toThrow(WireFormatError);
      }
    }
  });

  test('refuses to send ids and numbers that cannot be', () => {
    const vote: Message = { type: 'vote', from: FROM, to: TO, term: 1, lastIndex: 1, lastTerm: 1, transfer: false };
    expect(() => encodeMessage({ ...vote, from: 'n1' })).toThrow(/16 lower-case hex digits/);
    expect(() => encodeMessage({ ...vote, term: -1 })).toThrow(/safe integer/);
    expect(() => encodeMessage({ ...vote, lastIndex: 0.5 })).toThrow(/safe integer/);
  });
});
