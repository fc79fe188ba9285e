import { encodeValues } from '../../../src/log/chunk';
import { ReplicaError } from '../../../src/raft/replica/errors';
import { ReplicaCluster, type Member } from './cluster';

const write = (member: Member, value: string, deadlineMs = 5_000) =>
  member.replica.submit(0, encodeValues(0, [Buffer.from(value)]), 1, deadlineMs);

describe('Replica', () => {
  let cluster: ReplicaCluster;
  afterEach(() => cluster.stop());

  test('a single member elects itself, commits and answers with dense offsets', async () => {
    cluster = new ReplicaCluster(1);
    const leader = await cluster.leader();
    const answers = await Promise.all(['a', 'b', 'c'].map((value) => write(leader, value)));
    expect(answers.map((answer) => answer.baseOffset)).toEqual([0, 1, 2]);
    expect(leader.machine.values).toEqual(['a', 'b', 'c']);
  });

  test('what arrives together travels in one batch and is synced once', async () => {
    cluster = new ReplicaCluster(3);
    const leader = await cluster.leader();
    const before = leader.log.stats().batches;
    await Promise.all(Array.from({ length: 100 }, (_, at) => write(leader, `v${at}`)));
    expect(leader.log.stats().batches - before).toBeLessThan(20);
    const { values } = leader.machine;
    expect(values).toEqual(Array.from({ length: 100 }, (_, at) => `v${at}`));
    for (const member of cluster.members) {
      await cluster.until('all to apply', () => (member.machine.values.length === 100 ? true : undefined));
      expect(member.machine.values).toEqual(values);
    }
  });

  test('a follower refuses a write and names the leader; its linearizable read sees the newest write', async () => {
    cluster = new ReplicaCluster(3);
    const leader = await cluster.leader();
    const follower = cluster.members.find((member) => member !== leader) as Member;
    await cluster.until('the leader to be known', () => (follower.replica.leaderId === leader.id ? true : undefined));
    await expect(write(follower, 'x')).rejects.toMatchObject({ reason: 'NOT_LEADER', leader: leader.id });
    for (let round = 0; round < 20; round += 1) {
      await write(leader, `r${round}`);
      await follower.replica.linearizable(5_000);
      expect(follower.machine.values).toHaveLength(round + 1);
    }
  });

  test('a leader that is cut off does not acknowledge, and its writes are overwritten by the next leader', async () => {
    cluster = new ReplicaCluster(3);
    const old = await cluster.leader();
    await write(old, 'kept');
    cluster.cut.add(old.id);
    const lost = write(old, 'lost', 60_000).then(
      () => 'acknowledged',
      (error: unknown) => (error as ReplicaError).reason,
    );
    await expect(old.replica.linearizable(300)).rejects.toBeInstanceOf(ReplicaError);
    const next = await cluster.leader();
    await write(next, 'after');
    cluster.cut.delete(old.id);
    expect(await lost).toMatch(/NOT_COMMITTED|OUTCOME_UNKNOWN/);
    await cluster.until('the old leader to catch up', () => (old.machine.values.length === 2 ? true : undefined));
    expect(old.machine.values).toEqual(['kept', 'after']);
  });

  test('without a majority a write ends with its deadline, as an unknown outcome', async () => {
    cluster = new ReplicaCluster(3);
    const leader = await cluster.leader();
    for (const member of cluster.members) if (member !== leader) cluster.cut.add(member.id);
    await expect(write(leader, 'x', 100)).rejects.toMatchObject({ reason: 'OUTCOME_UNKNOWN' });
  });

  test('leadership is handed over on request', async () => {
    cluster = new ReplicaCluster(3);
    const leader = await cluster.leader();
    await write(leader, 'a');
    const target = cluster.members.find((member) => member !== leader) as Member;
    await cluster.until('the transfer to start', () =>
      leader.replica.transferLeadership(target.id) === undefined ? true : undefined,
    );
    await cluster.until('the target to lead', () => (target.replica.isLeader ? true : undefined));
    await write(target, 'b');
    expect(target.machine.values).toEqual(['a', 'b']);
  });

  test('a queue that is full says OVERLOADED at once', async () => {
    cluster = new ReplicaCluster(1, { queueProposals: 2 });
    const leader = await cluster.leader();
    const answers = await Promise.allSettled(['a', 'b', 'c'].map((value) => write(leader, value)));
    expect(answers.map((answer) => answer.status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
    expect(answers[2]).toMatchObject({ reason: { reason: 'OVERLOADED' } });
  });
});
