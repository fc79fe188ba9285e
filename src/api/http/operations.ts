/** What operators and their tools ask: is it alive, is it ready, what does the cluster look like. */
import { type NodePort, type Readiness } from '../node-port';
import { ok, type Reply, text } from './reply';
import { NO_PARAMETERS } from './query';
import { endpoint, type Methods } from './router';

export function operationRoutes(port: NodePort, isStopping: () => boolean): Record<string, Methods> {
  return {
    '/healthz': { GET: endpoint(NO_PARAMETERS, () => ok({ status: 'ok' })) },
    '/readyz': { GET: endpoint(NO_PARAMETERS, () => readiness(port, isStopping())) },
    '/metrics': { GET: endpoint(NO_PARAMETERS, () => metrics(port)) },
    '/api/v1/cluster': { GET: endpoint(NO_PARAMETERS, () => ok(clusterJson(port))) },
  };
}

async function metrics(port: NodePort): Promise<Reply> {
  return text(await port.metricsText(), 'text/plain; version=0.0.4; charset=utf-8');
}

function readiness(port: NodePort, stopping: boolean): Reply {
  const { ready, why, warning }: Readiness = stopping
    ? { ready: false, why: 'The node is stopping.' }
    : port.readiness();
  if (ready) return ok({ status: 'ok', ...(warning !== undefined && { warning }) });
  return ok({ status: 'unavailable', message: why, code: 'not_ready' }, 503, RETRY);
}

const RETRY = { 'Retry-After': '1' };

function clusterJson(port: NodePort): object {
  const { clusterId, nodeName, nodeId, version, publicKey } = port.info;
  const { groups, projection, projectionLagRecords, disk } = port.status();
  return {
    cluster_id: clusterId,
    node: { name: nodeName, id: nodeId, version, public_key: publicKey?.toString('base64') ?? null },
    leader: port.leaderName() ?? null,
    members: port.members().map((member) => ({
      name: member.name,
      node_id: member.nodeId,
      rpc_addr: member.rpcAddr,
      gossip_addr: member.gossipAddr,
      suffrage: member.suffrage,
      liveness: member.liveness,
      is_leader: member.isLeader,
    })),
    groups: groups.map((group) => ({
      group: group.group,
      role: group.role,
      term: group.term,
      leader: group.leader === '' ? null : group.leader,
      first_index: group.firstIndex,
      last_index: group.lastIndex,
      commit_index: group.commitIndex,
      applied_index: group.appliedIndex,
      snapshot_index: group.snapshotIndex,
      next_offset: group.nextOffset,
      rules_version: group.rulesVersion,
      rules_known: group.rulesKnown,
    })),
    projection: { state: projection, lag_records: projectionLagRecords },
    ...(disk && { disk: { full: disk.full, free_bytes: disk.freeBytes } }),
  };
}
