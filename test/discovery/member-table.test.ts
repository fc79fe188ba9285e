import { type GossipMember, type MemberState } from '../../src/discovery/member';
import { MemberTable } from '../../src/discovery/member-table';
import { type MemberRecord } from '../../src/discovery/messages';
import { tagsOf } from './nodes';

let now = 0;
let changes: string[] = [];
const clock = { wallMicros: () => (1_000_000 + now) * 1_000, monotonicMillis: () => now };

function table(maxMembers = 8): MemberTable {
  now = 0;
  changes = [];
  const onChange = (member: GossipMember, previous: MemberState | undefined) =>
    changes.push(`${member.gossipAddr} ${previous ?? 'new'} → ${member.state}`);
  return new MemberTable({ clock, maxMembers, reapAfterMs: 1_000, onChange });
}

function record(gossipAddr: string, state: MemberState, more: Partial<MemberRecord> = {}): MemberRecord {
  const tags = tagsOf('node', { nodeId: Buffer.from(gossipAddr.slice(0, 8).padEnd(8)).toString('hex') });
  return { gossipAddr, tags, state, incarnation: 1, goneForMs: 0, ...more };
}

test('a change of state or tags is news, a higher incarnation alone is not', () => {
  const members = table();
  members.observe(record('a:1', 'alive'));
  now = 10;
  members.observe(record('a:1', 'alive', { incarnation: 2 }));
  expect(members.members()[0]).toMatchObject({ incarnation: 2, since: 1_000_000 });
  members.observe(record('a:1', 'alive', { incarnation: 3, tags: tagsOf('renamed') }));
  members.observe(record('a:1', 'suspect', { incarnation: 3, tags: tagsOf('renamed') }));
  expect(changes).toEqual(['a:1 new → alive', 'a:1 alive → alive', 'a:1 alive → suspect']);
  expect(members.members()[0]?.since).toBe(1_000_010);
});

test('who was gone before we came is gone since then, and forgotten at its time', () => {
  const members = table();
  members.observe(record('a:1', 'failed', { goneForMs: 400 }));
  members.observe(record('b:1', 'left'));
  expect(members.members()[0]?.since).toBe(999_600);
  now = 599;
  expect(members.goneForMs('a:1')).toBe(999);
  expect(members.reapable()).toEqual([]);
  now = 600;
  expect(members.reapable()).toEqual(['a:1']);
  expect(members.goneForMs('nobody:1')).toBe(0);
  members.forget('a:1');
  expect(members.reapable()).toEqual([]);
});

test('a wall clock that jumps does not make anyone be forgotten early', () => {
  const members = table();
  members.observe(record('a:1', 'failed'));
  const before = clock.wallMicros;
  clock.wallMicros = () => before() + 1e12;
  expect(members.reapable()).toEqual([]);
  clock.wallMicros = before;
});

test('room is made by forgetting who has been gone for longest, and never who is alive', () => {
  const members = table(3);
  members.observe(record('a:1', 'alive'));
  members.observe(record('b:1', 'failed', { goneForMs: 5 }));
  expect(members.makeRoom()).toEqual([]);
  members.observe(record('c:1', 'left', { goneForMs: 50 }));
  expect(members.makeRoom()).toEqual(['c:1']);
  for (const host of ['b:1', 'c:1']) members.observe(record(host, 'alive', { incarnation: 2 }));
  expect(members.makeRoom()).toBeUndefined();
  expect(members.hosts('alive')).toEqual(['a:1', 'b:1', 'c:1']);
});

test('the old address of a node that lives on at another one is not listed and no news', () => {
  const members = table();
  const tags = tagsOf('mover');
  members.observe(record('old:1', 'alive', { tags, incarnation: 5 }));
  members.observe(record('new:1', 'alive', { tags, incarnation: 9 }));
  expect(members.members()).toHaveLength(2);
  members.observe(record('old:1', 'suspect', { tags, incarnation: 5 }));
  members.observe(record('old:1', 'failed', { tags, incarnation: 5 }));
  expect(members.members().map(({ gossipAddr }) => gossipAddr)).toEqual(['new:1']);
  expect(changes).toEqual(['old:1 new → alive', 'new:1 new → alive']);
});
