import { isReachable } from './address';
import { type Session } from './replay-window';

/*
 * A user event, as it travels unchanged from node to node:
 *
 *   0 u8 type (64)   1 u48 wall clock of the origin in ms when its session began   7 the origin's session, 8 bytes
 *  15 u32 number of the event in that session   19 u8 length of the origin's address   20 u8 length of the name
 *  21 the address, the name, then the payload
 */

/** Not one of swim's message types. */
export const USER_EVENT = 64;
export const MAX_EVENT_NAME_BYTES = 64;
export const MAX_EVENT_PAYLOAD_BYTES = 512;

const SESSION_AT = 7;
const NUMBER_AT = 15;
const FIXED_BYTES = 21;
const EVENT_NAME = /^[A-Za-z0-9._:-]{1,64}$/;

export interface UserEvent {
  /** The gossip address of the node that broadcast it. */
  readonly origin: string;
  readonly session: Session;
  readonly number: number;
  readonly name: string;
  readonly payload: Buffer;
}

export function isEventName(name: string): boolean {
  return EVENT_NAME.test(name);
}

export function writeUserEvent(event: UserEvent): Buffer {
  const fixed = Buffer.alloc(FIXED_BYTES);
  fixed.writeUInt8(USER_EVENT, 0);
  fixed.writeUIntLE(event.session.startedAt, 1, 6);
  fixed.write(event.session.id, SESSION_AT, 'hex');
  fixed.writeUInt32LE(event.number, NUMBER_AT);
  fixed.writeUInt8(event.origin.length, 19);
  fixed.writeUInt8(event.name.length, 20);
  return Buffer.concat([fixed, Buffer.from(event.origin, 'ascii'), Buffer.from(event.name, 'ascii'), event.payload]);
}

/** Undefined when the bytes are not exactly an event. */
export function readUserEvent(bytes: Buffer): UserEvent | undefined {
  if (bytes.length < FIXED_BYTES || bytes.readUInt8(0) !== USER_EVENT) return undefined;
  const nameAt = FIXED_BYTES + bytes.readUInt8(19);
  const payloadAt = nameAt + bytes.readUInt8(20);
  if (bytes.length < payloadAt || bytes.length > payloadAt + MAX_EVENT_PAYLOAD_BYTES) return undefined;
  const origin = bytes.toString('latin1', FIXED_BYTES, nameAt);
  const name = bytes.toString('latin1', nameAt, payloadAt);
  if (!isReachable(origin) || !isEventName(name)) return undefined;
  return {
    origin,
    session: { id: bytes.toString('hex', SESSION_AT, NUMBER_AT), startedAt: bytes.readUIntLE(1, 6) },
    number: bytes.readUInt32LE(NUMBER_AT),
    name,
    payload: Buffer.from(bytes.subarray(payloadAt)),
  };
}
