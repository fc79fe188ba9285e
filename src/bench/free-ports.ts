import { createSocket, type Socket } from 'node:dgram';
import { createServer, type Server } from 'node:net';

const MAX_PORTS = 64;

/**
 * Ports of 127.0.0.1 that were free for TCP and UDP alike a moment ago. All of them are held until all are found, so that
 * no two are the same; somebody else may still take one before it is used.
 */
export async function freePorts(count: number): Promise<number[]> {
  if (!Number.isInteger(count) || count < 0 || count > MAX_PORTS) {
    throw new RangeError(`Between 0 and ${MAX_PORTS} ports can be asked for at once, not ${count}.`);
  }
  const held: (Server | Socket)[] = [];
  const ports: number[] = [];
  try {
    for (let attempt = 0; ports.length < count; attempt++) {
      if (attempt > count + MAX_PORTS) throw new Error(`No ${count} ports of 127.0.0.1 are free for both TCP and UDP.`);
      const server = await holdTcp();
      held.push(server);
      const { port } = server.address() as { port: number };
      const socket = await holdUdp(port);
      if (socket === undefined) continue;
      held.push(socket);
      ports.push(port);
    }
  } finally {
    await Promise.all(held.map((one) => new Promise<void>((resolve) => one.close(() => resolve()))));
  }
  return ports;
}

function holdTcp(): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve(server));
  });
}

/** Undefined where the port is in use for UDP. */
function holdUdp(port: number): Promise<Socket | undefined> {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4');
    socket.once('error', (error: NodeJS.ErrnoException) => {
      socket.close();
      if (error.code === 'EADDRINUSE') resolve(undefined);
      else reject(error);
    });
    socket.bind(port, '127.0.0.1', () => resolve(socket));
  });
}
