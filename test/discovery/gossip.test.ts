import { type Gossip } from '../../src/discovery/gossip';
import { type GossipMember, type MemberState } from '../../src/discovery/member';
import { allSee, eventually, member, startCluster, startNode, stateOf, stopAll, tagsOf } from './nodes';
import { Network } from './network';

afterEach(stopAll);

describe('joining', () => {
  test('three nodes that know one of them find each other, with their tags', async () => {
    const [a, b, c] = await startCluster(['a', 'b', 'c'], {
      tags: { rpcAddr: 'localhost:8300', nonVoter: true, partitions: 4 },
    });
    for (const node of [a, b, c]) {
      expect(node?.members().map(({ tags }) => tags.name)).toEqual(['a', 'b', 'c']);
      expect(node?.joined).toBe(true);
    }
    expect(member(c!, 'b')?.tags).toEqual(member(b!, 'b')?.tags);
    expect(member(c!, 'b')?.tags).toMatchObject({ rpcAddr: 'localhost:8300', nonVoter: true, partitions: 4 });
  });

  test('a node without a cluster id is listed as joining, and as a member once it has one', async () => {
    const [a, b] = await startCluster(['a', 'b']);
    const c = await startNode('c', { joinAddrs: [a!.gossipAddr], tags: { clusterId: '', role: 'joining' } });
    await eventually(
      () => allSee([a!, b!, c], 'alive', ['a', 'b', 'c']),
      'everyone sees the joiner, and it sees everyone',
    );
    expect(member(b!, 'c')?.tags).toMatchObject({ clusterId: '', role: 'joining' });
    c.setTags({ ...member(c, 'c')!.tags, clusterId: member(a!, 'a')!.tags.clusterId, role: 'member' });
    await eventually(
      () => [a, b].every((node) => member(node!, 'c')?.tags.role === 'member'),
      'the new tags are everywhere',
    );
    expect(member(a!, 'c')?.tags.clusterId).toBe(member(a!, 'a')?.tags.clusterId);
  });

  test('a node asks until one of its addresses answers, and one answer leads to all', async () => {
    const placeholder = await startNode('a');
    const address = placeholder.gossipAddr;
    await placeholder.stop();
    const b = await startNode('b', { joinAddrs: ['127.0.0.1:1', address], tags: { clusterId: '', role: 'joining' } });
    const c = await startNode('c', { joinAddrs: [address, b.gossipAddr], tags: { clusterId: '', role: 'joining' } });
    await eventually(() => allSee([b, c], 'alive', ['b', 'c']), 'the joiners see each other');
    expect([b.joined, c.joined]).toEqual([false, false]);
    const a = await startNode('a', { bindAddr: address });
    await eventually(() => allSee([a, b, c], 'alive', ['a', 'b', 'c']), 'all three see all three');
    await eventually(() => b.joined && c.joined, 'both heard from a member of the cluster');
  });

  test('peers remembered from an earlier run are asked as well, and a name is as good as an address', async () => {
    const a = await startNode('a');
    const port = a.gossipAddr.split(':')[1];
    const b = await startNode('b', { knownPeers: [`localhost:${port}`] });
    await eventually(() => allSee([a, b], 'alive', ['a', 'b']), 'both see both');
  });

  test('an address that cannot be bound, advertised or joined is an error that says so', async () => {
    const a = await startNode('a');
    await expect(startNode('b', { bindAddr: a.gossipAddr })).rejects.toThrow(/cannot bind.*EADDRINUSE.*--bind-addr/);
    await expect(startNode('b', { bindAddr: '0.0.0.0:0' })).rejects.toThrow(/wildcard/);
    await expect(startNode('b', { advertiseAddr: '0.0.0.0:1' })).rejects.toThrow(/advertise/);
    await expect(startNode('b', { joinAddrs: ['nowhere'] })).rejects.toThrow(/"nowhere"/);
    await expect(startNode('b', { tags: { clusterId: 'x' } })).rejects.toThrow(/cluster id/);
    await expect(startNode('b', { intervals: { probeMs: 0 } })).rejects.toThrow(/probeMs/);
  });

  test('gossip over IPv6', async () => {
    const a = await startNode('a', { bindAddr: '[::1]:0' });
    const b = await startNode('b', { bindAddr: '[::1]:0', joinAddrs: [a.gossipAddr] });
    await eventually(() => allSee([a, b], 'alive', ['a', 'b']), 'both see both');
  });
});

