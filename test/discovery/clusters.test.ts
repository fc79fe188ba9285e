import { allSee, eventually, FOREIGN, Lines, member, startCluster, startNode, stateOf, stopAll } from './nodes';

afterEach(stopAll);

test('gossip from another cluster is dropped, and logged once in a while', async () => {
  const log = new Lines();
  const a = await startNode('a', { log });
  const stranger = await startNode('stranger', { joinAddrs: [a.gossipAddr], tags: { clusterId: FOREIGN } });
  await eventually(() => (a.dropped().get('foreign_cluster') ?? 0) >= 5, 'it was dropped again and again');
  const lines = log.lines.filter((line) => line.fields['reason'] === 'foreign_cluster');
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatchObject({ level: 'warn', fields: { sender: stranger.gossipAddr, clusterId: FOREIGN } });
  expect(a.members()).toHaveLength(1);
  expect(stranger.members()).toHaveLength(1);
  expect(stranger.joined).toBe(false);
});

test('a joiner that was given addresses of two clusters does not mix them, and belongs to one in the end', async () => {
  const [a, b] = await startCluster(['a', 'b']);
  const [x] = await startCluster(['x', 'y'], { tags: { clusterId: FOREIGN } });
  const joiner = await startNode('j', {
    joinAddrs: [a!.gossipAddr, x!.gossipAddr],
    tags: { clusterId: '', role: 'joining' },
  });
  await eventually(() => allSee([joiner], 'alive', ['a', 'b', 'x', 'y']), 'it hears both');
  const strayed: string[] = [];
  a!.on('event', (name) => strayed.push(name));
  x!.broadcast('of-the-other-cluster', Buffer.alloc(0));
  await eventually(
    () => (a!.dropped().get('foreign_record') ?? 0) > 0,
    'what it says about the other cluster is dropped',
  );
  joiner.setTags({ ...member(joiner, 'j')!.tags, clusterId: member(a!, 'a')!.tags.clusterId });
  expect(joiner.members().map(({ tags }) => tags.name)).toEqual(['a', 'b', 'j']);
  await eventually(() => member(b!, 'j')?.tags.clusterId !== '', 'its cluster knows it');
  await eventually(() => stateOf(x!, 'j') === 'failed', 'the other cluster lost it');
  for (const node of [a, b, joiner]) expect(stateOf(node!, 'x')).toBeUndefined();
  expect(stateOf(x!, 'a')).toBeUndefined();
  expect(strayed).toEqual([]);
});
