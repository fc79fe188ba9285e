import { closeSync, fstatSync, openSync, readSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from '../cli/node-command';
import { ChangingCluster } from './changing-cluster';

const READY = 30_000;
const THREE = ['node-1', 'node-2', 'node-3'];

/** One bit of each byte of the file, in place. */
function flipAll(path: string): void {
  const file = openSync(path, 'r+');
  const bytes = Buffer.alloc(fstatSync(file).size);
  readSync(file, bytes, 0, bytes.length, 0);
  for (let at = 0; at < bytes.length; at += 1) bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
  writeSync(file, bytes, 0, bytes.length, 0);
  closeSync(file);
}

describe('how nodes start', () => {
  let cluster: ChangingCluster;
  let keys: string;
  let paid = 0;

  beforeAll(async () => {
    cluster = new ChangingCluster();
    keys = join(cluster.folder, 'keys');
    writeFileSync(keys, (await runCommand(['keygen'])).stdout);
  }, READY);
  afterAll(() => cluster.close());

  async function pay(through: string): Promise<void> {
    const transfer = { debitAccount: 'funding', creditAccount: 'Alice', amount: '0.01' };
    expect(await cluster.ask(through, (client) => client.transfer(transfer))).toMatchObject({ result: 'ok' });
    paid += 1;
  }
  async function checkAll(): Promise<void> {
    for (const name of THREE) {
      const { posted } = await cluster.ask(name, (client) => client.balance('Alice'));
      expect([name, posted]).toEqual([name, (paid / 100).toFixed(2)]);
    }
  }
  const encrypted = (): readonly string[] => ['--encrypt-key-file', keys];
  const said = (name: string, message: string): boolean => cluster.lines(name).some(({ msg }) => msg === message);

  test('two that look for a cluster wait until there is one, and are taken in then', async () => {
    const first = await cluster.start('node-1', { first: ['--bootstrap'], again: [], flags: encrypted() });
    await first.untilReady(READY);
    await first.stop();
    for (const name of ['node-2', 'node-3']) await cluster.start(name, { again: [], flags: encrypted() });
    for (const name of ['node-2', 'node-3']) {
      const waits = 'nobody of a cluster has answered yet; asking again';
      await cluster.node(name).until('its second attempt', READY, () => Promise.resolve(said(name, waits)));
    }
    first.start();
    await Promise.all(THREE.map((name) => cluster.node(name).untilReady(READY)));
    for (const name of ['node-2', 'node-3']) await cluster.untilVoter(name);
    await cluster.ask('node-2', (client) =>
      client.openAccounts([
        { name: 'funding', ledger: 'USD', minBalance: null },
        { name: 'Alice', ledger: 'USD' },
      ]),
    );
    await pay('node-3');
    await checkAll();
  }, 60_000);

  test('gossip without the key is not heard: such a node never gets in', async () => {
    const gossip = cluster.node('node-1').addresses.gossip;
    const keyless = await cluster.startAlone('node-7', 'keyless', ['--start-join-addrs', gossip]);
    const dropped = 'dropped unencrypted gossip: this node has a gossip keyring, the sender has none';
    await cluster.node('node-1').until('the line about it', READY, () => Promise.resolve(said('node-1', dropped)));
    expect((await cluster.members()).has('node-7')).toBe(false);
    expect(keyless.lines().some(({ msg }) => msg === 'the cluster has taken this node in')).toBe(false);
    keyless.signal('SIGTERM');
    expect((await keyless.ended).code).toBe(0);
  }, 60_000);

  test('all at once, without a word about where the others are: they remember', async () => {
    const before = await cluster.members();
    await Promise.all(THREE.map((name) => cluster.node(name).kill9()));
    for (const name of THREE) cluster.node(name).start();
    await Promise.all(THREE.map((name) => cluster.node(name).untilReady(READY)));
    await pay('node-2');
    await checkAll();
    const after = await cluster.members();
    expect([...after.values()].map(({ nodeId }) => nodeId)).toEqual([...before.values()].map(({ nodeId }) => nodeId));
  }, 60_000);

  test('a node that cannot know how it voted goes on as a new one of its name, with its log, and votes again', async () => {
    const node = cluster.node('node-2');
    const before = (await cluster.members()).get('node-2')?.nodeId;
    await node.stop();
    flipAll(join(node.dataDir, 'groups', '0', 'vote'));
    node.start();
    await node.untilReady(READY);
    await cluster.untilVoter('node-2');
    expect(await cluster.voters()).toEqual(THREE);
    expect((await cluster.members()).get('node-2')?.nodeId).not.toBe(before);
    await pay('node-2');
    await checkAll();
  }, 60_000);
});