describe('failure', () => {
  test('a silent member is suspected, then failed, and so is the next when only one is left to see it', async () => {
    const network = new Network();
    const [a, b, c] = await startCluster(['a', 'b', 'c'], { openSocket: network.open });
    const states: MemberState[] = [];
    a!.on('change', ({ tags, state }) => tags.name === 'c' && states.push(state));
    network.cutOff(c!.gossipAddr);
    await eventually(() => allSee([a!, b!], 'failed', ['c']), 'the two others list it as failed');
    expect(states).toEqual(['suspect', 'failed']);
    network.loses = ({ from, to }) => from !== to;
    await eventually(() => stateOf(a!, 'b') === 'failed', 'the last one lists the second as failed');
  });

  test('a member that is only cut off from one other is not suspected: a third one vouches for it', async () => {
    const network = new Network();
    const [a, b, c] = await startCluster(['a', 'b', 'c'], { openSocket: network.open });
    const pair = [a!.gossipAddr, b!.gossipAddr];
    const changes: GossipMember[] = [];
    for (const node of [a, b, c]) node!.on('change', (changed) => changes.push(changed));
    let lost = 0;
    network.loses = ({ from, to }) => {
      const between = pair.includes(from) && pair.includes(to);
      if (between) lost += 1;
      return between;
    };
    await eventually(() => lost > 40, 'many of their datagrams were lost');
    expect(changes.map(({ tags, state }) => `${tags.name} ${state}`)).toEqual([]);
  });

  test('a suspect has time to object, and gets it back when this process stood still meanwhile', async () => {
    const network = new Network();
    let stoodStillMs = 0;
    let looksAtClock = 0;
    const clock = {
      wallMicros: () => Date.now() * 1_000,
      monotonicMillis: () => {
        looksAtClock += 1;
        return performance.now() + stoodStillMs;
      },
    };
    const intervals = { suspectMs: 4_000 };
    const [a, b] = await startCluster(['a', 'b'], { openSocket: network.open, clock, intervals });
    const states: MemberState[] = [];
    a!.on('change', ({ state }) => states.push(state));
    network.cutOff(b!.gossipAddr);
    await eventually(() => stateOf(a!, 'b') === 'suspect', 'it is suspected');
    stoodStillMs = 3_600_000;
    looksAtClock = 0;
    await eventually(() => looksAtClock > 10, 'both noticed that time has passed');
    network.heal();
    await eventually(() => stateOf(a!, 'b') === 'alive', 'it objected');
    expect(states).toEqual(['suspect', 'alive']);
  });

  test('a partition heals by itself, also when each side holds the other for dead', async () => {
    const network = new Network();
    const nodes = await startCluster(['a', 'b', 'c', 'd'], { openSocket: network.open });
    const [a, b, c, d] = nodes;
    network.cutOff(a!.gossipAddr, b!.gossipAddr);
    await eventually(
      () => allSee([a!, b!], 'failed', ['c', 'd']) && allSee([c!, d!], 'failed', ['a', 'b']),
      'both sides gave up',
    );
    a!.setTags({ ...member(a!, 'a')!.tags, rpcAddr: '127.0.0.1:9000' });
    network.heal();
    await eventually(() => allSee(nodes, 'alive', ['a', 'b', 'c', 'd']), 'everyone sees everyone alive');
    await eventually(() => member(d!, 'a')?.tags.rpcAddr === '127.0.0.1:9000', 'what changed meanwhile is known');
  });

  test('who has been gone for long enough is forgotten by all, and stays forgotten', async () => {
    const network = new Network();
    const [a, b, c] = await startCluster(['a', 'b', 'c'], {
      openSocket: network.open,
      intervals: { reapAfterMs: 1_000 },
    });
    network.cutOff(c!.gossipAddr);
    await eventually(() => allSee([a!, b!], 'failed', ['c']), 'it failed');
    await eventually(() => [a, b].every((node) => stateOf(node!, 'c') === undefined), 'it is forgotten');
    const back: string[] = [];
    for (const node of [a, b]) node!.on('change', ({ tags }) => back.push(tags.name));
    let exchanged = 0;
    network.watches = () => (exchanged += 1);
    await eventually(() => exchanged > 100, 'they went on gossiping');
    expect(back).toEqual([]);
  });
});

