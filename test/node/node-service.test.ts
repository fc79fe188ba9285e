import type { Committed, NodePort } from '../../src/api/node-port';
import { encodeCommand } from '../../src/ledger/command-codec';
import { encodeValues } from '../../src/log/chunk';
import { createFirstLedger, needsFirstLedger } from '../../src/node/bootstrap-ledger';
import { NodeService } from '../../src/node/node-service';
import { LedgerState } from '../../src/ledger/state';
import { nameOf } from './members';
import { OneNode } from './one-node';

const produce = (port: NodePort, ...values: string[]): Promise<Committed> =>
  port.submit(
    {
      type: 0,
      kind: 'records',
      subject: '',
      count: values.length,
      chunk: encodeValues(
        0,
        values.map((value) => Buffer.from(value)),
      ),
    },
    10_000,
  );

const until = async (what: string, look: () => boolean): Promise<void> => {
  const deadline = Date.now() + 10_000;
  while (!look()) {
    if (Date.now() > deadline) throw new Error(`Waited in vain for ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
};

describe('a node without a cluster', () => {
  const service = new NodeService({
    info: () => ({ clusterId: '', nodeName: 'n', nodeId: '', version: '0' }),
    emptyReader: new LedgerState().reader,
    metricsText: async () => '',
    projection: () => ({ state: 'starting', lagRecords: 0 }),
  });

  test('answers what it can, and refuses the rest with a reason', () => {
    expect(service.readiness()).toEqual({ ready: false, why: 'the node does not belong to a cluster yet' });
    expect([service.servers(), service.members(), service.leaderName()]).toEqual([[], [], undefined]);
    expect(service.status()).toEqual({ groups: [], projectionLagRecords: 0, projection: 'starting' });
    expect(service.position()).toMatchObject({ appliedIndex: 0, offset: -1 });
    expect(service.ledger.ledgers()).toEqual([]);
  });

  test.each<[string, () => Promise<unknown>]>([
    ['a write', () => produce(service, 'a')],
    ['a read', async () => service.barrier({ level: 'STALE', maxStalenessMs: 0 }, 1_000)],
    ['records', async () => service.readRecords(0, 1_000, 1_000)],
    ['the end of the log', () => service.leaderOffset(1_000)],
    ['a wait', () => service.waitForOffset(0, new AbortController().signal)],
    ['a transfer', () => service.transferLeadership('', 1_000)],
    ['a snapshot', () => service.takeSnapshot()],
  ])('%s is UNAVAILABLE, NOT_READY', async (_what, call) => {
    await expect(Promise.resolve().then(call)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      reason: 'NOT_READY',
      message: expect.stringContaining('does not belong to a cluster yet') as string,
    });
  });
});

describe('a cluster of one', () => {
  const folder = OneNode.folder();
  let node: OneNode;
  let port: NodePort;

  beforeAll(async () => {
    node = await OneNode.open(folder);
    port = node.service;
  });
  afterAll(async () => {
    await node.close();
    OneNode.remove(folder);
  });

  test('takes nothing before its doors are open', async () => {
    expect(port.readiness()).toEqual({ ready: false, why: 'the node is starting' });
    await expect(Promise.resolve().then(() => produce(port, 'early'))).rejects.toMatchObject({ reason: 'NOT_READY' });
  });

  test('makes its first ledger, once, as a record that takes no offset', async () => {
    expect(needsFirstLedger(node.group)).toBe(true);
    await createFirstLedger(node.group, { dev: false, dedupAge: undefined }, node.events);
    const { appliedIndex } = node.group.replica;
    await createFirstLedger(node.group, { dev: false, dedupAge: undefined }, node.events);
    expect(node.group.replica.appliedIndex).toBe(appliedIndex);
    expect(needsFirstLedger(node.group)).toBe(false);
    expect(port.ledger.ledger('USD')).toMatchObject({ code: 'USD', scale: 2, autoOpen: false });
    expect(port.position().offset).toBe(-1);
  });

  test('makes a bound on the memory of ids with it, where it was told one', async () => {
    const other = OneNode.folder();
    const bounded = await OneNode.open(other);
    await createFirstLedger(bounded.group, { dev: false, dedupAge: 60_000 }, bounded.events);
    expect(bounded.service.ledger.dedupAgeMs()).toBe(60_000);
    expect(bounded.service.position().offset).toBe(-1);
    // Started again before it has read its log it may ask for it once more, and with other flags.
    bounded.service.openDoors();
    const chunk = encodeValues(1, [encodeCommand({ kind: 'set_dedup_age', ageMs: 5_000 })]);
    await bounded.service.submit({ type: 1, kind: 'system', subject: '', count: 1, chunk }, 10_000);
    expect(bounded.service.ledger.dedupAgeMs()).toBe(60_000);
    await bounded.close();
    OneNode.remove(other);
  });

  test('is ready once what was committed at the start is applied', async () => {
    node.service.openDoors();
    await until('the node to be ready', () => port.readiness().ready);
    expect(port.leaderName()).toBe(nameOf(1));
    expect(port.servers()).toEqual([{ id: nameOf(1), rpcAddr: '127.0.0.1:8301', isLeader: true }]);
    expect(port.members()).toMatchObject([{ name: nameOf(1), suffrage: 'voter', liveness: 'alive', isLeader: true }]);
  });

  test('commits, reads back, and hands out tokens that it understands', async () => {
    const first = await produce(port, 'a', 'b');
    expect(first).toMatchObject({ baseOffset: 0, leader: nameOf(1) });
    const { records, nextOffset } = await port.readRecords(0, 1_000, 1_000);
    expect(records.map(({ value }) => value.toString())).toEqual(['a', 'b']);
    expect(nextOffset).toBe(2);
    expect(await port.leaderOffset(1_000)).toBe(2);
    expect(port.position()).toMatchObject({ appliedIndex: first.index, offset: 1 });
    await port.barrier({ level: 'AT_LEAST', token: port.tokenFor(first.index) }, 1_000);
    await port.barrier({ level: 'LINEARIZABLE' }, 1_000);
    await port.barrier({ level: 'STALE', maxStalenessMs: 60_000 }, 1_000);
    const ahead = port.barrier({ level: 'AT_LEAST', token: port.tokenFor(first.index + 100) }, 60);
    await expect(ahead).rejects.toMatchObject({ code: 'UNAVAILABLE', reason: 'STALE_READ' });
  });

  test('who waits for an offset is woken by it, or by giving up', async () => {
    const { nextOffset } = await port.readRecords(0, 1, 1_000);
    const woken = port.waitForOffset(nextOffset, new AbortController().signal);
    await produce(port, 'c');
    await woken;
    const abort = new AbortController();
    const waiting = port.waitForOffset(nextOffset + 1, abort.signal);
    abort.abort();
    await expect(waiting).rejects.toThrow();
  });

  test('says where it stands', () => {
    const { groups } = port.status({ stateHash: true });
    expect(groups).toHaveLength(1);
    expect(groups[0]).toMatchObject({
      group: 0,
      role: 'leader',
      leader: nameOf(1),
      nextOffset: port.position().offset + 1,
    });
    expect(groups[0]?.stateHash).toMatch(/^[0-9a-f]{64}$/);
    expect(port.status().groups[0]).not.toHaveProperty('stateHash');
  });

  test('leads already where it is asked to lead, by its name or its id, and has nobody else to hand over to', async () => {
    expect(await port.transferLeadership(nameOf(1), 1_000)).toBe(nameOf(1));
    expect(await port.transferLeadership(node.data.nodeId, 1_000)).toBe(nameOf(1));
    await expect(port.transferLeadership('', 1_000)).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' });
    await expect(port.transferLeadership('node-7', 1_000)).rejects.toMatchObject({ reason: 'NOT_A_VOTER' });
  });

  test('after a snapshot and a restart everything is there, and goes on', async () => {
    const index = await node.service.takeSnapshot();
    expect(index).toBe(node.group.replica.appliedIndex);
    await produce(port, 'd');
    const before = port.status({ stateHash: true }).groups[0]?.stateHash;
    await node.close();
    node = await OneNode.open(folder);
    port = node.service;
    expect(needsFirstLedger(node.group)).toBe(false);
    expect(node.group.snapshotIndex).toBe(index);
    node.service.openDoors();
    await until('the node to be ready', () => port.readiness().ready);
    expect(port.status({ stateHash: true }).groups[0]?.stateHash).toBe(before);
    const { records } = await port.readRecords(0, 1_000, 1_000);
    expect(records.map(({ value }) => value.toString())).toEqual(['a', 'b', 'c', 'd']);
    expect(await produce(port, 'e')).toMatchObject({ baseOffset: 4 });
  });

  test('refuses everything new once it stops, and wakes who waits', async () => {
    const waiting = port.waitForOffset(99, new AbortController().signal);
    node.service.beginStop();
    await expect(waiting).rejects.toMatchObject({ code: 'UNAVAILABLE', reason: 'STOPPING' });
    expect(port.readiness()).toEqual({ ready: false, why: 'the node is stopping' });
    await expect(Promise.resolve().then(() => produce(port, 'late'))).rejects.toMatchObject({ reason: 'STOPPING' });
  });
});
