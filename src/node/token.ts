/**
 * The opaque token of an answer: which cluster, which group, which Raft index the answer reflects. 20 bytes, base64url:
 * u8 version, u8 reserved, u16 group, u64 index, the first 8 bytes of the cluster's id. It is no secret and no authority.
 */
import { NodeError } from '../api/node-port';

const TOKEN_BYTES = 20;
const TOKEN_VERSION = 1;
const CLUSTER_AT = 12;

export interface TokenPosition {
  readonly group: number;
  readonly index: number;
}

export function encodeToken(clusterId: string, position: TokenPosition): string {
  const bytes = Buffer.alloc(TOKEN_BYTES);
  bytes.writeUInt8(TOKEN_VERSION, 0);
  bytes.writeUInt16LE(position.group, 2);
  bytes.writeBigUInt64LE(BigInt(position.index), 4);
  bytes.write(clusterId.slice(0, 16), CLUSTER_AT, 'hex');
  return bytes.toString('base64url');
}

/** What the token names, or a sentence that says why it cannot be used here. */
export function decodeToken(clusterId: string, token: string): TokenPosition | string {
  if (!/^[A-Za-z0-9_-]{27}$/.test(token)) return 'the token is not one that a node of this software gave';
  const bytes = Buffer.from(token, 'base64url');
  if (bytes.length !== TOKEN_BYTES || bytes.readUInt8(0) !== TOKEN_VERSION) {
    return 'the token has a version that this node does not know';
  }
  if (bytes.toString('hex', CLUSTER_AT, TOKEN_BYTES) !== clusterId.slice(0, 16)) {
    return 'the token was given by another cluster';
  }
  const index = bytes.readBigUInt64LE(4);
  if (index > BigInt(Number.MAX_SAFE_INTEGER)) return 'the token names an index that no log reaches';
  return { group: bytes.readUInt16LE(2), index: Number(index) };
}

/** @param field of the request that holds the token */
export function tokenInvalid(field: string, message: string): NodeError {
  return new NodeError('INVALID_ARGUMENT', 'TOKEN_INVALID', message, { field });
}
