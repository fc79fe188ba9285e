import { HardenedSwim } from '../../src/discovery/hardened-swim';
import { parseMessages, type MemberRecord } from '../../src/discovery/messages';
import { eventually, tagsOf } from './nodes';

interface Letter {
  readonly message: Buffer;
  readonly from: string;
  readonly to: string;
}

const INCARNATION = 1_000;
const swims = new Map<string, HardenedSwim>();
const news = new Map<string, MemberRecord[]>();
let post: Letter[] = [];

async function start(self: string): Promise<HardenedSwim> {
  const heard: MemberRecord[] = [];
  const swim = new HardenedSwim({
    self,
    tags: tagsOf(self.slice(0, 1)),
    incarnation: INCARNATION,
    ipv6: false,
    probeMs: 3_600_000,
    probeTimeoutMs: 1_000,
    indirectProbeTimeoutMs: 1_000,
    maxMessageBytes: 1_200,
    send: (message, to) => post.push({ message: Buffer.from(message), from: self, to }),
    onNews: (record) => heard.push(record),
    onOwnNews: () => undefined,
    goneForMs: () => 5,
  });
  swims.set(self, swim);
  news.set(self, heard);
  await swim.start();
  // swim probes once as soon as it starts; there is nobody yet, and the next probe is an hour away.
  await new Promise((resolve) => setImmediate(resolve));
  return swim;
}

/** Delivers in order what is under way, and what is sent in answer to it, until nothing is. */
function deliverAll(): void {
  for (let letter = post.shift(); letter; letter = post.shift()) {
    const swim = swims.get(letter.to);
    for (const message of parseMessages(letter.message) ?? []) {
      if (message.type === 'sync') swim?.synced(message.record);
      if (message.type === 'update') swim?.updated(message.record);
      if (message.type === 'ping') swim?.pinged(message.seq, letter.from, letter.from);
    }
  }
}

function record(self: string, state: MemberRecord['state'], incarnation = INCARNATION): MemberRecord {
  return { gossipAddr: self, tags: tagsOf(self.slice(0, 1)), state, incarnation, goneForMs: 0 };
}

beforeEach(() => {
  post = [];
});

afterEach(() => {
  for (const swim of swims.values()) swim.stop();
  swims.clear();
});

test('one exchange is enough for two who hold each other for dead', async () => {
  const a = await start('a:1');
  const b = await start('b:1');
  a.updated(record('b:1', 'failed'));
  b.updated(record('a:1', 'failed'));
  a.sync(['b:1']);
  deliverAll();
  expect(news.get('a:1')?.map(({ state }) => state)).toEqual(['failed', 'alive']);
  // The first one has objected by now as well; what it says next arrives.
  a.announce(['b:1']);
  deliverAll();
  expect(news.get('b:1')?.map(({ state }) => state)).toEqual(['failed', 'alive']);
});

test('who is probed by a member that it holds for dead tells it so', async () => {
  const a = await start('a:1');
  const b = await start('b:1');
  b.updated(record('a:1', 'left'));
  b.pinged(1, 'a:1', 'a:1');
  deliverAll();
  expect(a.incarnation).toBe(INCARNATION + 1);
});

test('news of the dead is taken from whoever has it, and only when it is newer', async () => {
  const a = await start('a:1');
  a.updated({ ...record('c:1', 'failed', 5), goneForMs: 77 });
  a.updated(record('c:1', 'left', 5));
  a.updated(record('c:1', 'left', 4));
  a.updated(record('c:1', 'left', 6));
  a.updated(record('c:1', 'alive', 6));
  a.updated(record('c:1', 'alive', 7));
  const heard = news.get('a:1')?.map(({ state, incarnation, goneForMs }) => [state, incarnation, goneForMs]);
  expect(heard).toEqual([
    ['failed', 5, 77],
    ['left', 6, 0],
    ['alive', 7, 0],
  ]);
});

test('a member is declared failed only in the incarnation that was suspected', async () => {
  const a = await start('a:1');
  a.updated(record('b:1', 'alive'));
  a.declareFailed('b:1', INCARNATION);
  a.updated(record('b:1', 'suspect'));
  a.declareFailed('b:1', INCARNATION - 1);
  expect(news.get('a:1')?.map(({ state }) => state)).toEqual(['alive', 'suspect']);
  a.declareFailed('b:1', INCARNATION);
  a.declareFailed('b:1', INCARNATION);
  expect(news.get('a:1')?.map(({ state }) => state)).toEqual(['alive', 'suspect', 'failed']);
});

test('a forgotten member is neither known nor spoken of', async () => {
  const a = await start('a:1');
  await start('b:1');
  for (const host of ['b:1', 'c:1']) a.updated(record(host, 'alive'));
  a.forget('c:1');
  expect([a.isKnown('b:1'), a.isKnown('c:1')]).toEqual([true, false]);
  a.sync(['b:1']);
  a.announce(['b:1']);
  await eventually(() => post.length > 0, 'something was sent');
  expect(post.some(({ message }) => message.includes('"c:1"'))).toBe(false);
});

test('tags are replaced in a new incarnation, and a goodbye is in a later one still', async () => {
  const a = await start('a:1');
  await start('b:1');
  a.announce(['b:1']);
  const tags = tagsOf('renamed');
  a.setTags(tags);
  a.announce(['b:1']);
  a.stop();
  a.sayGoodbye(['b:1'], true);
  a.announce(['b:1']);
  deliverAll();
  expect(news.get('b:1')?.map(({ tags: { name }, state, incarnation }) => [name, state, incarnation])).toEqual([
    ['a', 'alive', INCARNATION],
    ['renamed', 'alive', INCARNATION + 1],
    ['renamed', 'left', INCARNATION + 2],
  ]);
});
