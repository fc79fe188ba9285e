import { openEnvelope } from '../../src/discovery/envelope';
import { USER_EVENT } from '../../src/discovery/user-event';
import { eventually, startCluster, startNode, stopAll } from './nodes';
import { Network, type Carried } from './network';
import { seededRandom } from './seeded-random';

const random = seededRandom('test/discovery/events.test.ts');

afterEach(stopAll);

function carriesEvent({ datagram }: Carried): boolean {
  const opened = openEnvelope(datagram, undefined);
  return typeof opened !== 'string' && opened.message[0] === USER_EVENT;
}

test('an event reaches every node exactly once, the sender included, though many datagrams are lost', async () => {
  const network = new Network();
  const names = ['a', 'b', 'c', 'd', 'e'];
  const nodes = await startCluster(names, { openSocket: network.open });
  const heard = names.map(() => new Map<string, number>());
  for (const [at, node] of nodes.entries()) {
    node.on('event', (name, payload, from) => {
      const key = `${name} ${payload.toString()} ${from}`;
      heard[at]!.set(key, (heard[at]!.get(key) ?? 0) + 1);
    });
  }
  let othersSince = 0;
  network.watches = (carried) => (othersSince = carriesEvent(carried) ? 0 : othersSince + 1);
  network.loses = (carried) => carriesEvent(carried) && random.next() < 0.3;
  const sent: string[] = [];
  for (let number = 0; number < 10; number++) {
    for (const node of nodes) {
      node.broadcast('test:event', Buffer.from(`${number}`));
      sent.push(`test:event ${number} ${node.gossipAddr}`);
    }
  }
  await eventually(() => heard.every((of) => of.size === sent.length), 'every node heard every event');
  await eventually(() => othersSince > 100, 'nobody repeats an event any more');
  for (const of of heard) {
    expect([...of.keys()].sort()).toEqual([...sent].sort());
    expect(new Set(of.values())).toEqual(new Set([1]));
  }
});

test('the longest event fits a datagram, and what is longer is refused', async () => {
  const [a, b] = await startCluster(['a', 'b']);
  const payload = random.bytes(512);
  const heard: Buffer[] = [];
  b!.on('event', (name, body, from) => {
    expect([name, from]).toEqual(['n'.repeat(64), a!.gossipAddr]);
    heard.push(body);
  });
  a!.broadcast('n'.repeat(64), payload);
  await eventually(() => heard.length === 1, 'it arrived');
  expect(heard[0]!.equals(payload)).toBe(true);
  expect(() => a!.broadcast('n'.repeat(65), payload)).toThrow(/name/);
  expect(() => a!.broadcast('', payload)).toThrow(/name/);
  expect(() => a!.broadcast('ok', Buffer.alloc(513))).toThrow(/513 bytes/);
});

test('a node alone hears itself, a restarted one starts afresh, a stopped one refuses', async () => {
  const [a, b] = await startCluster(['a', 'b']);
  const heard: string[] = [];
  b!.on('event', (name, payload) => heard.push(`${name} ${payload.toString()}`));
  a!.broadcast('first', Buffer.from('1'));
  await eventually(() => heard.length === 1, 'the first arrived');
  await a!.stop();
  expect(() => a!.broadcast('late', Buffer.alloc(0))).toThrow(/stopped/);
  const own: string[] = [];
  const back = await startNode('a', { bindAddr: a!.gossipAddr });
  back.on('event', (name) => own.push(name));
  back.broadcast('alone', Buffer.alloc(0));
  expect(own).toEqual(['alone']);
});
