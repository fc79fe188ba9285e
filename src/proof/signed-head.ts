/**
 * A head: what one node says of the whole log of a group up to an entry, signed with the node's key (Ed25519, RFC 8032). What is
 * signed is the UTF-8 of these lines, each with a line feed, so that any program can check it:
 *
 * ```
 * ledger-node head 1
 * cluster <32 hexadecimal digits>
 * group <number>
 * node <16 hexadecimal digits>
 * size <entries that the tree covers>
 * root <64 hexadecimal digits>
 * offset <the offset after the last record>
 * time <when it was signed, in microseconds since the Unix epoch, by the node's clock>
 * ```
 */
import { createPublicKey, type KeyObject, sign, verify } from 'node:crypto';

export interface Head {
  readonly clusterId: string;
  readonly group: number;
  /** The node that signed. */
  readonly nodeId: string;
  /** Entries 1 to `size` are under the root. */
  readonly size: number;
  readonly root: Buffer;
  readonly nextOffset: number;
  /** Microseconds since the Unix epoch. */
  readonly time: number;
}

export interface SignedHead extends Head {
  /** Raw, 32 bytes. */
  readonly publicKey: Buffer;
  /** 64 bytes. */
  readonly signature: Buffer;
}

export const PUBLIC_KEY_BYTES = 32;
/** What stands before the raw bytes of an Ed25519 key in DER (RFC 8410, SubjectPublicKeyInfo). */
const DER_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

export function headText(head: Head): string {
  const { clusterId, group, nodeId, size, root, nextOffset, time } = head;
  const lines = [
    'ledger-node head 1',
    `cluster ${clusterId}`,
    `group ${group}`,
    `node ${nodeId}`,
    `size ${size}`,
    `root ${root.toString('hex')}`,
    `offset ${nextOffset}`,
    `time ${time}`,
  ];
  return `${lines.join('\n')}\n`;
}

export function signHead(head: Head, privateKey: KeyObject): SignedHead {
  const publicKey = rawPublicKey(createPublicKey(privateKey));
  return { ...head, publicKey, signature: sign(null, Buffer.from(headText(head), 'utf8'), privateKey) };
}

/** Whether the head was signed with the key that it names. Whose key that is has to be known from elsewhere. */
export function isSignedByItsKey(head: SignedHead): boolean {
  if (head.publicKey.length !== PUBLIC_KEY_BYTES) return false;
  const key = createPublicKey({ key: Buffer.concat([DER_PREFIX, head.publicKey]), format: 'der', type: 'spki' });
  return verify(null, Buffer.from(headText(head), 'utf8'), key, head.signature);
}

/** The 32 bytes of an Ed25519 key. */
export function rawPublicKey(key: KeyObject): Buffer {
  const der = key.export({ format: 'der', type: 'spki' });
  return der.subarray(der.length - PUBLIC_KEY_BYTES);
}
