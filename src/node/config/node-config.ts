import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import {
  OptionError,
  formatAddress,
  isLoopback,
  isWildcard,
  parseAddress,
  parseDuration,
  parseDurationRange,
  parseSize,
  type HostPort,
} from './units';

/** What a node is started with, checked as a whole: every value here takes effect. Times in milliseconds, sizes in bytes. */
export interface NodeConfig {
  readonly bootstrap: boolean;
  readonly nodeName: string;
  readonly dataDir: string;
  readonly bindAddr: HostPort;
  readonly rpcAddr: HostPort;
  readonly advertiseAddr: HostPort | undefined;
  readonly advertiseRpcAddr: HostPort | undefined;
  readonly httpAddr: HostPort | undefined;
  readonly startJoinAddrs: readonly string[];
  readonly nonVoter: boolean;
  readonly database: { readonly kind: 'embedded' | 'off' } | { readonly kind: 'postgres'; readonly url: string };
  readonly partitions: number;
  readonly segmentBytes: number;
  readonly retentionBytes: number | undefined;
  readonly retentionAge: number | undefined;
  readonly snapshotBytes: number;
  /** A second, for each member that is behind. */
  readonly catchUpBytes: number;
  /** How long ids are remembered in a cluster that begins here, in milliseconds; undefined: for ever. */
  readonly dedupAge: number | undefined;
  /** Refusals that burn ids, an hour and caller; Infinity: no bound. */
  readonly refusalQuota: number;
  readonly electionTimeout: readonly [number, number];
  readonly heartbeatInterval: number;
  readonly encryptKeyFile: string | undefined;
  readonly logLevel: (typeof LOG_LEVELS)[number];
  readonly logFormat: 'json' | 'pretty';
  readonly insecure: boolean;
  readonly dev: boolean;
}

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const;
/** A hundred years. */
const MAX_DEDUP_AGE_MS = 100 * 366 * 24 * 3600 * 1000;
const NODE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

function parsed<T>(read: (text: string) => T) {
  return z.string().transform((text, context): T => {
    try {
      return read(text);
    } catch (error) {
      if (!(error instanceof OptionError)) throw error;
      context.addIssue({ code: 'custom', message: error.message });
      return z.NEVER;
    }
  });
}

function bounded(read: (text: string) => number, low: number, high: number, unit: string) {
  return parsed((text) => {
    const number = read(text);
    if (number < low || number > high) throw new OptionError(`"${text}" is out of range: ${low} to ${high} ${unit}`);
    return number;
  });
}

function integer(text: string): number {
  if (!/^\d{1,9}$/.test(text.trim())) throw new OptionError(`"${text}" is not a whole number`);
  return Number(text);
}

function quota(text: string): number {
  if (text === 'off') return Infinity;
  const number = integer(text);
  if (number < 1)
    throw new OptionError('"0" would refuse every caller its first refusal: write a number above zero, or off');
  return number;
}

/** What `--database-url` says. */
export function parseDatabase(text: string): NodeConfig['database'] {
  if (text === 'off') return { kind: 'off' };
  if (/^postgres(ql)?:\/\/./.test(text)) return { kind: 'postgres', url: text };
  throw new OptionError(`"${text}" is not a database: write postgres://user@host:port/name, or off`);
}

const addresses = parsed((text) => {
  const list = text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
  if (list.length === 0 || list.length > 64) throw new OptionError('write 1 to 64 addresses, separated by commas');
  return list.map((part) => formatAddress(parseAddress(part)));
});

const flag = z.boolean().default(false);

/** The raw options, by their flag's name: strings as written, switches as booleans. */
const SCHEMA = z.strictObject({
  bootstrap: flag,
  'node-name': z
    .string()
    .regex(NODE_NAME, 'a node name has 1 to 63 letters, digits, ".", "_" or "-", and starts with a letter or a digit')
    .optional(),
  'data-dir': z.string().min(1).optional(),
  'bind-addr': parsed(parseAddress),
  'rpc-addr': parsed(parseAddress),
  'advertise-addr': parsed(parseAddress).optional(),
  'advertise-rpc-addr': parsed(parseAddress).optional(),
  'http-addr': parsed((text) => (text === 'off' ? undefined : parseAddress(text))),
  'start-join-addrs': addresses.optional(),
  'non-voter': flag,
  'database-url': parsed(parseDatabase).optional(),
  partitions: bounded(integer, 1, 1, '(more than one partition is not built yet)'),
  'segment-bytes': bounded(parseSize, 1 << 20, 1 << 30, 'bytes'),
  'retention-bytes': bounded(parseSize, 1 << 20, Number.MAX_SAFE_INTEGER, 'bytes').optional(),
  'retention-age': bounded(parseDuration, 10_000, Number.MAX_SAFE_INTEGER / 1_000, 'milliseconds').optional(),
  'snapshot-bytes': bounded(parseSize, 1 << 20, Number.MAX_SAFE_INTEGER, 'bytes'),
  'catch-up-bytes': bounded(parseSize, 1 << 20, Number.MAX_SAFE_INTEGER, 'bytes'),
  'dedup-age': bounded(parseDuration, 1_000, MAX_DEDUP_AGE_MS, 'milliseconds').optional(),
  'refusal-quota': parsed(quota),
  'election-timeout': parsed(parseDurationRange),
  'heartbeat-interval': bounded(parseDuration, 5, 60_000, 'milliseconds'),
  'encrypt-key-file': z.string().min(1).optional(),
  'log-level': z.enum(LOG_LEVELS),
  'log-format': z.enum(['json', 'pretty']).optional(),
  insecure: flag,
  dev: flag,
});

