import { MemberChanges } from '../../src/node/member-changes';
import { decodeJson, encodeJson, PEER_CALLS } from '../../src/node/peer-calls';
import type { Configuration, ConfigurationChange, ConfigurationRefusal, CoreStatus } from '../../src/raft/core';
import { CallError } from '../../src/raft/transport';
import { configurationOf, idOf, leaderStatus, nameOf } from './members';

/** A leader, node 1, whose changes are committed at once, unless they are refused. */
class Leader {
  configuration: Configuration = configurationOf([1, 2, 3]);
  alive = [2, 3];
  isLeader = true;
  leader = idOf(1);
  refusals: ConfigurationRefusal[] = [];
  handedOver = 0;
  readonly changes: ConfigurationChange[] = [];
  private time = 0;

  status(): CoreStatus {
    return { ...leaderStatus(this.configuration, [2, 3]), leader: this.leader };
  }

  changeConfiguration(change: ConfigurationChange): ConfigurationRefusal | undefined {
    const refusal = this.refusals.shift();
    if (refusal) return refusal;
    this.changes.push(change);
    const { removed: _, ...rest } = this.configuration;
    if (change.type === 'remove') {
      this.configuration = {
        ...rest,
        voters: rest.voters.filter((id) => id !== change.id),
        servers: rest.servers.filter(({ id }) => id !== change.id),
        removed: [{ id: change.id, name: nameOf(Number.parseInt(change.id, 16)) }],
      };
    }
    if (change.type === 'readmit') this.configuration = rest;
    if (change.type === 'promote') this.configuration = configurationOf([1, 2, 3, 4]);
    return undefined;
  }

  private identify(to: string): Promise<Buffer> {
    if (this.alive.map(idOf).includes(to)) return Promise.resolve(encodeJson({}));
    return Promise.reject(new CallError('UNAVAILABLE', 'PEER_UNREACHABLE', 'nobody is there', { sent: false }));
  }

  /** @param call how the leader is asked; the voters themselves answer as long as they are alive */
  changesThrough(call: MemberChanges['serve'] = () => Promise.reject(new Error('no leader is asked'))): MemberChanges {
    return new MemberChanges({
      group: 0,
      replica: this,
      call: (to, _group, method, body) => (method === PEER_CALLS.identify ? this.identify(to) : call(body)),
      handOver: async () => void (this.handedOver += 1),
      now: () => this.time,
      pause: async (millis) => void (this.time += millis),
    });
  }
}

describe('remove', () => {
  test('takes a follower out for good, and is done when that is committed; once more is done already', async () => {
    const leader = new Leader();
    await leader.changesThrough().make('remove', 'node-3', 1_000);
    await leader.changesThrough().make('remove', 'node-3', 1_000);
    expect(leader.changes).toEqual([{ type: 'remove', id: idOf(3), forGood: true }]);
  });

  test('what is refused for the moment is tried again, until the time is up', async () => {
    const leader = new Leader();
    leader.refusals = ['not_committed_in_term', 'change_pending', 'transferring'];
    await leader.changesThrough().make('remove', 'node-3', 1_000);
    expect(leader.changes).toHaveLength(1);
    leader.refusals = new Array<ConfigurationRefusal>(1_000).fill('change_pending');
    const late = leader.changesThrough().make('remove', 'node-2', 1_000);
    await expect(late).rejects.toMatchObject({ code: 'UNAVAILABLE', reason: 'MEMBERSHIP_BUSY' });
  });

  test('never leaves fewer alive than a majority of those that are left', async () => {
    const leader = new Leader();
    // It died a moment ago: the leader has heard of it lately.
    leader.alive = [2];
    const risky = leader.changesThrough().make('remove', 'node-2', 1_000);
    await expect(risky).rejects.toMatchObject({ code: 'FAILED_PRECONDITION', reason: 'QUORUM_AT_RISK' });
    await leader.changesThrough().make('remove', 'node-3', 1_000);
    expect(leader.changes).toEqual([{ type: 'remove', id: idOf(3), forGood: true }]);
  });

  test('a leader that is to go hands over first, and is not removed by itself', async () => {
    const leader = new Leader();
    const asked = leader.changesThrough().make('remove', 'node-1', 100);
    await expect(asked).rejects.toMatchObject({ reason: 'MEMBERSHIP_BUSY' });
    expect(leader.handedOver).toBeGreaterThan(0);
    expect(leader.changes).toEqual([]);
  });

  test('the only voter stays, and who is unknown is said to be', async () => {
    const leader = new Leader();
    leader.configuration = configurationOf([1]);
    const alone = leader.changesThrough().make('remove', 'node-1', 1_000);
    await expect(alone).rejects.toMatchObject({ code: 'FAILED_PRECONDITION', reason: 'LAST_VOTER' });
    for (const change of ['add', 'remove'] as const) {
      const unknown = leader.changesThrough().make(change, 'node-9', 1_000);
      await expect(unknown).rejects.toMatchObject({ code: 'NOT_FOUND', reason: 'MEMBER_NOT_FOUND' });
    }
  });
});

describe('add', () => {
  test('lets a removed node come back, makes a learner a voter, and leaves a voter alone', async () => {
    const leader = new Leader();
    await leader.changesThrough().make('remove', 'node-3', 1_000);
    // The node itself then joins as any other does: until it has, it is nobody.
    await leader.changesThrough().make('add', 'node-3', 1_000);
    expect(leader.changes.at(-1)).toEqual({ type: 'readmit', name: 'node-3' });
    leader.configuration = configurationOf([1, 2, 3], [4]);
    await leader.changesThrough().make('add', 'node-4', 1_000);
    expect(leader.changes.at(-1)).toEqual({ type: 'promote', id: idOf(4) });
    const made = leader.changes.length;
    await leader.changesThrough().make('add', 'node-2', 1_000);
    expect(leader.changes).toHaveLength(made);
  });
});

describe('a follower', () => {
  test('asks the leader until it is done, and passes its refusals on', async () => {
    const leader = new Leader();
    const follower = new Leader();
    follower.isLeader = false;
    let asked = 0;
    const through = follower.changesThrough((body) => {
      asked += 1;
      return leader.changesThrough().serve(body);
    });
    await through.make('remove', 'node-3', 1_000);
    expect(asked).toBeGreaterThan(1);
    expect(leader.changes).toHaveLength(1);
    const refusing = follower.changesThrough(async (body) => {
      expect(decodeJson(body)).toEqual({ change: 'remove', name: 'node-2', began: false });
      throw new CallError('FAILED_PRECONDITION', 'QUORUM_AT_RISK', 'no', { sent: true, remote: true });
    });
    const refused = refusing.make('remove', 'node-2', 1_000);
    await expect(refused).rejects.toMatchObject({ code: 'FAILED_PRECONDITION', reason: 'QUORUM_AT_RISK' });
  });

  test('says that it was not done where no leader comes', async () => {
    const follower = new Leader();
    follower.isLeader = false;
    follower.leader = '';
    const asked = follower.changesThrough().make('remove', 'node-2', 200);
    await expect(asked).rejects.toMatchObject({ code: 'UNAVAILABLE', reason: 'MEMBERSHIP_BUSY' });
  });
});
