import { isIP, isIPv6 } from 'node:net';

/** Where a datagram goes: `127.0.0.1:8301`, `node1:8301` or `[::1]:8301` when written. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** A length fits one byte on the wire, and an address must leave room for what else a datagram carries. */
export const MAX_ADDRESS_BYTES = 255;

const WRITTEN =
  /^(?:\[([0-9a-fA-F:.]+(?:%[0-9A-Za-z._-]+)?)\]|([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)):(0|[1-9]\d{0,4})$/;

/** Reads one written address; undefined when it is none. Port 0 asks the system for a free one when binding. */
export function parseAddress(text: string): Address | undefined {
  if (text.length > MAX_ADDRESS_BYTES) return undefined;
  const match = WRITTEN.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || port > 65_535) return undefined;
  if (match?.[1] !== undefined && !isIPv6(host)) return undefined;
  return { host, port };
}

export function formatAddress({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** True for what others can send to: an address with a port, not a wildcard. */
export function isReachable(text: string): boolean {
  const address = parseAddress(text);
  return address !== undefined && address.port > 0 && !isWildcard(address.host);
}

/** `0.0.0.0` and every spelling of `::`. */
export function isWildcard(host: string): boolean {
  return isIP(host) !== 0 && /^[0:.]+$/.test(host);
}
