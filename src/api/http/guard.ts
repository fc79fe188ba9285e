/**
 * No web page may use this server through its visitor's browser. A page of another origin is known by `Origin`; a name
 * that was made to point here (DNS rebinding) is known by `Host`.
 */
import { isIP } from 'node:net';
import { type IncomingMessage } from 'node:http';
import { Fault } from '../errors';

const WILDCARDS = new Set(['0.0.0.0', '::']);

export class RequestGuard {
  private readonly names: ReadonlySet<string>;
  private readonly anyAddress: boolean;

  /**
   * @param bindHost the configured address
   * @param allowedHosts more names under which this server is known, without ports
   */
  constructor(bindHost: string, allowedHosts: readonly string[]) {
    this.names = new Set(['localhost', bindHost, ...allowedHosts].map((name) => unbracketed(name.toLowerCase())));
    // Listening on every address of the machine, its owner may use any of them. A page cannot choose an IP address as
    // its own origin's name unless it was served from there.
    this.anyAddress = WILDCARDS.has(unbracketed(bindHost));
  }

  /** Throws PERMISSION_DENIED for a request that is not meant for this server or comes from another origin. */
  check(request: IncomingMessage): void {
    const host = request.headers.host ?? '';
    const name = nameIn(host);
    if (name === undefined || !this.isKnown(name)) {
      throw new Fault('PERMISSION_DENIED', 'HOST_NOT_ALLOWED', `This server is not known as ${JSON.stringify(host)}.`);
    }
    const { origin } = request.headers;
    if (origin !== undefined && !isSameOrigin(origin, host)) {
      const message = `Pages of ${JSON.stringify(origin)} may not use this server.`;
      throw new Fault('PERMISSION_DENIED', 'ORIGIN_NOT_ALLOWED', message);
    }
  }

  private isKnown(name: string): boolean {
    return this.names.has(name) || isLoopback(name) || (this.anyAddress && isIP(name) !== 0);
  }
}

/** The name in a Host header, lower case and without brackets and port; undefined where it is none. */
function nameIn(host: string): string | undefined {
  const parts = /^(\[[0-9a-f:.]+\]|[^:[\]/@\s]+)(?::\d{1,5})?$/i.exec(host);
  return parts === null ? undefined : unbracketed(parts[1]!.toLowerCase());
}

function unbracketed(name: string): string {
  return name.startsWith('[') && name.endsWith(']') ? name.slice(1, -1) : name;
}

function isLoopback(name: string): boolean {
  return name === '::1' || (isIP(name) === 4 && name.startsWith('127.'));
}

/** A browser writes the origin of the page itself exactly as it writes the Host it asks. */
function isSameOrigin(origin: string, host: string): boolean {
  return (
    origin.toLowerCase() === `http://${host}`.toLowerCase() || origin.toLowerCase() === `https://${host}`.toLowerCase()
  );
}
