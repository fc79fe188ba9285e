import { connect, type Socket } from 'node:net';
import { Client, credentials, Server, ServerCredentials, status, type ServiceError } from '@grpc/grpc-js';
import { systemClock } from '../../../src/raft/replica/environment';
import { PortMultiplexer, systemTimers, type PortMultiplexerOptions } from '../../../src/raft/transport';
import { recordingLog, until, type LogLine } from './peer-kit';

interface Seen {
  readonly port: PortMultiplexer;
  readonly address: string;
  readonly peers: Socket[];
  readonly clients: Socket[];
  readonly lines: LogLine[];
}

const open: { close(): Promise<void> }[] = [];
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const one of open.splice(0)) await one.close();
});

async function multiplexer(options: Partial<PortMultiplexerOptions> = {}): Promise<Seen> {
  const peers: Socket[] = [];
  const clients: Socket[] = [];
  const lines: LogLine[] = [];
  const port = new PortMultiplexer({
    clock: systemClock,
    timers: systemTimers,
    log: recordingLog(lines),
    onPeer: (socket) => peers.push(socket),
    onClient: (socket) => clients.push(socket),
    ...options,
  });
  open.push(port);
  return { port, address: await port.listen('127.0.0.1:0'), peers, clients, lines };
}

function dial(address: string): { socket: Socket; closed: () => boolean } {
  const socket = connect(Number(address.split(':')[1]), '127.0.0.1');
  sockets.push(socket);
  let closed = false;
  socket.on('error', () => undefined);
  socket.on('close', () => (closed = true));
  socket.resume();
  return { socket, closed: () => closed };
}

async function readSome(socket: Socket, bytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await until(`${bytes} bytes are read`, () => Buffer.concat(chunks).length >= bytes);
  return Buffer.concat(chunks);
}

describe('one port for peers and clients', () => {
  test('a peer is handed over without its first byte, a client with it', async () => {
    const { address, peers, clients } = await multiplexer();
    dial(address).socket.write(Buffer.from([1, 2, 3]));
    dial(address).socket.write('PRI');
    await until('both are there', () => peers.length === 1 && clients.length === 1);
    const [peer, client] = [peers[0], clients[0]];
    if (peer === undefined || client === undefined) throw new Error('Both should be there.');
    expect(await readSome(peer, 2)).toEqual(Buffer.from([2, 3]));
    expect(await readSome(client, 3)).toEqual(Buffer.from('PRI'));
  });

  test('gRPC works behind it', async () => {
    const { address, clients } = await multiplexer();
    const server = new Server();
    const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
    const client = new Client(address, credentials.createInsecure());
    const answer = new Promise<ServiceError | null>((resolve) => {
      const identity = (value: Buffer) => value;
      client.makeUnaryRequest('/no.Service/Method', identity, identity, Buffer.alloc(0), (error) => resolve(error));
    });
    await until('the client connects', () => clients.length === 1);
    for (const socket of clients) injector.injectConnection(socket);
    expect((await answer)?.code).toBe(status.UNIMPLEMENTED);
    client.close();
    server.forceShutdown();
  });

  test('a connection that never says anything is closed', async () => {
    const { address, peers, clients } = await multiplexer({ firstByteMs: 30 });
    const { closed } = dial(address);
    await until('it is closed', closed);
    expect([peers, clients]).toEqual([[], []]);
  });

  test('beyond the bound of silent connections the oldest goes, and a live one gets in', async () => {
    const { address, peers, lines } = await multiplexer({ maxSilent: 3 });
    const silent = Array.from({ length: 5 }, () => dial(address));
    await until('two are closed', () => silent.filter((one) => one.closed()).length === 2);
    dial(address).socket.write(Buffer.of(1));
    await until('the peer is there', () => peers.length === 1);
    expect(lines.some((line) => line.message.includes('closed the oldest'))).toBe(true);
  });

  test('a connection that closes at once is nobody', async () => {
    const { address, peers, clients } = await multiplexer();
    const { socket, closed } = dial(address);
    socket.end();
    await until('it is closed', closed);
    expect([peers, clients]).toEqual([[], []]);
  });

  test('a port that is taken is an error', async () => {
    const { address } = await multiplexer();
    const second = new PortMultiplexer({
      clock: systemClock,
      timers: systemTimers,
      log: recordingLog([]),
      onPeer: () => undefined,
      onClient: () => undefined,
    });
    await expect(second.listen(address)).rejects.toThrow(/EADDRINUSE/);
  });

  test('stops listening and leaves the connections that are there alone', async () => {
    const { port, address, peers } = await multiplexer();
    const { socket, closed } = dial(address);
    socket.write(Buffer.of(1));
    await until('the peer is there', () => peers.length === 1);
    port.stopListening();
    const late = dial(address);
    await until('a new one is refused', late.closed);
    expect(closed()).toBe(false);
    await port.close();
    await until('the old one is closed', closed);
  });
});
