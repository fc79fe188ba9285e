import { randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { isReachable } from './address';
import { wallMillis, type Clock } from './environment';
import { AUTH_TAG_BYTES, NONCE_BYTES, type Keyring } from './keyring';
import { type Session } from './replay-window';

/*
 * A datagram:
 *
 *   0 u8 format (1)   1 u8 sealing: 0 plain, 1 AES-256-GCM   2 the sender's session, 8 random bytes   10 u32 counter
 *  14 the body; sealed: its ciphertext, then the 16 byte tag. Bytes 0..13 are authenticated with it. Plain: the body, then
 *     the u32 CRC-32 of everything before, which tells damage (UDP's own 16 bits let some through), not forgery.
 *
 * The body:
 *
 *   0 u48 wall clock of the sender in ms when its session began   6 cluster id, 16 bytes, zero while joining
 *  22 u8 length of the sender's gossip address   23 the address in ASCII, then the message
 *
 * Session and counter together are the nonce of GCM and are never used twice: a session is 64 random bits, its counter only
 * rises, and a session whose counter is used up is replaced. The same pair tells a datagram from its replay.
 */

const FORMAT = 1;
const PLAIN = 0;
const AES_256_GCM = 1;
const SESSION_BYTES = 8;
const HEADER_BYTES = 2 + NONCE_BYTES;
const CHECKSUM_BYTES = 4;
const CLUSTER_ID_BYTES = 16;
const CLUSTER_ID_AT = 6;
const SENDER_LENGTH_AT = CLUSTER_ID_AT + CLUSTER_ID_BYTES;
const SENDER_AT = SENDER_LENGTH_AT + 1;
const MAX_COUNTER = 0xffff_ffff;
const JOINING = '0'.repeat(CLUSTER_ID_BYTES * 2);

/** A datagram that survives an Ethernet frame on every path, IPv6 and a tunnel included, without being fragmented. */
export const MAX_DATAGRAM_BYTES = 1_372;

export interface OpenedEnvelope {
  /** The gossip address that the sender says it has. */
  readonly sender: string;
  /** Empty while the sender is joining. */
  readonly clusterId: string;
  readonly session: Session;
  readonly counter: number;
  /** False for plaintext, of which nothing can be believed. */
  readonly authentic: boolean;
  readonly message: Buffer;
}

/** Wraps outgoing messages. One for a node's life: it holds the session and its counter. */
export class Sealer {
  private current: Session;
  private sessionBytes: Buffer;
  private counter = 0;

  constructor(
    private readonly sender: string,
    private readonly keyring: Keyring | undefined,
    private readonly clock: Clock,
  ) {
    this.sessionBytes = randomBytes(SESSION_BYTES);
    this.current = { id: this.sessionBytes.toString('hex'), startedAt: wallMillis(clock) };
  }

  get session(): Session {
    return this.current;
  }

  /** How long a message may be, in bytes, for its datagram not to exceed `MAX_DATAGRAM_BYTES`. */
  get maxMessageBytes(): number {
    return MAX_DATAGRAM_BYTES - HEADER_BYTES - SENDER_AT - Buffer.byteLength(this.sender) - AUTH_TAG_BYTES;
  }

  seal(clusterId: string, message: Buffer): Buffer {
    if (this.counter > MAX_COUNTER) this.beginSession();
    const header = Buffer.alloc(HEADER_BYTES);
    header.writeUInt8(FORMAT, 0);
    header.writeUInt8(this.keyring ? AES_256_GCM : PLAIN, 1);
    this.sessionBytes.copy(header, 2);
    header.writeUInt32LE(this.counter, 2 + SESSION_BYTES);
    this.counter += 1;
    const sender = Buffer.from(this.sender, 'ascii');
    const fixed = Buffer.alloc(SENDER_AT);
    fixed.writeUIntLE(this.current.startedAt, 0, CLUSTER_ID_AT);
    fixed.write(clusterId === '' ? JOINING : clusterId, CLUSTER_ID_AT, 'hex');
    fixed.writeUInt8(sender.length, SENDER_LENGTH_AT);
    const body = Buffer.concat([fixed, sender, message]);
    if (this.keyring) return Buffer.concat([header, this.keyring.encrypt(header.subarray(2), header, body)]);
    const checksum = Buffer.alloc(CHECKSUM_BYTES);
    checksum.writeUInt32LE(crc32(body, crc32(header)));
    return Buffer.concat([header, body, checksum]);
  }

  private beginSession(): void {
    const previous = this.current;
    this.sessionBytes = randomBytes(SESSION_BYTES);
    const startedAt = Math.max(wallMillis(this.clock), previous.startedAt + 1);
    this.current = { id: this.sessionBytes.toString('hex'), startedAt };
    this.counter = 0;
  }
}

type EnvelopeFault = 'malformed' | 'plaintext_refused' | 'encrypted_refused' | 'undecryptable';

/** Unwraps a datagram, or says why not. Whatever the bytes, nothing is thrown. */
export function openEnvelope(datagram: Buffer, keyring: Keyring | undefined): OpenedEnvelope | EnvelopeFault {
  if (datagram.length < HEADER_BYTES || datagram.length > MAX_DATAGRAM_BYTES) return 'malformed';
  if (datagram.readUInt8(0) !== FORMAT) return 'malformed';
  const sealing = datagram.readUInt8(1);
  if (sealing !== PLAIN && sealing !== AES_256_GCM) return 'malformed';
  if (sealing === PLAIN && keyring) return 'plaintext_refused';
  const header = datagram.subarray(0, HEADER_BYTES);
  let body: Buffer | undefined = datagram.subarray(HEADER_BYTES);
  if (sealing === AES_256_GCM) {
    if (!keyring) return 'encrypted_refused';
    body = keyring.decrypt(header.subarray(2), header, body);
    if (!body) return 'undecryptable';
  } else {
    body = withoutChecksum(datagram);
    if (!body) return 'malformed';
  }
  return readBody(header, body, sealing === AES_256_GCM) ?? 'malformed';
}

/** The body of a plain datagram; undefined where it was damaged on its way. */
function withoutChecksum(datagram: Buffer): Buffer | undefined {
  const end = datagram.length - CHECKSUM_BYTES;
  if (end < HEADER_BYTES || datagram.readUInt32LE(end) !== crc32(datagram.subarray(0, end))) return undefined;
  return datagram.subarray(HEADER_BYTES, end);
}

function readBody(header: Buffer, body: Buffer, authentic: boolean): OpenedEnvelope | undefined {
  if (body.length < SENDER_AT) return undefined;
  const messageAt = SENDER_AT + body.readUInt8(SENDER_LENGTH_AT);
  if (body.length < messageAt) return undefined;
  const sender = body.toString('latin1', SENDER_AT, messageAt);
  if (!isReachable(sender)) return undefined;
  const clusterId = body.toString('hex', CLUSTER_ID_AT, SENDER_LENGTH_AT);
  return {
    sender,
    clusterId: clusterId === JOINING ? '' : clusterId,
    session: { id: header.toString('hex', 2, 2 + SESSION_BYTES), startedAt: body.readUIntLE(0, CLUSTER_ID_AT) },
    counter: header.readUInt32LE(2 + SESSION_BYTES),
    authentic,
    message: body.subarray(messageAt),
  };
}
