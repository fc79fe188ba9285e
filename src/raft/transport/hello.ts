import { isNodeId } from '../core/configuration';
import { WireFormatError } from './wire-format-error';
import { WireReader } from './wire-reader';
import { cutText, WireWriter } from './wire-writer';

/** The version of this protocol. A peer of another version is refused with a reason that names both. */
export const PROTOCOL_VERSION = 1;

/** Raft's messages travel on one connection, calls on another, so that a heartbeat is never behind bulk data. */
export type Lane = 'raft' | 'bulk';

/** Who is at the other end. */
export interface Identity {
  /** 32 hex digits, or empty while a node belongs to no cluster yet. */
  readonly clusterId: string;
  /** 16 hex digits: the incarnation of its data directory. */
  readonly nodeId: string;
  readonly nodeName: string;
}

export interface Hello extends Identity {
  readonly lane: Lane;
}

const MAGIC = 0x31504e4c; // "LNP1"
const LANES: readonly Lane[] = ['raft', 'bulk'];
const MAX_CLUSTER_ID_BYTES = 32;
const MAX_NODE_NAME_BYTES = 255;
const MAX_REASON_BYTES = 1024;
const CLUSTER_ID = /^([0-9a-f]{32})?$/;

/** No frame before the end of the handshake is longer. */
export const MAX_HANDSHAKE_FRAME_BYTES = 2048;

/** Throws RangeError for an identity that no peer would take. */
export function assertIdentity(identity: Identity): void {
  const { nodeId } = identity;
  if (!isNodeId(nodeId))
    throw new RangeError(`A node id must be 16 lower-case hex digits, but it is "${String(nodeId)}".`);
  if (!CLUSTER_ID.test(identity.clusterId)) {
    throw new RangeError(`A cluster id must be 32 lower-case hex digits or empty, but it is "${identity.clusterId}".`);
  }
  const nameBytes = Buffer.byteLength(identity.nodeName);
  if (nameBytes === 0 || nameBytes > MAX_NODE_NAME_BYTES) {
    throw new RangeError(`A node name must have 1 to ${MAX_NODE_NAME_BYTES} bytes, but it has ${nameBytes}.`);
  }
}

/** Body of HELLO, and of the HELLO_OK that answers it. */
export function encodeHello(hello: Hello): Buffer {
  return new WireWriter()
    .u32(MAGIC)
    .u16(PROTOCOL_VERSION)
    .u16(LANES.indexOf(hello.lane))
    .text(hello.clusterId, MAX_CLUSTER_ID_BYTES, 'The cluster id')
    .text(hello.nodeId, 16, 'The node id')
    .text(hello.nodeName, MAX_NODE_NAME_BYTES, 'The node name')
    .finish();
}

/** Throws WireFormatError; for a foreign version as `unexpected`, with a message that names it. */
export function decodeHello(body: Buffer): Hello {
  const reader = new WireReader(body);
  if (reader.u32('magic') !== MAGIC) throw new WireFormatError('malformed', 'this is not a hello of a peer');
  const version = reader.u16('protocol version');
  if (version !== PROTOCOL_VERSION) {
    throw new WireFormatError(
      'unexpected',
      `the peer speaks version ${version} of the protocol, this node version ${PROTOCOL_VERSION}`,
    );
  }
  const lane = LANES[reader.u16('lane')];
  if (lane === undefined) throw new WireFormatError('malformed', 'the lane is unknown');
  const hello: Hello = {
    lane,
    clusterId: reader.text(MAX_CLUSTER_ID_BYTES, 'cluster id'),
    nodeId: reader.text(16, 'node id'),
    nodeName: reader.text(MAX_NODE_NAME_BYTES, 'node name'),
  };
  reader.end('a hello');
  try {
    assertIdentity(hello);
  } catch (error) {
    throw new WireFormatError('malformed', (error as Error).message);
  }
  return hello;
}

/** Body of REFUSED: a reason in words, cut to what fits. */
export function encodeRefusal(reason: string): Buffer {
  return new WireWriter().text(cutText(reason, MAX_REASON_BYTES), MAX_REASON_BYTES, 'The reason of a refusal').finish();
}

export function decodeRefusal(body: Buffer): string {
  const reader = new WireReader(body);
  const reason = reader.text(MAX_REASON_BYTES, 'reason');
  reader.end('a refusal');
  return reason;
}
