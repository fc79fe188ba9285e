import { TestNode, until } from './peer-kit';
import { describeTransport, type TransportEnd } from './transport-contract';

function endOf(node: TestNode): TransportEnd {
  return {
    id: node.id,
    get received() {
      return node.received.map(({ message }) => message);
    },
    send: (message) => node.transport.send(message.to, 0, message),
    call: (to, method, body, deadlineMs) => node.transport.call(to, 0, method, body, { deadlineMs }),
    handle: (method, handler) => node.transport.handle(method, handler),
    kill: () => node.close(),
  };
}

describeTransport('PeerTransport over TCP', async () => {
  const [a, b] = [await new TestNode({ id: 1 }).listen(), await new TestNode({ id: 2 }).listen()];
  a.transport.setAddress(b.id, b.address);
  b.transport.setAddress(a.id, a.address);
  const connected = (): boolean =>
    a.transport.statistics(b.id)?.connected === true && b.transport.statistics(a.id)?.connected === true;
  // Messages before that are lost, as they may be.
  await until('the two are connected', connected);
  return {
    a: endOf(a),
    b: endOf(b),
    until,
    settled: (promise) => promise,
    close: async () => {
      await a.close();
      await b.close();
    },
  };
});
