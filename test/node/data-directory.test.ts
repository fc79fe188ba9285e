import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeConfig, type NodeConfig, type RawOptions } from '../../src/node/config/node-config';
import { mergeSources } from '../../src/node/config/sources';
import { DataDirectory, FIRST_GROUP } from '../../src/node/data-directory';
import { StartupError } from '../../src/node/startup-error';
import { EMPTY_CONFIGURATION } from '../../src/raft/core';
import { MAX_KNOWN_PEERS } from '../../src/raft/stable';
import { CLUSTER } from './members';
import { recordedEvents } from './recorded-events';

describe('DataDirectory', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ledger-data-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const configOf = (flags: RawOptions = { bootstrap: true }): NodeConfig =>
    nodeConfig(mergeSources({ 'node-name': 'n1', 'data-dir': join(folder, 'data'), ...flags }, {}, undefined), false);
  const open = (flags?: RawOptions): Promise<DataDirectory> => DataDirectory.open(configOf(flags), recordedEvents());

  test('a new one has an identity of its own, for ever, and belongs to no cluster', async () => {
    const data = await open();
    expect(data.nodeId).toMatch(/^[0-9a-f]{16}$/);
    expect(data).toMatchObject({ clusterId: '', partitions: 1, knownPeers: [] });
    const { nodeId } = data;
    await data.close();
    const again = await open();
    expect(again.nodeId).toBe(nodeId);
    await again.close();
  });

  test('a bootstrap makes this node alone the first configuration', async () => {
    const data = await open();
    await data.bootstrapCluster({ clusterId: CLUSTER, partitions: 1 }, '127.0.0.1:1');
    await data.close();
    const again = await open({});
    expect(again.clusterId).toBe(CLUSTER);
    const server = { id: again.nodeId, name: 'n1', rpcAddr: '127.0.0.1:1' };
    expect(again.stable.snapshot(FIRST_GROUP)).toMatchObject({
      index: 0,
      configuration: { voters: [again.nodeId], learners: [], servers: [server] },
    });
    await again.close();
  });

  test('one that was adopted has no configuration of its own', async () => {
    const data = await open({ 'start-join-addrs': '127.0.0.1:1' });
    await data.joinCluster({ clusterId: CLUSTER, partitions: 1 });
    await data.joinCluster({ clusterId: CLUSTER, partitions: 1 });
    expect(data.clusterId).toBe(CLUSTER);
    expect(data.stable.snapshot(FIRST_GROUP)).toBeUndefined();
    await data.close();
  });

  test('a bootstrap that a crash cut short does not follow the node into the cluster that it joins instead', async () => {
    const data = await open();
    const joinCluster = jest.spyOn(data.stable, 'joinCluster').mockRejectedValueOnce(new Error('the power is gone'));
    const adoption = { clusterId: CLUSTER, partitions: 1 };
    await expect(data.bootstrapCluster(adoption, '127.0.0.1:1')).rejects.toThrow('the power is gone');
    joinCluster.mockRestore();
    await data.close();
    const again = await open({ 'start-join-addrs': '127.0.0.1:1' });
    expect(again.clusterId).toBe('');
    await again.joinCluster(adoption);
    expect(again.stable.snapshot(FIRST_GROUP)?.configuration).toEqual(EMPTY_CONFIGURATION);
    await again.close();
  });

  test('an empty one with nothing to do is refused with advice, again and again, and then usable', async () => {
    for (let round = 0; round < 2; round += 1) {
      await expect(open({})).rejects.toMatchObject({
        exitCode: 2,
        message: expect.stringMatching(/is empty .*--bootstrap .*--start-join-addrs/) as string,
      });
    }
    await (await open()).close();
  });

  test('and nothing is made where nothing was asked for', async () => {
    await expect(open({})).rejects.toMatchObject({ exitCode: 2 });
    expect(readdirSync(folder)).toEqual([]);
  });

  test('one that waits for a cluster still wants to be told where to look', async () => {
    await (await open({ 'start-join-addrs': '127.0.0.1:1' })).close();
    await expect(open({})).rejects.toMatchObject({ exitCode: 2 });
  });

  test('a name is for ever', async () => {
    await (await open()).close();
    await expect(open({ bootstrap: true, 'node-name': 'n2' })).rejects.toThrow(
      /belongs to node "n1", this one is started as "n2"/,
    );
  });

  test('is used by one at a time', async () => {
    const data = await open();
    await expect(open()).rejects.toThrow(StartupError);
    await expect(open()).rejects.toMatchObject({ exitCode: 1 });
    await data.close();
    await (await open()).close();
  });

  test('a folder that cannot be made is the reason, in one sentence', async () => {
    writeFileSync(join(folder, 'data'), 'a file');
    await expect(open()).rejects.toMatchObject({
      name: 'StartupError',
      message: expect.stringMatching(/^--data-dir .*data cannot be used/) as string,
    });
  });

  test('remembers peers, a bounded number of them', async () => {
    const data = await open();
    await data.saveKnownPeers(Array.from({ length: MAX_KNOWN_PEERS + 5 }, (_, at) => `127.0.0.1:${at + 1}`));
    expect(data.knownPeers).toHaveLength(MAX_KNOWN_PEERS);
    await data.close();
    const again = await open();
    expect(again.knownPeers[0]).toBe('127.0.0.1:1');
    await again.close();
  });
});
