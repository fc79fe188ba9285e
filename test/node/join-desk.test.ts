import { JoinDesk, type Adoption } from '../../src/node/join-desk';
import { decodeJson, encodeJson } from '../../src/node/peer-calls';
import { StartupError } from '../../src/node/startup-error';
import type { IncomingCall } from '../../src/raft/transport';
import { CLUSTER, idOf, nameOf, rpcOf } from './members';

const LEADER = { clusterId: CLUSTER, nodeId: idOf(1), nodeName: nameOf(1) };
const call = (body: object): IncomingCall => ({
  from: LEADER.nodeId,
  peer: LEADER,
  group: 0,
  body: encodeJson(body),
  deadline: 0,
});
const adopt = (rest: object = {}): IncomingCall =>
  call({ clusterId: CLUSTER, partitions: 1, nodeId: idOf(2), ...rest });
const refuse = (rest: object = {}): IncomingCall => call({ nodeId: idOf(2), reason: 'the name is taken', ...rest });

describe('JoinDesk', () => {
  let clusterId: string;
  let saved: Adoption[];
  let save: (adoption: Adoption) => Promise<void>;
  let desk: JoinDesk;

  beforeEach(() => {
    clusterId = '';
    saved = [];
    save = async (adoption) => {
      saved.push(adoption);
      clusterId = adoption.clusterId;
    };
    desk = new JoinDesk(
      () => ({ clusterId, nodeId: idOf(2), name: nameOf(2), rpcAddr: rpcOf(2), rulesVersion: 3 }),
      (adoption) => save(adoption),
    );
  });

  test('says who it is to anyone', async () => {
    const expected = { clusterId: '', nodeId: idOf(2), name: nameOf(2), rpcAddr: rpcOf(2), rulesVersion: 3 };
    expect(decodeJson(await desk.identify())).toEqual(expected);
  });

  test('is adopted: durable before the leader hears yes, and once', async () => {
    const adopted = desk.waitForAdoption();
    await desk.adopt(adopt());
    expect(saved).toEqual([{ clusterId: CLUSTER, partitions: 1 }]);
    expect(await adopted).toEqual({ clusterId: CLUSTER, partitions: 1 });
    await desk.adopt(adopt());
    expect(saved).toHaveLength(1);
  });

  test('a member hears that it was removed; who is none, or is another, does not', async () => {
    let removed = 0;
    const told = new JoinDesk(
      () => ({ clusterId, nodeId: idOf(2), name: nameOf(2), rpcAddr: rpcOf(2), rulesVersion: 3 }),
      (adoption) => save(adoption),
      () => (removed += 1),
    );
    await expect(told.removed(call({ nodeId: idOf(2) }))).rejects.toMatchObject({ reason: 'NOT_JOINING' });
    clusterId = CLUSTER;
    await expect(told.removed(call({ nodeId: idOf(3) }))).rejects.toMatchObject({ reason: 'NOT_ME' });
    expect(removed).toBe(0);
    await told.removed(call({ nodeId: idOf(2) }));
    expect(removed).toBe(1);
  });

  test('joins no second cluster', async () => {
    const adopted = desk.waitForAdoption();
    await desk.adopt(adopt());
    await adopted;
    const other = desk.adopt(adopt({ clusterId: 'd'.repeat(32) }));
    await expect(other).rejects.toMatchObject({ code: 'FAILED_PRECONDITION', reason: 'NOT_JOINING' });
    expect(clusterId).toBe(CLUSTER);
  });

  test('a node that looks for no cluster is not adopted', async () => {
    await expect(desk.adopt(adopt())).rejects.toMatchObject({ reason: 'NOT_JOINING' });
    expect(saved).toEqual([]);
  });

  test.each([
    ['for another node', { nodeId: idOf(3) }, 'NOT_ME'],
    ['into a cluster without an id', { clusterId: '' }, 'CLUSTER_ID_INVALID'],
    ['into a cluster with a bad id', { clusterId: `${'c'.repeat(31)}G` }, 'CLUSTER_ID_INVALID'],
  ])('an adoption %s is refused', async (_what, rest, reason) => {
    void desk.waitForAdoption();
    await expect(desk.adopt(adopt(rest))).rejects.toMatchObject({ reason });
    expect(saved).toEqual([]);
  });

  test.each([{ partitions: 'many' }, { partitions: 1.5 }, { clusterId: 7 }, { nodeId: undefined }])(
    'an adoption with %j is malformed',
    async (rest) => {
      void desk.waitForAdoption();
      await expect(desk.adopt(adopt(rest))).rejects.toThrow('A peer sent a JSON body');
      expect(saved).toEqual([]);
    },
  );

  test('a refusal ends the wait with the reason, as wrong usage', async () => {
    const waiting = desk.waitForAdoption();
    const [, outcome] = await Promise.allSettled([desk.refuse(refuse()), waiting]);
    expect(outcome).toMatchObject({ status: 'rejected' });
    await expect(waiting).rejects.toThrow(StartupError);
    await expect(waiting).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringContaining('the name is taken') as string,
    });
  });

  test('a refusal for another node, or of one that belongs to a cluster, changes nothing', async () => {
    const adopted = desk.waitForAdoption();
    await expect(desk.refuse(refuse({ nodeId: idOf(3) }))).rejects.toMatchObject({ reason: 'NOT_ME' });
    await desk.adopt(adopt());
    await desk.refuse(refuse());
    expect(await adopted).toMatchObject({ clusterId: CLUSTER });
  });

  test('what cannot be made durable ends the wait: the node must not go on as if nobody had come', async () => {
    const waiting = desk.waitForAdoption();
    save = () => Promise.reject(new Error('disk full'));
    const [answer, outcome] = await Promise.allSettled([desk.adopt(adopt()), waiting]);
    expect(answer).toMatchObject({ status: 'rejected', reason: { message: 'disk full' } });
    expect(outcome).toMatchObject({ status: 'rejected', reason: { message: 'disk full' } });
  });
});
