import { rmSync } from 'node:fs';
import { ledger } from '../cli/ledger/run-command';
import { ChangingCluster } from './changing-cluster';
import { READY, startAll } from './new-clusters';

const THREE = ['node-1', 'node-2', 'node-3'];
const ENDED = 30_000;

describe('members that an operator removes and adds', () => {
  const cluster = new ChangingCluster();
  let paid = 0;
  beforeAll(async () => {
    await startAll(cluster, THREE, ['--bootstrap']);
    await cluster.ask('node-1', (client) =>
      client.openAccounts([
        { name: 'funding', ledger: 'USD', minBalance: null },
        { name: 'Alice', ledger: 'USD' },
      ]),
    );
  }, 120_000);
  afterAll(() => cluster.close());

  async function pay(through: string): Promise<void> {
    const transfer = { debitAccount: 'funding', creditAccount: 'Alice', amount: '0.01' };
    expect((await cluster.ask(through, (client) => client.transfer(transfer))).result).toBe('ok');
    paid += 1;
    expect((await cluster.ask(through, (client) => client.balance('Alice'))).posted).toBe((paid / 100).toFixed(2));
  }

  const command = (through: string, ...args: string[]): ReturnType<typeof ledger> =>
    ledger(['--addr', cluster.node(through).addresses.rpc, '--timeout', '30s', ...args]);

  /** Waits until the process of a node has ended by itself, with the status that says so. */
  async function untilEnded(name: string): Promise<void> {
    const node = cluster.node(name);
    const until = performance.now() + ENDED;
    while (node.isRunning && performance.now() < until) await new Promise((next) => setTimeout(next, 25));
    expect(node.isRunning).toBe(false);
    const last = cluster.lines(name).filter((line) => String(line['msg']).includes('removed from the cluster'));
    expect(String(last.at(-1)?.['msg'])).toContain('ledger member add');
  }

  const names = async (asked: string): Promise<string[]> => [...(await cluster.members(asked)).keys()].sort();

  test('a follower that is removed is told, and ends; the others go on', async () => {
    const leader = await cluster.leader();
    const follower = THREE.find((name) => name !== leader)!;
    const other = THREE.find((name) => name !== leader && name !== follower)!;
    // Through a node that does not lead, which asks the leader.
    expect(await command(other, 'member', 'remove', follower)).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await names(other)).toEqual([leader, other].sort());
    await untilEnded(follower);
    await pay(other);

    // Started again it is told again, and takes no part: gossip alone brings nobody back.
    await cluster.start(follower);
    await untilEnded(follower);
    expect(await names(leader)).toEqual([leader, other].sort());

    // By an operator's word it may come back, with the disk that it has.
    expect(await command(leader, 'member', 'add', follower)).toMatchObject({ exitCode: 0, stderr: '' });
    await (await cluster.start(follower)).untilReady(READY);
    await cluster.untilVoter(follower, leader);
    await pay(follower);
  }, 180_000);

  test('the leader hands over before it goes, and a new disk of its name may join', async () => {
    const leader = await cluster.leader();
    const others = THREE.filter((name) => name !== leader);
    expect(await command(others[0]!, 'member', 'remove', leader)).toMatchObject({ exitCode: 0, stderr: '' });
    await untilEnded(leader);
    expect(await names(others[0]!)).toEqual(others);
    expect(others).toContain(await cluster.leader(others[1]));
    await pay(others[1]!);

    rmSync(cluster.node(leader).dataDir, { recursive: true });
    await (await cluster.start(leader)).untilReady(READY);
    await cluster.untilVoter(leader, others[0]);
    await pay(leader);
  }, 180_000);

  test('what would stop the cluster is refused; who is gone may go', async () => {
    const leader = await cluster.leader();
    const [gone, other] = THREE.filter((name) => name !== leader) as [string, string];
    await cluster.node(gone).kill9();
    // At once: the leader has heard of it a moment ago.
    const risky = await command(leader, 'member', 'remove', other);
    expect(risky).toMatchObject({ exitCode: 1 });
    expect(risky.stderr).toMatch(/^ledger: quorum_at_risk: /);
    expect(await command(leader, 'member', 'remove', gone)).toMatchObject({ exitCode: 0 });
    await pay(leader);
    const unknown = await command(leader, 'member', 'remove', 'node-9');
    expect(unknown).toMatchObject({ exitCode: 1 });
    expect(unknown.stderr).toMatch(/^ledger: member_not_found: /);
    // Two are left: each is needed by a majority of two, and may still leave the other alone.
    expect(await command(leader, 'member', 'remove', other)).toMatchObject({ exitCode: 0 });
    await untilEnded(other);
    expect((await command(leader, 'member', 'remove', leader)).stderr).toMatch(/^ledger: last_voter: /);
    await pay(leader);
  }, 180_000);

  test('a snapshot on command is of the node that is asked', async () => {
    const alone = survivor();
    const taken = await command(alone, '--output', 'json', 'snapshot');
    expect(taken).toMatchObject({ exitCode: 0, stderr: '' });
    const [status] = await cluster.ask(alone, (client) => client.status());
    const group = status?.status?.groups[0];
    expect(taken.json()[0]).toEqual({ index: group?.snapshotIndex });
    expect(group?.snapshotIndex).toBeGreaterThan(0);
    expect((await command(alone, 'snapshot', alone)).exitCode).toBe(0);
    expect((await command(alone, 'snapshot', 'node-9')).stderr).toMatch(/^ledger: member_not_found: /);
  }, 60_000);

  function survivor(): string {
    const alive = THREE.filter((name) => cluster.node(name).isRunning);
    expect(alive).toHaveLength(1);
    return alive[0]!;
  }
});
