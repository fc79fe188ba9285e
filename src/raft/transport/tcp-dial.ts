import { connect, type Socket } from 'node:net';

const KEEP_ALIVE_MS = 10_000;

/** Splits `host:port`, with an IPv6 host in brackets. Throws RangeError for anything else. */
export function splitAddress(address: string): { readonly host: string; readonly port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):([0-9]{1,5})$/.exec(address);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || !(port >= 1 && port <= 65_535)) {
    throw new RangeError(`"${address}" is no address of the form host:port.`);
  }
  return { host, port };
}

/** Heartbeats are small and must not wait for more to send; a peer that lost power must be noticed by the kernel at last. */
export function tuneSocket(socket: Socket): void {
  socket.setNoDelay(true);
  socket.setKeepAlive(true, KEEP_ALIVE_MS);
}

/**
 * Whether a dial failed because nobody listens at any of the peer's addresses: its machine answered, and its process is not
 * there. A peer that is slow, stopped or cut off does not answer so.
 */
export function nobodyListens(failure: Error): boolean {
  // Where a name has several addresses, there is a failure for each.
  const { code, errors } = failure as NodeJS.ErrnoException & { readonly errors?: readonly Error[] };
  return errors === undefined ? code === 'ECONNREFUSED' : errors.length > 0 && errors.every(nobodyListens);
}

/** Opens a TCP connection; rejects with the error of the operating system. `signal` ends the attempt. */
export async function dialTcp(address: string, signal: AbortSignal): Promise<Socket> {
  const { host, port } = splitAddress(address);
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, signal });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      tuneSocket(socket);
      resolve(socket);
    });
  });
}
