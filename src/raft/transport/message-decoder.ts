import { BatchFormatError, payloadOf, readHeader } from '../../log/batch';
import { ConfigurationFormatError, decodeConfiguration } from '../core/configuration';
import type { Message, MessageType } from '../core/messages';
import { EntryKind, type Configuration, type Entry, type NodeId, type ReadRefusalReason } from '../core/types';
import type { Frame } from './frame';
import { At, Bit, MESSAGE_FIXED_BYTES, MESSAGE_NUMBERS, REFUSAL_NUMBERS } from './message-layout';
import { WireFormatError } from './wire-format-error';

const TYPES = new Map(Object.entries(MESSAGE_NUMBERS).map(([type, number]) => [number, type as MessageType]));
const REFUSALS = new Map(
  Object.entries(REFUSAL_NUMBERS).map(([reason, number]) => [number, reason as ReadRefusalReason | '']),
);

interface Fixed {
  readonly bits: number;
  readonly small: number;
  readonly clock: { clock?: number };
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly rest: Buffer;
}

/**
 * The message in a frame that came from `from` to this node, `to`. Batches are slices of the frame's body; their bytes are
 * verified by the replica, only their place in the log is checked here. Throws WireFormatError.
 */
export function decodeMessage(frame: Frame, from: NodeId, to: NodeId): Message {
  const { body } = frame;
  if (body.length < MESSAGE_FIXED_BYTES) {
    throw new WireFormatError('truncated', `a message of ${body.length} bytes is shorter than its fixed part`);
  }
  const type = TYPES.get(body.readUInt8(At.type));
  if (type === undefined) throw new WireFormatError('malformed', `message type ${body.readUInt8(At.type)} is unknown`);
  if (body.toString('hex', At.from, At.from + 8) !== from || body.toString('hex', At.to, At.to + 8) !== to) {
    throw new WireFormatError('unexpected', `a ${type} on the connection from ${from} to ${to} names other nodes`);
  }
  const fixed = readFixed(body);
  if (type !== 'append' && type !== 'snapshot' && fixed.rest.length > 0) {
    throw new WireFormatError('malformed', `${fixed.rest.length} bytes too many in a ${type}`);
  }
  return build(type, { group: frame.group, from, to, term: readNumber(body, At.term) }, fixed);
}

function readFixed(body: Buffer): Fixed {
  const clock = readNumber(body, At.clock);
  return {
    bits: body.readUInt8(At.bits),
    small: body.readUInt32LE(At.small),
    clock: clock === 0 ? {} : { clock },
    a: readNumber(body, At.a),
    b: readNumber(body, At.b),
    c: readNumber(body, At.c),
    rest: body.subarray(MESSAGE_FIXED_BYTES),
  };
}

interface Envelope {
  readonly group: number;
  readonly from: NodeId;
  readonly to: NodeId;
  readonly term: number;
}

function build(type: MessageType, envelope: Envelope, fixed: Fixed): Message {
  const { a, b, c, bits } = fixed;
  switch (type) {
    case 'preVote':
      return { type, ...envelope, lastIndex: a, lastTerm: b };
    case 'vote':
      return { type, ...envelope, lastIndex: a, lastTerm: b, transfer: (bits & Bit.transfer) !== 0 };
    case 'preVoteResp':
    case 'voteResp':
      return { type, ...envelope, reject: (bits & Bit.reject) !== 0 };
    case 'append':
      return { type, ...envelope, prevIndex: a, prevTerm: b, commit: c, entries: readEntries(fixed, a) };
    case 'appendResp': {
      const reject = (bits & Bit.reject) !== 0;
      const lost = (bits & Bit.lost) !== 0;
      return { type, ...envelope, ...fixed.clock, reject, index: a, hintIndex: b, hintTerm: c, lost };
    }
    case 'heartbeat':
      return { type, ...envelope, ...fixed.clock, commit: a, context: b };
    case 'heartbeatResp':
      return { type, ...envelope, ...fixed.clock, context: a };
    case 'timeoutNow':
      return { type, ...envelope };
    case 'readIndex':
      return { type, ...envelope, context: a };
    case 'readIndexResp':
      return { type, ...envelope, context: a, index: b, refusal: readRefusal(fixed.small) };
    case 'snapshot':
      return { type, ...envelope, meta: { index: a, term: b, configuration: readConfiguration(fixed.rest) } };
  }
}

/** Sealed batches, one behind the other; each says how long it is. */
function readEntries(fixed: Fixed, prevIndex: number): Entry[] {
  const { rest, small: count } = fixed;
  const entries: Entry[] = [];
  let at = 0;
  for (let i = 0; i < count; i++) {
    const entry = readEntry(rest, at);
    if (entry.index !== prevIndex + 1 + i) {
      throw new WireFormatError('malformed', `entry ${entry.index} stands where entry ${prevIndex + 1 + i} belongs`);
    }
    entries.push(entry);
    at += entry.data.length;
  }
  if (at !== rest.length) throw new WireFormatError('malformed', `${rest.length - at} bytes too many in an append`);
  return entries;
}

function readEntry(bytes: Buffer, at: number): Entry {
  try {
    const { index, term, kind, length } = readHeader(bytes, at);
    if (length > bytes.length - at) {
      throw new WireFormatError('truncated', `batch ${index} of ${length} bytes ends beyond its frame`);
    }
    const data = bytes.subarray(at, at + length);
    if (kind !== EntryKind.configuration) return { index, term, kind, data };
    return { index, term, kind, data, config: readConfiguration(payloadOf(data)) };
  } catch (error) {
    if (error instanceof BatchFormatError) throw new WireFormatError('malformed', error.message);
    throw error;
  }
}

function readConfiguration(bytes: Buffer): Configuration {
  try {
    return decodeConfiguration(bytes);
  } catch (error) {
    if (error instanceof ConfigurationFormatError) throw new WireFormatError('malformed', error.message);
    throw error;
  }
}

function readRefusal(number: number): ReadRefusalReason | '' {
  const refusal = REFUSALS.get(number);
  if (refusal === undefined) throw new WireFormatError('malformed', `refusal ${number} of a read is unknown`);
  return refusal;
}

function readNumber(body: Buffer, at: number): number {
  const high = body.readUInt32LE(at + 4);
  if (high > 0x1f_ffff) throw new WireFormatError('malformed', 'a number in a message is beyond 2^53');
  return high * 0x1_0000_0000 + body.readUInt32LE(at);
}
