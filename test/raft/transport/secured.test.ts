import type { Duplex } from 'node:stream';
import { connect, TLSSocket } from 'node:tls';
import type { Role } from '../../../src/raft/transport';
import { heartbeat, TestNode, until } from './peer-kit';

const KEY = Buffer.alloc(32, 0x5a);
const CIPHERS = 'PSK-AES256-GCM-SHA384';

/** Real TLS with a shared key, so that no certificate has to be made. Resolves when the TLS handshake is done. */
function tlsWith(key: Buffer): (socket: Duplex, role: Role) => Promise<Duplex> {
  return (socket, role) =>
    new Promise((resolve, reject) => {
      const options = { ciphers: CIPHERS, minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' } as const;
      const secured =
        role === 'dialer'
          ? connect({
              ...options,
              socket,
              pskCallback: () => ({ psk: key, identity: 'peer' }),
              checkServerIdentity: () => undefined,
            })
          : new TLSSocket(socket, { ...options, isServer: true, pskCallback: () => key } as never);
      secured.once(role === 'dialer' ? 'secureConnect' : 'secure', () => resolve(secured));
      secured.once('error', reject);
      secured.once('close', () => reject(new Error('the connection was closed during the TLS handshake')));
    });
}

const open: TestNode[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

async function node(id: number, key: Buffer): Promise<TestNode> {
  const made = await new TestNode({ id, environment: { secure: tlsWith(key) } }).listen();
  open.push(made);
  return made;
}

describe('a transport with TLS inside', () => {
  test('carries messages and calls behind the plain first byte', async () => {
    const a = await node(1, KEY);
    const b = await node(2, KEY);
    b.transport.handle(1, async ({ body }) => body);
    a.transport.setAddress(b.id, b.address);
    for (let i = 0; i < 100; i++) a.transport.send(b.id, 0, heartbeat(a, b, i));
    await until('all have arrived', () => b.received.length === 100);
    const body = Buffer.alloc(2_000_000, 3);
    const answer = await a.transport.call(b.id, 0, 1, body, { deadlineMs: 9_000 });
    expect(answer.equals(body)).toBe(true);
    await b.close();
    await until('the loss is noticed', () => a.unreachable.length > 0);
  });

  test('does not let a peer in that has another key', async () => {
    const a = await node(1, KEY);
    const b = await node(2, Buffer.alloc(32, 1));
    a.transport.setAddress(b.id, b.address);
    await until('the loss is reported', () => a.unreachable.length > 0);
    a.transport.send(b.id, 0, heartbeat(a, b, 1));
    await until('b has logged it', () => b.logged('refused a connection from a peer').length > 0);
    expect(b.received).toEqual([]);
  });
});
