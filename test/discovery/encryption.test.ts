import { randomBytes } from 'node:crypto';
import { openEnvelope } from '../../src/discovery/envelope';
import { type Gossip } from '../../src/discovery/gossip';
import { Keyring } from '../../src/discovery/keyring';
import { allSee, eventually, Lines, member, startCluster, startNode, stateOf, stopAll } from './nodes';
import { Network, type Carried } from './network';
import { RawSender } from './raw-sender';

const K1 = randomBytes(32).toString('base64');
const K2 = randomBytes(32).toString('base64');

function keys(...lines: string[]): Keyring {
  return Keyring.parse(lines.join('\n'));
}

afterEach(stopAll);

test('with a keyring nothing readable leaves a node, and it works as without', async () => {
  const network = new Network();
  const seen: Buffer[] = [];
  network.watches = ({ datagram }) => seen.push(Buffer.from(datagram));
  const [a, b, c] = await startCluster(['secret-a', 'secret-b', 'secret-c'], {
    openSocket: network.open,
    keyring: keys(K1),
  });
  const heard: string[] = [];
  for (const node of [a, b, c]) node!.on('event', (name, payload) => heard.push(`${name} ${payload.toString()}`));
  a!.broadcast('secret-event', Buffer.from('secret-payload'));
  await eventually(() => heard.length === 3, 'the event arrived');
  await c!.leave();
  await eventually(() => allSee([a!, b!], 'left', ['secret-c']), 'the leave arrived');
  expect(seen.length).toBeGreaterThan(20);
  expect(seen.filter((datagram) => datagram.includes('secret'))).toEqual([]);
});

test('plaintext is refused by a node with a keyring, ciphertext by one without, another key by all; each is logged once', async () => {
  const log = new Lines();
  const a = await startNode('a', { keyring: keys(K1), log });
  const plain = await startNode('plain', { joinAddrs: [a.gossipAddr] });
  const other = await startNode('other', { joinAddrs: [a.gossipAddr], keyring: keys(K2) });
  const count = (reason: 'plaintext_refused' | 'undecryptable') => a.dropped().get(reason) ?? 0;
  await eventually(() => count('plaintext_refused') > 3 && count('undecryptable') > 3, 'both went on asking in vain');
  expect([plain.joined, other.joined]).toEqual([false, false]);
  expect(a.members()).toHaveLength(1);
  for (const reason of ['plaintext_refused', 'undecryptable']) {
    expect(log.lines.filter((line) => line.fields['reason'] === reason)).toHaveLength(1);
  }
  const open = await startNode('open');
  await startNode('sealed', { joinAddrs: [open.gossipAddr], keyring: keys(K1) });
  await eventually(() => (open.dropped().get('encrypted_refused') ?? 0) > 0, 'ciphertext is refused without a keyring');
});

test('a key is replaced node by node, without a moment in which they do not understand each other', async () => {
  let nodes = await startCluster(['a', 'b', 'c'], { keyring: keys(K1) });
  for (const keyring of [keys(K1, K2), keys(K2, K1), keys(K2)]) {
    for (const name of ['a', 'b', 'c']) {
      const at = nodes.findIndex((node) => member(node, name)?.gossipAddr === node.gossipAddr);
      const { gossipAddr } = nodes[at]!;
      await nodes[at]!.stop();
      const others = nodes.filter((_, other) => other !== at);
      const back = await startNode(name, {
        bindAddr: gossipAddr,
        joinAddrs: others.map((node) => node.gossipAddr),
        keyring,
      });
      nodes = [...others, back];
      await eventually(() => allSee(nodes, 'alive', ['a', 'b', 'c']), `all understand each other after ${name}`);
    }
  }
  for (const node of nodes) expect(node.dropped().get('undecryptable')).toBeUndefined();
});

/** Sends everything to the node once more, in small portions, from an address that is not the original sender's. */
async function replay(network: Network, carried: readonly Carried[], to: Gossip): Promise<void> {
  const raw = await RawSender.open();
  let arrived = 0;
  network.watches = ({ from }) => (arrived += from === raw.address ? 1 : 0);
  for (const [at, { datagram }] of carried.entries()) {
    await raw.send(datagram, to.gossipAddr);
    if (at % 50 === 49) await eventually(() => arrived > at, 'the replayed datagrams arrived');
  }
  await eventually(() => arrived === carried.length, 'all replayed datagrams arrived');
  network.watches = () => undefined;
  raw.close();
}

test('what was recorded and is sent again changes nothing', async () => {
  const network = new Network();
  const recorded: Carried[] = [];
  network.watches = ({ datagram, from, to }) => recorded.push({ datagram: Buffer.from(datagram), from, to });
  const options = { openSocket: network.open, keyring: keys(K1) };
  const [a, b, c] = await startCluster(['a', 'b', 'c'], options);
  const heard: string[] = [];
  a!.on('event', (name) => heard.push(name));
  c!.broadcast('once', Buffer.from('x'));
  await eventually(() => heard.length === 1 && recorded.length > 60, 'there is something to replay');
  await c!.leave();
  await eventually(() => allSee([a!, b!], 'left', ['c']), 'it left');
  const toA = recorded.filter(({ to }) => to === a!.gossipAddr);
  const fromA = recorded.filter(({ from }) => from === a!.gossipAddr);

  await replay(network, toA, a!);
  expect(a!.dropped().get('repeated')).toBe(toA.length);
  await replay(network, fromA, a!);
  expect(a!.dropped().get('own_datagram')).toBe(fromA.length);
  expect(heard).toEqual(['once']);
  expect(stateOf(a!, 'c')).toBe('left');

  const d = await startNode('d', { ...options, joinAddrs: [a!.gossipAddr] });
  await eventually(() => allSee([d], 'alive', ['a', 'b']) && stateOf(d, 'c') === 'left', 'a newcomer knows the truth');
  await replay(network, toA, d);
  await eventually(() => allSee([a!, b!, d], 'alive', ['a', 'b', 'd']), 'the living are alive');
  expect(stateOf(d, 'c')).toBe('left');
});

test('datagrams of an earlier run of a node are refused after it came back', async () => {
  const network = new Network();
  const recorded: Carried[] = [];
  network.watches = ({ datagram, from, to }) => recorded.push({ datagram: Buffer.from(datagram), from, to });
  const options = { openSocket: network.open, keyring: keys(K1) };
  const [a, b] = await startCluster(['a', 'b'], options);
  await b!.stop();
  const old = recorded.filter(({ from, to }) => from === b!.gossipAddr && to === a!.gossipAddr);
  const back = await startNode('b', { ...options, bindAddr: b!.gossipAddr, joinAddrs: [a!.gossipAddr] });
  await eventually(() => allSee([a!, back], 'alive', ['a', 'b']), 'it is back');
  await replay(network, old, a!);
  expect(a!.dropped().get('old_session')).toBe(old.length);
  expect(stateOf(a!, 'b')).toBe('alive');
  expect(old.length).toBeGreaterThan(0);
  expect(openEnvelope(old[0]!.datagram, keys(K1))).toMatchObject({ sender: b!.gossipAddr, authentic: true });
});
