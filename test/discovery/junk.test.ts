import { randomBytes } from 'node:crypto';
import { Sealer } from '../../src/discovery/envelope';
import { type Gossip } from '../../src/discovery/gossip';
import { Keyring } from '../../src/discovery/keyring';
import { allSee, clock, CLUSTER, eventually, member, startCluster, startNode, stopAll } from './nodes';
import { Network } from './network';
import { RawSender } from './raw-sender';
import { seededRandom, type SeededRandom } from './seeded-random';

const DATAGRAMS = 2_000;
const random = seededRandom('test/discovery/junk.test.ts');
let raw: RawSender;

beforeEach(async () => {
  raw = await RawSender.open();
});

afterEach(async () => {
  raw.close();
  await stopAll();
});

function mutated(datagram: Buffer, source: SeededRandom): Buffer {
  const copy = Buffer.from(datagram);
  switch (source.below(4)) {
    case 0:
      return copy.subarray(0, source.below(copy.length));
    case 1:
      return Buffer.concat([copy, source.bytes(1 + source.below(64))]);
    default:
      for (let flips = 1 + source.below(4); flips > 0; flips--) {
        const at = source.below(copy.length);
        copy.writeUInt8(copy.readUInt8(at) ^ (1 << source.below(8)), at);
      }
      return copy;
  }
}

/** Sends in small portions, each awaited at the other end, so that no buffer overflows and all of it is really read. */
async function flood(network: Network, to: Gossip, datagrams: readonly Buffer[]): Promise<void> {
  let arrived = 0;
  const watched = network.watches;
  network.watches = ({ from }) => (arrived += from === raw.address ? 1 : 0);
  for (const [at, datagram] of datagrams.entries()) {
    await raw.send(datagram, to.gossipAddr);
    if (at % 50 === 49) await eventually(() => arrived > at, `${at + 1} datagrams arrived`);
  }
  network.watches = watched;
}

async function stillWorks(network: Network, [a, b, c]: Gossip[], keyring?: Keyring): Promise<void> {
  const rpcAddr = '127.0.0.1:9999';
  a!.setTags({ ...member(a!, 'a')!.tags, rpcAddr });
  await eventually(() => [b, c].every((node) => member(node!, 'a')?.tags.rpcAddr === rpcAddr), 'tags still spread');
  const d = await startNode('d', { openSocket: network.open, joinAddrs: [a!.gossipAddr], keyring });
  await eventually(() => allSee([a!, b!, c!, d], 'alive', ['a', 'b', 'c', 'd']), 'a fourth node joins');
}

describe.each([
  ['plaintext', undefined],
  ['encrypted', Keyring.parse(randomBytes(32).toString('base64'))],
])('%s gossip', (_title, keyring) => {
  test(`${DATAGRAMS} random and mutated datagrams do no harm`, async () => {
    const network = new Network();
    const captured: Buffer[] = [];
    network.watches = ({ datagram }) => captured.push(Buffer.from(datagram));
    const nodes = await startCluster(['a', 'b', 'c'], { openSocket: network.open, keyring });
    nodes[1]!.broadcast('some-event', Buffer.from('with a payload'));
    await eventually(() => captured.length > 100, 'enough real datagrams to mutate');
    const junk = Array.from({ length: DATAGRAMS }, (_, at) =>
      at % 4 === 0 ? random.bytes(random.below(1_500)) : mutated(captured[random.below(captured.length)]!, random),
    );
    await flood(network, nodes[0]!, junk);
    const drops = nodes[0]!.dropped();
    expect(drops.get('malformed')).toBeGreaterThan(100);
    if (keyring) expect(drops.get('undecryptable')).toBeGreaterThan(1_000);
    await stillWorks(network, nodes, keyring);
  });
});

const RECORD = {
  h: '127.0.0.1:1',
  s: 0,
  i: 1,
  t: { c: CLUSTER, i: '0'.repeat(16), n: 'n', r: 'r:1', j: 0, v: 0, f: 1 },
};

function message(type: number, body: unknown): Buffer {
  return Buffer.concat([Buffer.from([type]), Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))]);
}

