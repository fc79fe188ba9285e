import { status, type Client } from '@grpc/grpc-js';
import { clientDefinition } from '../../../src/proto/load';
import { call, failureOf, GrpcDoor } from '../../support/doors';
import { SingleNodePort } from '../../support/single-node-port';

const { Status, Members, TransferLeadership, AddMember, RemoveMember, TakeSnapshot } =
  clientDefinition('cluster.v1.Cluster');

let port: SingleNodePort;
let door: GrpcDoor;
let cluster: Client;

beforeEach(async () => {
  port = new SingleNodePort();
  door = await new GrpcDoor(port).listen();
  cluster = door.client('cluster.v1.Cluster');
});

afterEach(async () => {
  await door.close();
  expect(door.unforeseen.errors).toEqual([]);
});

describe('the operators’ calls', () => {
  test('Status tells who this is and where each group stands', async () => {
    const { response } = await call(cluster, Status, {});
    expect(response).toMatchObject({
      cluster_id: port.info.clusterId,
      node_name: 'node-1',
      node_id: port.info.nodeId,
      version: '0.0.0-test',
      projection: 'off',
      projection_lag_records: '0',
      groups: [{ group: 0, role: 'leader', term: '1', leader: 'node-1', next_offset: '0', state_hash: '' }],
    });
  });

  test('Status computes the hash of the state only when asked', async () => {
    const { response } = await call(cluster, Status, { state_hash: true });
    expect(response.groups[0]!.state_hash).toMatch(/^[0-9a-f]{64}$/);
  });

  test('Members', async () => {
    const { response } = await call(cluster, Members, {});
    expect(response.members).toEqual([
      {
        name: 'node-1',
        node_id: port.info.nodeId,
        rpc_addr: '127.0.0.1:8300',
        gossip_addr: '127.0.0.1:8301',
        suffrage: 'voter',
        liveness: 'alive',
        is_leader: true,
      },
    ]);
  });

  test('TransferLeadership', async () => {
    const { response } = await call(cluster, TransferLeadership, { node_name: '' });
    expect(response).toEqual({ leader: 'node-1' });
    const failure = await failureOf(call(cluster, TransferLeadership, { node_name: 'node-9' }));
    expect(failure).toMatchObject({ code: status.NOT_FOUND, reason: 'MEMBER_NOT_FOUND' });
    const long = await failureOf(call(cluster, TransferLeadership, { node_name: 'x'.repeat(256) }));
    expect(long).toMatchObject({ code: status.INVALID_ARGUMENT, reason: 'NODE_NAME_INVALID' });
  });

  test('what the node does not offer is UNIMPLEMENTED', async () => {
    for (const method of [AddMember, RemoveMember, TakeSnapshot]) {
      const failure = await failureOf(call(cluster, method as typeof AddMember, { node_name: 'node-2' }));
      expect(failure).toMatchObject({ code: status.UNIMPLEMENTED, reason: 'UNIMPLEMENTED', domain: 'ledger-node' });
    }
  });

  test('what the node does offer is done', async () => {
    const done: string[] = [];
    const able = Object.assign(port, {
      addMember: async (name: string) => void done.push(`add ${name}`),
      removeMember: async (name: string) => void done.push(`remove ${name}`),
      takeSnapshot: async () => 41,
    });
    expect(able.takeSnapshot).toBeDefined();
    await call(cluster, AddMember, { node_name: 'node-2' });
    await call(cluster, RemoveMember, { node_name: 'node-3' });
    expect((await call(cluster, TakeSnapshot, {})).response).toEqual({ index: '41' });
    expect(done).toEqual(['add node-2', 'remove node-3']);
    const nameless = await failureOf(call(cluster, AddMember, { node_name: '' }));
    expect(nameless).toMatchObject({ code: status.INVALID_ARGUMENT, reason: 'NODE_NAME_REQUIRED', field: 'node_name' });
  });
});
