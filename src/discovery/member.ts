import { isReachable } from './address';

/**
 * `alive` answers probes. `suspect` did not, and has a moment to object. `failed` stayed silent, or said that it stops.
 * `left` said that it leaves for good: it is never reported as failed.
 */
export type MemberState = 'alive' | 'suspect' | 'failed' | 'left';

export type MemberRole = 'member' | 'joining';

/** What a node says about itself. Every field is bounded, so that the whole always fits into one datagram. */
export interface Tags {
  /** 32 hex digits; empty while the node does not belong to a cluster yet. */
  readonly clusterId: string;
  /** 16 hex digits: the incarnation of the node's disk. */
  readonly nodeId: string;
  readonly name: string;
  readonly rpcAddr: string;
  readonly role: MemberRole;
  readonly nonVoter: boolean;
  /** Highest version of the log's records that the node understands. */
  readonly formatVersion: number;
  readonly partitions?: number;
}

export interface GossipMember {
  /** The address that the node gossips under; it identifies the member. */
  readonly gossipAddr: string;
  readonly tags: Tags;
  readonly state: MemberState;
  /** SWIM's incarnation: the wall clock in milliseconds when the node started, plus one for each change or objection. */
  readonly incarnation: number;
  /** Since when it is in this state: milliseconds since the Unix epoch, by this node's clock. */
  readonly since: number;
}

const CLUSTER_ID = /^(?:[0-9a-f]{32})?$/;
const NODE_ID = /^[0-9a-f]{16}$/;
const NODE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;
const MAX_FORMAT_VERSION = 65_535;
const MAX_PARTITIONS = 65_536;

/** What is wrong with these tags, as a sentence; undefined when nothing is. */
export function tagsFault(tags: Tags): string | undefined {
  if (!CLUSTER_ID.test(tags.clusterId)) return `the cluster id "${tags.clusterId}" is not empty and not 32 hex digits`;
  if (!NODE_ID.test(tags.nodeId)) return `the node id "${tags.nodeId}" is not 16 hex digits`;
  if (!NODE_NAME.test(tags.name)) return `the node name "${tags.name}" is not 1 to 63 letters, digits, ".", "_" or "-"`;
  if (!isReachable(tags.rpcAddr)) return `the RPC address "${tags.rpcAddr}" is not host:port of at most 255 characters`;
  if (tags.role !== 'member' && tags.role !== 'joining')
    return `the role "${String(tags.role)}" is not member or joining`;
  if (tags.clusterId === '' && tags.role !== 'joining') return 'a node without a cluster id can only be joining';
  if (typeof tags.nonVoter !== 'boolean') return 'nonVoter is not true or false';
  if (!isInteger(tags.formatVersion, 0, MAX_FORMAT_VERSION))
    return `the format version ${tags.formatVersion} is out of range`;
  if (tags.partitions !== undefined && !isInteger(tags.partitions, 1, MAX_PARTITIONS)) {
    return `the number of partitions ${tags.partitions} is out of range`;
  }
  return undefined;
}

export function sameTags(a: Tags, b: Tags): boolean {
  return (
    a.clusterId === b.clusterId &&
    a.nodeId === b.nodeId &&
    a.name === b.name &&
    a.rpcAddr === b.rpcAddr &&
    a.role === b.role &&
    a.nonVoter === b.nonVoter &&
    a.formatVersion === b.formatVersion &&
    a.partitions === b.partitions
  );
}

/** Not known to be gone: a suspect may yet object. */
export function isLive(state: MemberState): boolean {
  return state === 'alive' || state === 'suspect';
}

/** Two nodes may gossip when they are of one cluster, or one of them is still looking for its cluster. */
export function mayGossip(own: string, other: string): boolean {
  return own === '' || other === '' || own === other;
}

function isInteger(value: number, low: number, high: number): boolean {
  return Number.isInteger(value) && value >= low && value <= high;
}
