import { TestNode, until, RawServer, nodeId } from './peer-kit';

/** A peer whose process has ended is told from one that is only silent: nobody listens there, and it holds no connection. */

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

async function node(id: number, options: ConstructorParameters<typeof TestNode>[0] = {}): Promise<TestNode> {
  const made = await new TestNode({ ...options, id }).listen();
  open.push(made);
  return made;
}

test('a peer whose process has ended is gone, and told to be so again and again until it is back', async () => {
  const a = await node(1);
  const b = await node(2);
  a.transport.setAddress(b.id, b.address);
  b.transport.setAddress(a.id, a.address);
  await until('they are connected', () => a.transport.statistics(b.id)?.connected === true);
  expect(a.gone).toEqual([]);
  await b.close();
  await until('it is told three times', () => a.gone.length >= 3);
  expect(new Set(a.gone)).toEqual(new Set([b.id]));
  const again = new TestNode({ id: 2 });
  open.push(again);
  await again.listen(b.address);
  await until('they are connected again', () => a.transport.statistics(b.id)?.connected === true);
});

test('a peer whose address refuses while it holds a connection of its own is not gone', async () => {
  const a = await node(1);
  const b = await node(2);
  b.transport.setAddress(a.id, a.address);
  await until('it has connected', () => b.transport.statistics(a.id)?.connected === true);
  a.transport.setAddress(b.id, '127.0.0.1:1');
  await until('the address has refused', () => a.logged('ECONNREFUSED').length > 0 && a.unreachable.length >= 3);
  expect(a.gone).toEqual([]);
  await b.close();
  await until('it is gone', () => a.gone.length > 0);
});

test('a peer that takes connections and says nothing is not gone', async () => {
  const silent = new RawServer();
  open.push(silent);
  const a = await node(1, { limits: { handshakeMs: 30 } });
  a.transport.setAddress(nodeId(2), await silent.listen());
  await until('it was tried three times', () => silent.sockets.length >= 3);
  expect(a.unreachable.length).toBeGreaterThan(0);
  expect(a.gone).toEqual([]);
});