describe('going and coming back', () => {
  test('who leaves is listed as left, never as failed, also by those who join later', async () => {
    const [a, b, c] = await startCluster(['a', 'b', 'c']);
    const states: MemberState[] = [];
    for (const node of [a, b]) node!.on('change', ({ tags, state }) => tags.name === 'c' && states.push(state));
    await c!.leave();
    await eventually(() => allSee([a!, b!], 'left', ['c']), 'both list it as left');
    const d = await startNode('d', { joinAddrs: [a!.gossipAddr] });
    await eventually(() => stateOf(d, 'c') === 'left', 'a later joiner learns it');
    expect(member(d, 'c')!.since).toBeLessThanOrEqual(member(d, 'd')!.since);
    expect(states).toEqual(['left', 'left']);
  });

  test('who leaves while it is cut off from some is listed as left by them too, once they hear of it', async () => {
    const network = new Network();
    const [a, b, c] = await startCluster(['a', 'b', 'c'], { openSocket: network.open });
    network.cutOff(a!.gossipAddr);
    await eventually(() => allSee([a!], 'failed', ['b', 'c']), 'the lonely one gave the others up');
    await c!.leave();
    await eventually(() => stateOf(b!, 'c') === 'left', 'the other one knows');
    network.heal();
    await eventually(() => stateOf(a!, 'c') === 'left' && stateOf(a!, 'b') === 'alive', 'the lonely one heard of it');
  });

  test('who stops is failed at once, without a suspicion, and alive when it is back', async () => {
    const [a, b, c] = await startCluster(['a', 'b', 'c']);
    const states: MemberState[] = [];
    a!.on('change', ({ tags, state }) => tags.name === 'c' && states.push(state));
    const tags = member(c!, 'c')!.tags;
    await c!.stop();
    await eventually(() => allSee([a!, b!], 'failed', ['c']), 'both list it as failed');
    expect(states).toEqual(['failed']);
    const back = await startNode('c', { bindAddr: c!.gossipAddr, knownPeers: [a!.gossipAddr], tags });
    await eventually(() => allSee([a!, b!, back], 'alive', ['a', 'b', 'c']), 'all see all');
    expect(() => c!.setTags(tags)).toThrow(/stopped/);
  });

  test('a restart too quick to be noticed replaces the tags', async () => {
    const network = new Network();
    const [a, b, c] = await startCluster(['a', 'b', 'c'], { openSocket: network.open });
    network.cutOff(c!.gossipAddr); // its goodbye is lost, as if it had been killed
    await c!.stop();
    network.heal();
    const tags = { nodeId: '00000000000000c2', rpcAddr: '127.0.0.1:9300' };
    await startNode('c', { openSocket: network.open, bindAddr: c!.gossipAddr, joinAddrs: [b!.gossipAddr], tags });
    await eventually(
      () => [a, b].every((node) => member(node!, 'c')?.tags.nodeId === tags.nodeId),
      'the new tags are everywhere',
    );
    expect(member(a!, 'c')).toMatchObject({ state: 'alive', tags });
  });

  test('a restart with the wall clock set back replaces the tags too', async () => {
    const [a, b, c] = await startCluster(['a', 'b', 'c']);
    await c!.stop();
    await eventually(() => allSee([a!, b!], 'failed', ['c']), 'it stopped');
    const hourBack = { wallMicros: () => (Date.now() - 3_600_000) * 1_000, monotonicMillis: () => performance.now() };
    const tags = { nodeId: '00000000000000c2' };
    const back = await startNode('c', { bindAddr: c!.gossipAddr, joinAddrs: [a!.gossipAddr], tags, clock: hourBack });
    await eventually(() => allSee([a!, b!, back], 'alive', ['c']), 'it is alive again');
    expect(member(a!, 'c')?.tags.nodeId).toBe(tags.nodeId);
  });

  test('a node that moved to another address is listed once', async () => {
    const [a, b, c] = await startCluster(['a', 'b', 'c']);
    const { tags } = member(c!, 'c')!;
    await c!.stop();
    const moved = await startNode('c', { joinAddrs: [a!.gossipAddr], tags });
    const seen = (node: Gossip) => node.members().filter((candidate) => candidate.tags.nodeId === tags.nodeId);
    await eventually(
      () => [a, b].every((node) => seen(node!)[0]?.gossipAddr === moved.gossipAddr),
      'its new address is known',
    );
    expect(seen(a!)).toHaveLength(1);
    expect(a!.duplicateOf('c', tags.nodeId)).toBeUndefined();
  });
});

