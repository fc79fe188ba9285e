import { isReachable } from './address';
import { tagsFault, type MemberState, type Tags } from './member';
import { readUserEvent, USER_EVENT, type UserEvent } from './user-event';

/*
 * The messages of npm swim 0.6.0, one byte of type before JSON, and one of our own beside them (./user-event.ts):
 *
 *   0 compound: u16 number of messages, then each with its u16 length before it
 *  10 ping {seq}   11 ping-req {seq, destination}   13 ack {seq}   12 sync and 14 update: a member's record
 *
 * A record: {h: gossip address, s: 0 alive | 1 suspect | 2 failed | 3 left, i: incarnation, a: for how many ms it has been
 * gone (only with s 2 and 3), t: {c: cluster id, i: node id, n: name, r: RPC address, j: 1 while joining, v: 1 for a non-voter,
 * f: format version, p: partitions (may be absent)}}.
 */

const COMPOUND = 0;
const PING = 10;
const PING_REQ = 11;
export const SYNC = 12;
const ACK = 13;
export const UPDATE = 14;

/** Beyond every clock, and far enough below 2^53 that adding one stays exact. */
const MAX_INCARNATION = 2 ** 50;
const MAX_AGE_MS = 2 ** 50;
const STATES: readonly MemberState[] = ['alive', 'suspect', 'failed', 'left'];

export interface MemberRecord {
  readonly gossipAddr: string;
  readonly tags: Tags;
  readonly state: MemberState;
  readonly incarnation: number;
  /** For how long it has been failed or left, in milliseconds; 0 otherwise. */
  readonly goneForMs: number;
}

export type GossipMessage =
  | { readonly type: 'ping' | 'ack'; readonly seq: number }
  | { readonly type: 'pingReq'; readonly seq: number; readonly destination: string }
  | { readonly type: 'sync' | 'update'; readonly record: MemberRecord }
  | { readonly type: 'event'; readonly event: UserEvent };

export function encodeRecord(record: MemberRecord): Buffer {
  const { tags } = record;
  const gone = record.state === 'failed' || record.state === 'left';
  return Buffer.from(
    JSON.stringify({
      h: record.gossipAddr,
      s: STATES.indexOf(record.state),
      i: record.incarnation,
      ...(gone ? { a: Math.max(0, Math.round(record.goneForMs)) } : {}),
      t: {
        c: tags.clusterId,
        i: tags.nodeId,
        n: tags.name,
        r: tags.rpcAddr,
        j: tags.role === 'joining' ? 1 : 0,
        v: tags.nonVoter ? 1 : 0,
        f: tags.formatVersion,
        ...(tags.partitions === undefined ? {} : { p: tags.partitions }),
      },
    }),
  );
}

/** Every message of a datagram; undefined when any of it is not exactly as it should be. Whatever the bytes, nothing is thrown. */
export function parseMessages(bytes: Buffer): GossipMessage[] | undefined {
  if (bytes.length === 0) return undefined;
  if (bytes.readUInt8(0) !== COMPOUND) {
    const message = parseMessage(bytes);
    return message && [message];
  }
  if (bytes.length < 3) return undefined;
  const count = bytes.readUInt16LE(1);
  const messages: GossipMessage[] = [];
  let at = 3;
  while (messages.length < count) {
    if (bytes.length < at + 2) return undefined;
    const end = at + 2 + bytes.readUInt16LE(at);
    if (bytes.length < end) return undefined;
    const message = parseMessage(bytes.subarray(at + 2, end));
    if (!message) return undefined;
    messages.push(message);
    at = end;
  }
  return at === bytes.length ? messages : undefined;
}

function parseMessage(bytes: Buffer): GossipMessage | undefined {
  if (bytes.length === 0) return undefined;
  const type = bytes.readUInt8(0);
  if (type === USER_EVENT) {
    const event = readUserEvent(bytes);
    return event && { type: 'event', event };
  }
  const fields = parseObject(bytes.subarray(1));
  if (!fields) return undefined;
  switch (type) {
    case PING:
    case ACK:
      if (!hasExactly(fields, ['seq']) || !isCount(fields['seq'])) return undefined;
      return { type: type === PING ? 'ping' : 'ack', seq: fields['seq'] };
    case PING_REQ:
      return parsePingRequest(fields);
    case SYNC:
    case UPDATE: {
      const record = parseRecord(fields);
      if (!record || (type === SYNC && record.state !== 'alive')) return undefined;
      return { type: type === SYNC ? 'sync' : 'update', record };
    }
    default:
      return undefined;
  }
}

type Fields = Readonly<Record<string, unknown>>;

function parseObject(bytes: Buffer): Fields | undefined {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    return isObject(value) ? value : undefined;
  } catch {
    // Not JSON: the caller drops the datagram and counts it as malformed.
    return undefined;
  }
}

function parsePingRequest(fields: Fields): GossipMessage | undefined {
  const { seq, destination } = fields;
  if (!hasExactly(fields, ['seq', 'destination']) || !isCount(seq)) return undefined;
  if (typeof destination !== 'string' || !isReachable(destination)) return undefined;
  return { type: 'pingReq', seq, destination };
}

function parseRecord(fields: Fields): MemberRecord | undefined {
  const { h: gossipAddr, s, i: incarnation, a, t } = fields;
  const state = typeof s === 'number' ? STATES[s] : undefined;
  if (state === undefined || typeof gossipAddr !== 'string' || !isReachable(gossipAddr)) return undefined;
  if (!isCount(incarnation) || incarnation > MAX_INCARNATION) return undefined;
  const gone = state === 'failed' || state === 'left';
  if (!hasExactly(fields, gone ? ['h', 's', 'i', 'a', 't'] : ['h', 's', 'i', 't'])) return undefined;
  if (gone && (!isCount(a) || a > MAX_AGE_MS)) return undefined;
  const tags = isObject(t) ? parseTags(t) : undefined;
  if (!tags) return undefined;
  return { gossipAddr, tags, state, incarnation, goneForMs: typeof a === 'number' ? a : 0 };
}

function parseTags(fields: Fields): Tags | undefined {
  const { c, i, n, r, j, v, f, p } = fields;
  const keys = ['c', 'i', 'n', 'r', 'j', 'v', 'f'];
  if (!hasExactly(fields, p === undefined ? keys : [...keys, 'p'])) return undefined;
  if (typeof c !== 'string' || typeof i !== 'string' || typeof n !== 'string' || typeof r !== 'string')
    return undefined;
  if ((j !== 0 && j !== 1) || (v !== 0 && v !== 1) || !isCount(f)) return undefined;
  if (p !== undefined && !isCount(p)) return undefined;
  const tags: Tags = {
    clusterId: c,
    nodeId: i,
    name: n,
    rpcAddr: r,
    role: j === 1 ? 'joining' : 'member',
    nonVoter: v === 1,
    formatVersion: f,
    ...(p === undefined ? {} : { partitions: p }),
  };
  return tagsFault(tags) === undefined ? tags : undefined;
}

function hasExactly(fields: Fields, keys: readonly string[]): boolean {
  return Object.keys(fields).length === keys.length && keys.every((key) => Object.hasOwn(fields, key));
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}
