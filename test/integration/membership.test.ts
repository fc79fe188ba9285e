import { rmSync } from 'node:fs';
import { ledger } from '../cli/ledger/run-command';
import { LedgerClient } from '../../src/client';
import { ChangingCluster } from './changing-cluster';

const READY = 30_000;
const THREE = ['node-1', 'node-2', 'node-3'];

describe('the members of a cluster', () => {
  let cluster: ChangingCluster;
  let paid = 0;

  beforeAll(async () => {
    cluster = new ChangingCluster();
    await (await cluster.start('node-1', { first: ['--bootstrap'] })).untilReady(READY);
    await cluster.ask('node-1', (client) =>
      client.openAccounts([
        { name: 'funding', ledger: 'USD', minBalance: null },
        { name: 'Alice', ledger: 'USD' },
      ]),
    );
    await pay('node-1');
  }, READY);
  afterAll(() => cluster.close());

  /** One cent through one node, and Alice's balance from every node that is named. */
  async function pay(through: string, ...seenBy: string[]): Promise<void> {
    const transfer = { debitAccount: 'funding', creditAccount: 'Alice', amount: '0.01' };
    const { result } = await cluster.ask(through, (client) => client.transfer(transfer));
    expect(result).toBe('ok');
    paid += 1;
    for (const name of [through, ...seenBy]) {
      const { posted } = await cluster.ask(name, (client) => client.balance('Alice'));
      expect([name, posted]).toEqual([name, (paid / 100).toFixed(2)]);
    }
  }

  test('who joins becomes a learner first, and a voter once it has the log', async () => {
    for (const name of ['node-2', 'node-3']) await (await cluster.start(name)).untilReady(READY);
    for (const name of ['node-2', 'node-3']) await cluster.untilVoter(name);
    const changes = cluster.changes();
    for (const name of ['node-2', 'node-3']) {
      expect(changes.filter((change) => change.endsWith(name)).slice(0, 1)).toEqual([`addLearner ${name}`]);
    }
    expect(changes.filter((change) => change.startsWith('promote'))).toHaveLength(2);
    expect(await cluster.voters()).toEqual(THREE);
    await pay('node-2', ...THREE);
  }, 60_000);

  test('--non-voter stays a learner, and serves reads that are right', async () => {
    await (await cluster.start('node-4', { flags: ['--non-voter'] })).untilReady(READY);
    await pay('node-4', ...THREE);
    const before = (await cluster.members('node-4')).get('node-4');
    expect(before).toMatchObject({ suffrage: 'learner', liveness: 'alive', isLeader: false });
    const refusal = cluster.ask('node-1', (client) => client.transferLeadership('node-4'));
    await expect(refusal).rejects.toMatchObject({ code: 'FAILED_PRECONDITION', reason: 'NOT_A_VOTER' });
  }, 60_000);

  test('a second node under the name of one that is alive is refused, with the reason', async () => {
    const node2 = cluster.node('node-2');
    const twin = await cluster.startAlone('node-2', 'twin', [
      '--start-join-addrs',
      cluster.node('node-1').addresses.gossip,
    ]);
    const { code, stderr } = await twin.ended;
    expect(code).toBe(2);
    const last = stderr.trimEnd().split('\n').at(-1);
    expect(last).toMatch(
      /^ledger-node: the cluster refuses this node: a node named "node-2" is alive in this cluster at /,
    );
    expect(last).toContain(node2.addresses.rpc);
    expect((await cluster.members()).get('node-2')).toMatchObject({
      suffrage: 'voter',
      rpcAddress: node2.addresses.rpc,
    });
    expect(await cluster.voters()).toEqual(THREE);
  }, 60_000);

  test('--bootstrap with the address of a cluster is refused: there is one already', async () => {
    const flags = ['--bootstrap', '--start-join-addrs', cluster.node('node-3').addresses.gossip];
    const { code, stderr } = await (await cluster.startAlone('node-9', 'second', flags)).ended;
    expect(code).toBe(2);
    expect(stderr.trimEnd().split('\n').at(-1)).toMatch(
      /^ledger-node: --bootstrap refused: "[^"]+" at .* belongs to cluster/,
    );
    expect((await cluster.members()).has('node-9')).toBe(false);
  }, 60_000);

  test('a node of another cluster that gossips here is ignored, and named in the log', async () => {
    const stranger = await cluster.startAlone('stranger', 'other', ['--bootstrap']);
    await stranger.saying('serving');
    stranger.signal('SIGTERM');
    await stranger.ended;
    const gossip = cluster.node('node-1').addresses.gossip;
    const back = await cluster.startAlone('stranger', 'other', ['--start-join-addrs', gossip]);
    await back.saying('serving');
    const dropped =
      'dropped gossip from a node of another cluster; remove its address from this cluster, or ours from it';
    await cluster
      .node('node-1')
      .until('the line about it', READY, () =>
        Promise.resolve(cluster.lines('node-1').some(({ msg }) => msg === dropped)),
      );
    expect((await cluster.members()).has('stranger')).toBe(false);
    back.signal('SIGTERM');
    expect((await back.ended).code).toBe(0);
    await pay('node-1', ...THREE);
  }, 60_000);

  test('a stopped node stays a member; it is left out of what clients are told until it is back', async () => {
    expect(await cluster.node('node-3').stop()).toEqual({ code: 0, signal: null });
    const without = await cluster.until(
      'node-3 to be missed',
      (members) => members.get('node-3')?.liveness !== 'alive',
    );
    expect(without.get('node-3')).toMatchObject({ suffrage: 'voter', liveness: 'failed' });
    expect(await cluster.voters()).toEqual(THREE);
    expect(await servers()).toEqual(['node-1', 'node-2', 'node-4']);
    await pay('node-2');
    cluster.node('node-3').start();
    await cluster.node('node-3').untilReady(READY);
    await cluster.until('node-3 to be alive', (members) => members.get('node-3')?.liveness === 'alive');
    expect(await servers()).toEqual(['node-1', 'node-2', 'node-3', 'node-4']);
    await pay('node-3', ...THREE);
  }, 60_000);

  async function servers(): Promise<string[]> {
    return cluster.ask('node-1', async (client) => {
      await client.members();
      return client.servers().map(({ id }) => id);
    });
  }

  test('a wiped disk under its old name takes its place by one change; three vote before and after, and all is there', async () => {
    const before = await cluster.members();
    await cluster.node('node-3').kill9();
    rmSync(cluster.node('node-3').dataDir, { recursive: true });
    cluster.node('node-3').start();
    await cluster.node('node-3').untilReady(READY);
    const after = await cluster.until('the new disk to vote', (members) => {
      const member = members.get('node-3');
      return member?.suffrage === 'voter' && member.nodeId !== before.get('node-3')?.nodeId;
    });
    expect([...after.keys()]).toEqual([...before.keys()]);
    expect(await cluster.voters()).toEqual(THREE);
    expect(cluster.changes().filter((change) => change === 'replace node-3')).toHaveLength(1);
    expect(cluster.changes().some((change) => change.startsWith('remove'))).toBe(false);
    await pay('node-3', ...THREE, 'node-4');
    const servers = await cluster.ask('node-1', (client) => client.status({ stateHash: true }));
    const hashes = servers.map(({ status }) => status?.groups[0]?.stateHash);
    expect(hashes).toHaveLength(4);
    expect(new Set(hashes).size).toBe(1);
    const records = (name: string): Promise<number> =>
      cluster.ask(name, async (client) => (await client.logRange()).nextOffset);
    expect(await records('node-3')).toBe(await records('node-1'));
  }, 60_000);

  test('leadership goes where an operator wants it, by the command and by the call', async () => {
    for (const target of ['node-2', 'node-3', 'node-1']) {
      const through = cluster.node(target === 'node-3' ? 'node-4' : 'node-1').addresses.rpc;
      const { exitCode, stdout } = await ledger(['--addr', through, '--output', 'json', 'leader', 'transfer', target]);
      expect([exitCode, JSON.parse(stdout)]).toEqual([0, { leader: target }]);
      expect(await cluster.leader()).toBe(target);
    }
    const next = await cluster.ask('node-3', (client) => client.transferLeadership());
    expect(['node-2', 'node-3']).toContain(next);
    await cluster.until('node-1 to hear of it', (members) => members.get(next)?.isLeader === true);
    await pay('node-1', ...THREE);
  }, 60_000);

  test('a node that comes back at other addresses is followed, a leader and a follower alike', async () => {
    for (const leads of [true, false]) {
      const moving = 'node-2';
      const other = 'node-3';
      const wanted = leads ? moving : other;
      if ((await cluster.leader()) !== wanted)
        await cluster.ask('node-1', (client) => client.transferLeadership(wanted));
      await cluster.node(moving).kill9();
      const moved = await cluster.start(moving);
      await moved.untilReady(READY);
      await cluster.until('the new address', (members) => members.get(moving)?.rpcAddress === moved.addresses.rpc);
      await cluster.until('it to be alive', (members) => members.get(moving)?.liveness === 'alive');
      await pay(moving, ...THREE);
    }
    expect(await cluster.voters()).toEqual(THREE);
    // With one of three down nothing is committed without the one that moved.
    await cluster.node('node-3').kill9();
    await pay('node-1', 'node-2');
    cluster.node('node-3').start();
    await cluster.node('node-3').untilReady(READY);
    await pay('node-3', ...THREE);
  }, 90_000);

  test('a newcomer that finds only the moved address learns of everyone, and the learner never voted', async () => {
    const only = ['--start-join-addrs', cluster.node('node-2').addresses.gossip];
    await (await cluster.start('node-5', { first: only, flags: ['--non-voter'] })).untilReady(READY);
    const client = await LedgerClient.connect({ addresses: [cluster.node('node-5').addresses.rpc] });
    const members = await client.members();
    await client.close();
    expect(members.map(({ name }) => name)).toEqual(['node-1', 'node-2', 'node-3', 'node-4', 'node-5']);
    for (const { name, rpcAddress } of members) expect(rpcAddress).toBe(cluster.node(name).addresses.rpc);
    expect(cluster.changes().filter((change) => /promote node-[45]/.test(change))).toEqual([]);
  }, 60_000);
});