describe('names and bounds', () => {
  test('two live nodes with one name are exposed, on each of them too', async () => {
    const [a, b] = await startCluster(['a', 'b']);
    expect(a!.duplicateOf('b')?.tags).toEqual(member(b!, 'b')?.tags);
    expect(a!.duplicateOf('b', member(b!, 'b')?.tags.nodeId)).toBeUndefined();
    expect(b!.duplicateOf('b')).toBeUndefined();
    expect(b!.duplicateOf('b', '0'.repeat(16))?.gossipAddr).toBe(b!.gossipAddr);
    const twin = await startNode('b', { joinAddrs: [a!.gossipAddr] });
    await eventually(() => b!.duplicateOf('b')?.gossipAddr === twin.gossipAddr, 'the first one sees the second');
    await eventually(() => twin.duplicateOf('b')?.gossipAddr === b!.gossipAddr, 'the second one sees the first');
  });

  test('a node takes in no more members than its bound, and forgets one that is gone for one that is alive', async () => {
    const a = await startNode('a', { maxMembers: 2 });
    const join = { joinAddrs: [a.gossipAddr] };
    const b = await startNode('b', join);
    await startNode('c', join);
    await eventually(() => allSee([a], 'alive', ['b', 'c']), 'two others are in');
    const d = await startNode('d', join);
    await eventually(() => (a.dropped().get('too_many_members') ?? 0) > 0, 'the third is refused');
    expect(stateOf(a, 'd')).toBeUndefined();
    await b.leave();
    await eventually(
      () => stateOf(a, 'd') === 'alive',
      'there is room now',
      () => JSON.stringify([a.members(), d.members()]),
    );
    expect(stateOf(a, 'b')).toBeUndefined();
  });

  test('tags that are out of bounds are refused, and the longest that are not still fit', async () => {
    const [a, b] = await startCluster(['a', 'b']);
    expect(() => a!.setTags(tagsOf('a', { rpcAddr: `${'x'.repeat(251)}:8300` }))).toThrow(/RPC address/);
    const rpcAddr = `${'x'.repeat(250)}:8300`;
    a!.setTags(tagsOf('n'.repeat(63), { rpcAddr, formatVersion: 65_535, partitions: 65_536 }));
    await eventually(() => member(b!, 'n'.repeat(63))?.tags.rpcAddr === rpcAddr, 'they arrived');
  });
});