export type RawOptions = Readonly<Record<string, string | boolean>>;

/** Checks the raw options and what they mean together. Throws `OptionError` naming the option at fault. */
export function nodeConfig(raw: RawOptions, terminal: boolean): NodeConfig {
  const result = SCHEMA.safeParse(raw);
  if (!result.success) {
    const issue = result.error.issues[0];
    throw new OptionError(`--${String(issue?.path[0] ?? 'options')}: ${issue?.message ?? 'not understood'}`);
  }
  const options = result.data;
  const nodeName = options['node-name'] ?? (options.dev ? 'dev' : hostNodeName());
  const config: NodeConfig = {
    bootstrap: options.bootstrap || options.dev,
    nodeName,
    dataDir: resolve(options['data-dir'] ?? join('data', nodeName)),
    bindAddr: options['bind-addr'],
    rpcAddr: options['rpc-addr'],
    advertiseAddr: options['advertise-addr'],
    advertiseRpcAddr: options['advertise-rpc-addr'],
    httpAddr: options['http-addr'],
    startJoinAddrs: options['start-join-addrs'] ?? [],
    nonVoter: options['non-voter'],
    database: options['database-url'] ?? { kind: 'embedded' },
    partitions: options.partitions,
    segmentBytes: options['segment-bytes'],
    retentionBytes: options['retention-bytes'],
    retentionAge: options['retention-age'],
    snapshotBytes: options['snapshot-bytes'],
    catchUpBytes: options['catch-up-bytes'],
    dedupAge: options['dedup-age'],
    refusalQuota: options['refusal-quota'],
    electionTimeout: options['election-timeout'],
    heartbeatInterval: options['heartbeat-interval'],
    encryptKeyFile: options['encrypt-key-file'],
    logLevel: options['log-level'],
    logFormat: options['log-format'] ?? (terminal ? 'pretty' : 'json'),
    insecure: options.insecure,
    dev: options.dev,
  };
  checkTogether(config, raw);
  return config;
}

function hostNodeName(): string {
  const name = hostname()
    .replace(/[^A-Za-z0-9._-]/g, '-')
    .slice(0, 63);
  return NODE_NAME.test(name) ? name : 'node';
}

function checkTogether(config: NodeConfig, raw: RawOptions): void {
  if (config.heartbeatInterval * 2 > config.electionTimeout[0]) {
    throw new OptionError(
      `--heartbeat-interval ${config.heartbeatInterval} ms is too long for --election-timeout ${config.electionTimeout[0]} ms: ` +
        'the shortest election timeout must be at least two heartbeats',
    );
  }
  if (config.dev && (config.startJoinAddrs.length > 0 || raw['data-dir'] !== undefined || config.nonVoter)) {
    throw new OptionError('--dev is one throw-away node: it takes no --start-join-addrs, --data-dir or --non-voter');
  }
  if (config.nonVoter && config.bootstrap) {
    throw new OptionError('--non-voter cannot --bootstrap: the first node of a cluster must vote');
  }
  for (const [name, address] of [
    ['advertise-addr', config.advertiseAddr],
    ['advertise-rpc-addr', config.advertiseRpcAddr],
  ] as const) {
    if (address?.port === 0) {
      throw new OptionError(`--${name}: ${formatAddress(address)} has no port that others could connect to`);
    }
  }
  const told: [string, HostPort][] = [
    ['advertise-addr', config.advertiseAddr ?? config.bindAddr],
    ['advertise-rpc-addr', config.advertiseRpcAddr ?? config.rpcAddr],
  ];
  for (const [name, address] of told) {
    if (isWildcard(address.host)) {
      throw new OptionError(
        `--${name}: ${formatAddress(address)} is a wildcard, nobody can connect to it; advertise an address of this machine`,
      );
    }
  }
  const listens: [string, HostPort | undefined][] = [
    ['bind-addr', config.bindAddr],
    ['rpc-addr', config.rpcAddr],
    ['http-addr', config.httpAddr],
  ];
  for (const [name, address] of listens) {
    if (address && !isLoopback(address.host) && !config.insecure) {
      throw new OptionError(
        `--${name}: ${formatAddress(address)} is not loopback and there is no TLS; ` +
          'anyone who reaches it could move money. Bind to 127.0.0.1, or say --insecure',
      );
    }
  }
}
