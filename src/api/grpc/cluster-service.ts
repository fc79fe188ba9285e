/** `cluster.v1.Cluster`: for operators. */
import { type UntypedServiceImplementation } from '@grpc/grpc-js';
import {
  type MembersResponse,
  type NodeNameRequest,
  type SqlRequest,
  type SqlResponseOut,
  type StatusRequest,
  type StatusResponseOut,
  type TakeSnapshotResponseOut,
  type TransferLeadershipResponse,
} from '../../proto/cluster-v1';
import { type Budget, within } from '../deadline';
import { invalid } from '../errors';
import { type GroupStatusView, type MemberView } from '../node-port';
import { backupStream } from './backup-stream';
import { type Door, notBuilt } from './door';

/** Longest node name that is looked at: names come back in messages. */
const MAX_NODE_NAME = 255;
const SQL_ROWS = 1_000;
const MOST_SQL_ROWS = 10_000;

export function clusterService(door: Door): UntypedServiceImplementation {
  return {
    Status: door.unary('Status', (request: StatusRequest) => status(door, request)),
    Members: door.unary('Members', (): MembersResponse => ({ members: door.port.members().map(memberOut) })),
    TransferLeadership: door.unary('TransferLeadership', (request: NodeNameRequest, budget) =>
      transferLeadership(door, request, budget),
    ),
    AddMember: door.unary('AddMember', (request: NodeNameRequest, budget) => addMember(door, request, budget)),
    RemoveMember: door.unary('RemoveMember', (request: NodeNameRequest, budget) => removeMember(door, request, budget)),
    TakeSnapshot: door.unary('TakeSnapshot', (_request: object, budget) => takeSnapshot(door, budget)),
    Backup: backupStream(door),
    Sql: door.unary('Sql', (request: SqlRequest, budget) => sql(door, request, budget)),
  };
}

function status(door: Door, request: StatusRequest): StatusResponseOut {
  const { info } = door.port;
  const view = door.port.status({ stateHash: request.state_hash });
  return {
    cluster_id: info.clusterId,
    node_name: info.nodeName,
    node_id: info.nodeId,
    version: info.version,
    groups: view.groups.map(groupOut),
    projection_lag_records: view.projectionLagRecords,
    projection: view.projection,
    disk_full: view.disk?.full ?? false,
    disk_free_bytes: view.disk?.freeBytes ?? 0,
    public_key: info.publicKey ?? Buffer.alloc(0),
  };
}

function groupOut(view: GroupStatusView): StatusResponseOut['groups'][number] {
  return {
    group: view.group,
    role: view.role,
    term: view.term,
    leader: view.leader,
    first_index: view.firstIndex,
    last_index: view.lastIndex,
    commit_index: view.commitIndex,
    applied_index: view.appliedIndex,
    snapshot_index: view.snapshotIndex,
    next_offset: view.nextOffset,
    state_hash: view.stateHash ?? '',
    rules_version: view.rulesVersion,
    rules_known: view.rulesKnown,
  };
}

function memberOut(view: MemberView): MembersResponse['members'][number] {
  return {
    name: view.name,
    node_id: view.nodeId,
    rpc_addr: view.rpcAddr,
    gossip_addr: view.gossipAddr,
    suffrage: view.suffrage,
    liveness: view.liveness,
    is_leader: view.isLeader,
  };
}

async function transferLeadership(
  door: Door,
  request: NodeNameRequest,
  budget: Budget,
): Promise<TransferLeadershipResponse> {
  const name = bounded(request.node_name);
  return { leader: await within(door.port.transferLeadership(name, budget.workMs), budget.patienceMs, 'write') };
}

async function addMember(door: Door, request: NodeNameRequest, budget: Budget): Promise<object> {
  if (door.port.addMember === undefined) throw notBuilt('AddMember');
  await within(door.port.addMember(required(request.node_name), budget.workMs), budget.patienceMs, 'write');
  return {};
}

async function removeMember(door: Door, request: NodeNameRequest, budget: Budget): Promise<object> {
  if (door.port.removeMember === undefined) throw notBuilt('RemoveMember');
  await within(door.port.removeMember(required(request.node_name), budget.workMs), budget.patienceMs, 'write');
  return {};
}

async function takeSnapshot(door: Door, budget: Budget): Promise<TakeSnapshotResponseOut> {
  if (door.port.takeSnapshot === undefined) throw notBuilt('TakeSnapshot');
  return { index: await within(door.port.takeSnapshot(budget.workMs), budget.patienceMs, 'write') };
}

const CALL = /^\s*call\b/i;
const NO_CALLS =
  'Nothing can be called here. To wait for an answer of the ledger, give its token beside the statement that reads (ledger sql --token).';

async function sql(door: Door, request: SqlRequest, budget: Budget): Promise<SqlResponseOut> {
  if (door.port.readRows === undefined) throw notBuilt('Sql');
  const { statement, token } = request;
  const maxRows = request.max_rows === 0 ? SQL_ROWS : request.max_rows;
  if (statement.trim() === '') throw invalid('statement', 'SQL_REFUSED', 'Say what is to be read.');
  if (CALL.test(statement)) throw invalid('statement', 'SQL_REFUSED', NO_CALLS);
  if (maxRows > MOST_SQL_ROWS) throw invalid('max_rows', 'SQL_REFUSED', `An answer has at most ${MOST_SQL_ROWS} rows.`);
  const work = door.port.readRows({ sql: statement, maxRows }, token, budget.workMs);
  const { columns, isCut, offset, rows } = await within(work, budget.patienceMs, 'read');
  return {
    columns: [...columns],
    rows: rows.map((row) => ({ values: row.map((text) => ({ is_null: text === null, text: text ?? '' })) })),
    truncated: isCut,
    offset,
  };
}

function required(name: string): string {
  if (name === '') throw invalid('node_name', 'NODE_NAME_REQUIRED', 'Name the node that is meant.');
  return bounded(name);
}

function bounded(name: string): string {
  if (Buffer.byteLength(name) > MAX_NODE_NAME) {
    throw invalid('node_name', 'NODE_NAME_INVALID', `A node name has at most ${MAX_NODE_NAME} bytes.`);
  }
  return name;
}