function compound(count: number, ...messages: Buffer[]): Buffer {
  const parts = messages.flatMap((bytes) => [Buffer.from([bytes.length & 255, bytes.length >> 8]), bytes]);
  return Buffer.concat([Buffer.from([0, count & 255, count >> 8]), ...parts]);
}

/** In a well formed envelope: what ended the process of an unprotected swim, and more of its kind. */
const HOSTILE: readonly Buffer[] = [
  Buffer.alloc(0),
  message(10, null),
  message(10, '{}'),
  message(10, '{"seq":-1}'),
  message(10, '{"seq":"1"}'),
  message(10, '{"seq":1,"more":1}'),
  message(10, '[1]'),
  message(10, '{"seq":1'),
  message(11, { seq: 1 }),
  message(11, { seq: 1, destination: null }),
  message(11, { seq: 1, destination: 'nowhere' }),
  message(11, { seq: 1, destination: '127.0.0.1:99999' }),
  message(11, { seq: 1, destination: '0.0.0.0:80' }),
  message(12, { s: 0, i: 1 }),
  message(12, { ...RECORD, h: undefined }),
  message(12, { ...RECORD, s: 2, a: 1 }),
  message(13, { seq: 1e300 }),
  message(14, null),
  message(14, { ...RECORD, i: 2 ** 53 }),
  message(14, { ...RECORD, s: 4 }),
  message(14, { ...RECORD, s: 1.5 }),
  message(14, { ...RECORD, s: 'constructor' }),
  message(14, { ...RECORD, h: '__proto__' }),
  message(14, { ...RECORD, a: 5 }),
  message(14, { ...RECORD, s: 3 }),
  message(14, { ...RECORD, t: null }),
  message(14, { ...RECORD, t: { ...RECORD.t, n: 'two words' } }),
  message(14, { ...RECORD, t: { ...RECORD.t, p: 0 } }),
  message(14, { ...RECORD, t: { ...RECORD.t, j: true } }),
  message(14, `{"__proto__":{},"s":0,"i":1,"t":{}}`),
  message(14, '['.repeat(1_200)),
  message(99, { seq: 1 }),
  Buffer.from([64]),
  Buffer.concat([Buffer.from([64]), Buffer.alloc(20, 255)]),
  Buffer.from([0]),
  compound(1),
  compound(65_535, message(10, { seq: 1 })),
  compound(1, compound(1, message(10, { seq: 1 }))),
  compound(1, message(10, { seq: 1 }), message(10, { seq: 2 })),
  Buffer.concat([compound(1, message(10, { seq: 1 })), Buffer.alloc(1)]),
];

test('well sealed messages of the wrong shape are dropped and counted, every one', async () => {
  const network = new Network();
  const keyring = Keyring.parse(randomBytes(32).toString('base64'));
  const nodes = await startCluster(['a', 'b', 'c'], { openSocket: network.open, keyring });
  const sealer = new Sealer(raw.address, keyring, clock);
  const sealed = HOSTILE.map((hostile) => sealer.seal(CLUSTER, hostile));
  await flood(network, nodes[0]!, sealed);
  await eventually(
    () => nodes[0]!.dropped().get('malformed') === HOSTILE.length,
    'each is counted',
    () => JSON.stringify([...nodes[0]!.dropped()]),
  );
  await stillWorks(network, nodes, keyring);
});

test('nobody is made to probe an address that is not a member, or to answer one that did not ask', async () => {
  const network = new Network();
  const victim = await RawSender.open();
  const [a] = await startCluster(['a', 'b'], { openSocket: network.open });
  const sealer = new Sealer(raw.address, undefined, clock);
  await raw.send(sealer.seal(CLUSTER, message(11, { seq: 1, destination: victim.address })), a!.gossipAddr);
  await raw.send(sealer.seal(CLUSTER, message(12, { ...RECORD, h: victim.address })), a!.gossipAddr);
  await eventually(
    () => a!.dropped().get('unknown_destination') === 1 && a!.dropped().get('malformed') === 1,
    'both dropped',
  );
  expect(a!.members()).toHaveLength(2);
  victim.close();
});
