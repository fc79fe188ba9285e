import { mayGossip, sameTags, tagsFault, type Tags } from '../../src/discovery/member';
import { CLUSTER, FOREIGN, tagsOf } from './nodes';

const good = tagsOf('node-1', { partitions: 2 });

test.each<[Partial<Tags>, RegExp]>([
  [{ clusterId: 'abc' }, /cluster id/],
  [{ clusterId: CLUSTER.toUpperCase() }, /cluster id/],
  [{ nodeId: '' }, /node id/],
  [{ name: '' }, /node name/],
  [{ name: 'n'.repeat(64) }, /node name/],
  [{ rpcAddr: '0.0.0.0:8300' }, /RPC address/],
  [{ clusterId: '' }, /only be joining/],
  [{ formatVersion: -1 }, /format version/],
  [{ formatVersion: 1.5 }, /format version/],
  [{ partitions: 0 }, /partitions/],
])('%j is refused with a sentence', (change, expected) => {
  expect(tagsFault(good)).toBeUndefined();
  expect(tagsFault({ ...good, ...change })).toMatch(expected);
});

test.each<Partial<Tags>>([
  { clusterId: FOREIGN },
  { nodeId: '0'.repeat(16) },
  { name: 'other' },
  { rpcAddr: 'other:1' },
  { role: 'joining' },
  { nonVoter: true },
  { formatVersion: 2 },
  { partitions: 3 },
])('%j makes other tags', (change) => {
  expect(sameTags(good, { ...good })).toBe(true);
  expect(sameTags(good, { ...good, ...change })).toBe(false);
});

test('nodes of one cluster gossip, and anyone with one that is joining', () => {
  expect(mayGossip(CLUSTER, CLUSTER)).toBe(true);
  expect(mayGossip(CLUSTER, '')).toBe(true);
  expect(mayGossip('', FOREIGN)).toBe(true);
  expect(mayGossip(CLUSTER, FOREIGN)).toBe(false);
});
