import { encodeConfiguration, isNodeId } from '../core/configuration';
import type { Message } from '../core/messages';
import { At, Bit, MESSAGE_FIXED_BYTES, MESSAGE_NUMBERS, REFUSAL_NUMBERS, type Numbers } from './message-layout';

/** The body of a frame in parts; the first `checkedParts` are covered by the frame's checksum, the rest are sealed batches. */
export interface EncodedMessage {
  readonly parts: readonly Buffer[];
  readonly checkedParts: number;
  readonly bytes: number;
}

/** Batches travel as the buffers that they are; nothing of them is copied. Throws RangeError for ids and numbers that cannot be. */
export function encodeMessage(message: Message): EncodedMessage {
  const fixed = encodeFixed(message);
  if (message.type === 'append') {
    const parts = [fixed];
    let bytes = fixed.length;
    for (const entry of message.entries) {
      parts.push(entry.data);
      bytes += entry.data.length;
    }
    return { parts, checkedParts: 1, bytes };
  }
  if (message.type === 'snapshot') {
    const configuration = encodeConfiguration(message.meta.configuration);
    return { parts: [fixed, configuration], checkedParts: 2, bytes: fixed.length + configuration.length };
  }
  return { parts: [fixed], checkedParts: 1, bytes: fixed.length };
}

function encodeFixed(message: Message): Buffer {
  const fixed = Buffer.allocUnsafe(MESSAGE_FIXED_BYTES);
  fixed.writeUInt8(MESSAGE_NUMBERS[message.type], At.type);
  fixed.writeUInt8(bitsOf(message), At.bits);
  fixed.writeUInt16LE(0, At.reserved);
  fixed.writeUInt32LE(smallOf(message), At.small);
  writeNodeId(fixed, message.from, At.from);
  writeNodeId(fixed, message.to, At.to);
  writeNumber(fixed, message.term, At.term);
  writeNumber(fixed, 'clock' in message ? (message.clock ?? 0) : 0, At.clock);
  const [a, b, c, d] = numbersOf(message);
  writeNumber(fixed, a, At.a);
  writeNumber(fixed, b, At.b);
  writeNumber(fixed, c, At.c);
  writeNumber(fixed, d, At.d);
  return fixed;
}

function numbersOf(message: Message): Numbers {
  switch (message.type) {
    case 'preVote':
    case 'vote':
      return [message.lastIndex, message.lastTerm, 0, 0];
    case 'append':
      return [message.prevIndex, message.prevTerm, message.commit, 0];
    case 'appendResp':
      return [message.index, message.hintIndex, message.hintTerm, 0];
    case 'heartbeat':
      return [message.commit, message.context, 0, 0];
    case 'heartbeatResp':
    case 'readIndex':
      return [message.context, 0, 0, 0];
    case 'readIndexResp':
      return [message.context, message.index, 0, 0];
    case 'snapshot':
      return [message.meta.index, message.meta.term, 0, 0];
    case 'preVoteResp':
    case 'voteResp':
    case 'timeoutNow':
      return [0, 0, 0, 0];
  }
}

function bitsOf(message: Message): number {
  switch (message.type) {
    case 'preVoteResp':
    case 'voteResp':
      return message.reject ? Bit.reject : 0;
    case 'appendResp':
      return (message.reject ? Bit.reject : 0) | (message.lost ? Bit.lost : 0);
    case 'vote':
      return message.transfer ? Bit.transfer : 0;
    default:
      return 0;
  }
}

function smallOf(message: Message): number {
  if (message.type === 'append') return message.entries.length;
  if (message.type === 'readIndexResp') return REFUSAL_NUMBERS[message.refusal];
  return 0;
}

function writeNodeId(fixed: Buffer, id: string, at: number): void {
  if (!isNodeId(id)) throw new RangeError(`A node id must be 16 lower-case hex digits, but it is "${String(id)}".`);
  fixed.write(id, at, 'hex');
}

function writeNumber(fixed: Buffer, value: number, at: number): void {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new RangeError(`A number in a message must be a safe integer from 0 on, but it is ${value}.`);
  }
  fixed.writeUInt32LE(value % 0x1_0000_0000, at);
  fixed.writeUInt32LE(Math.floor(value / 0x1_0000_0000), at + 4);
}
