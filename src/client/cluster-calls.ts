/** For operators: cluster.v1.Cluster. */
import { type Member } from '../proto/cluster-v1';
import type * as wire from '../proto/cluster-v1';
import { clientDefinition } from '../proto/load';
import { type Caller } from './caller';
import { type Directory } from './directory';
import { LedgerError } from './errors';

const CLUSTER = clientDefinition('cluster.v1.Cluster');

export interface MemberView {
  readonly name: string;
  readonly nodeId: string;
  readonly rpcAddress: string;
  readonly gossipAddress: string;
  /** `voter`, `learner`, or `none`: known to gossip, not part of the cluster. */
  readonly suffrage: string;
  /** `alive`, `suspect`, `failed`, `left` or `unknown`. */
  readonly liveness: string;
  readonly isLeader: boolean;
}

export interface GroupStatus {
  readonly group: number;
  readonly role: string;
  readonly term: number;
  /** Name of the leader; empty where none is known. */
  readonly leader: string;
  readonly firstIndex: number;
  readonly lastIndex: number;
  readonly commitIndex: number;
  readonly appliedIndex: number;
  readonly snapshotIndex: number;
  readonly nextOffset: number;
  /** The version of the rules of money that the state stands under. */
  readonly rulesVersion: number;
  /** The highest one that the node's program knows; new ones are switched on when every member knows them. */
  readonly rulesKnown: number;
  /** Hex; empty unless asked for. Equal on every node at the same applied index. */
  readonly stateHash: string;
}

export interface NodeStatus {
  readonly clusterId: string;
  readonly nodeName: string;
  readonly nodeId: string;
  readonly version: string;
  readonly groups: readonly GroupStatus[];
  readonly projectionLagRecords: number;
  readonly projection: string;
  /** The disk of the data directory: without room, this node takes no writes while it leads. */
  readonly diskFull: boolean;
  readonly diskFreeBytes: number;
  /** Base64 of the Ed25519 key that the node signs heads of the log with; empty where it has none. */
  readonly publicKey: string;
}

/** What one server says of itself, or why it says nothing. */
export type ServerStatus =
  | { readonly address: string; readonly status: NodeStatus; readonly error?: undefined }
  | { readonly address: string; readonly status?: undefined; readonly error: LedgerError };

export async function members(caller: Caller, timeoutMs: number): Promise<MemberView[]> {
  const response = await caller.call({ target: 'leader', kind: 'read', timeoutMs }, (server, time) =>
    server.unary(CLUSTER.Members, {}, time),
  );
  return response.members.map(memberView);
}

/** Every server's own word; a server that does not answer has an error in its place. */
export function status(directory: Directory, timeoutMs: number, stateHash: boolean): Promise<ServerStatus[]> {
  return Promise.all(
    directory.connections().map(async (server): Promise<ServerStatus> => {
      const { address } = server;
      try {
        const response = await server.unary(CLUSTER.Status, { state_hash: stateHash }, timeoutMs);
        return { address, status: nodeStatus(response) };
      } catch (error) {
        if (error instanceof LedgerError) return { address, error };
        throw error;
      }
    }),
  );
}

/** @param name of the voter that shall lead; empty: the cluster chooses. @returns the name of the new leader */
export async function transferLeadership(caller: Caller, name: string, timeoutMs: number): Promise<string> {
  // Without a name a second call would hand over once more.
  const kind = name === '' ? 'once' : 'idempotent';
  const { leader } = await caller.call({ target: 'leader', kind, timeoutMs }, (server, time) =>
    server.unary(CLUSTER.TransferLeadership, { node_name: name }, time),
  );
  return leader;
}

/** Lets a removed node come back, or makes a learner a voter. Asked for again it is done once. */
export async function addMember(caller: Caller, name: string, timeoutMs: number): Promise<void> {
  await caller.call({ target: 'leader', kind: 'idempotent', timeoutMs }, (server, time) =>
    server.unary(CLUSTER.AddMember, { node_name: name }, time),
  );
}

/** Removes a member for good. Asked for again it is done once. */
export async function removeMember(caller: Caller, name: string, timeoutMs: number): Promise<void> {
  await caller.call({ target: 'leader', kind: 'idempotent', timeoutMs }, (server, time) =>
    server.unary(CLUSTER.RemoveMember, { node_name: name }, time),
  );
}

/** @param name or address of the server; empty: the first one that the client was given. @returns the snapshot's index */
export async function takeSnapshot(directory: Directory, name: string, timeoutMs: number): Promise<number> {
  const server = serverNamed(directory, name);
  const { index } = await server.unary(CLUSTER.TakeSnapshot, {}, timeoutMs);
  return Number(index);
}

/** What rows of the projection say. Values are as Postgres prints them. */
export interface SqlRows {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | null)[])[];
  /** There is more than was asked for, or than an answer holds. */
  readonly truncated: boolean;
  /** The last record that the rows reflect; -1: none. */
  readonly offset: number;
}

/** @param name or address of the server; empty: the first one that the client was given */
export async function readRows(
  directory: Directory,
  name: string,
  request: wire.SqlRequest,
  timeoutMs: number,
): Promise<SqlRows> {
  const server = serverNamed(directory, name);
  const { columns, offset, rows, truncated } = await server.unary(CLUSTER.Sql, request, timeoutMs);
  return {
    columns,
    rows: rows.map(({ values }) => values.map(({ is_null: isNull, text }) => (isNull ? null : text))),
    truncated,
    offset: Number(offset),
  };
}

/** @param name or address of the server; empty: the first one that the client was given. @throws LedgerError MEMBER_NOT_FOUND */
export function serverNamed(directory: Directory, name: string): NonNullable<ReturnType<Directory['connectionTo']>> {
  const server = directory.connectionTo(name);
  if (server) return server;
  const message = `No server is named "${name}", and none has that address; see the members.`;
  throw new LedgerError('NOT_FOUND', 'MEMBER_NOT_FOUND', message);
}

function memberView(member: Member): MemberView {
  const { name, node_id, rpc_addr, gossip_addr, suffrage, liveness, is_leader } = member;
  return {
    ...{ name, nodeId: node_id, rpcAddress: rpc_addr, gossipAddress: gossip_addr },
    ...{ suffrage, liveness, isLeader: is_leader },
  };
}

function nodeStatus(response: wire.StatusResponse): NodeStatus {
  const { cluster_id, node_name, node_id, version, projection } = response;
  return {
    ...{ clusterId: cluster_id, nodeName: node_name, nodeId: node_id, version, projection },
    projectionLagRecords: Number(response.projection_lag_records),
    diskFull: response.disk_full,
    diskFreeBytes: Number(response.disk_free_bytes),
    publicKey: response.public_key.toString('base64'),
    groups: response.groups.map(groupStatus),
  };
}

function groupStatus(group: wire.GroupStatus): GroupStatus {
  return {
    group: group.group,
    role: group.role,
    term: Number(group.term),
    leader: group.leader,
    firstIndex: Number(group.first_index),
    lastIndex: Number(group.last_index),
    commitIndex: Number(group.commit_index),
    appliedIndex: Number(group.applied_index),
    snapshotIndex: Number(group.snapshot_index),
    nextOffset: Number(group.next_offset),
    rulesVersion: group.rules_version,
    rulesKnown: group.rules_known,
    stateHash: group.state_hash,
  };
}
