import { formatAddress, isReachable, isWildcard, parseAddress, type Address } from './address';
import { type Clock, type EventLog, type Random } from './environment';
import { type Keyring } from './keyring';
import { tagsFault, type Tags } from './member';
import { type OpenSocket } from './udp-socket';

/** Milliseconds. */
export interface GossipIntervals {
  /** One member is probed so often. */
  readonly probeMs: number;
  /** A probe not answered by then is tried through others. */
  readonly probeTimeoutMs: number;
  /** Nobody got an answer by then: the member is suspect. */
  readonly indirectProbeTimeoutMs: number;
  /** A suspect that has not objected by then has failed. */
  readonly suspectMs: number;
  /** Everything known is exchanged with a random member so often. */
  readonly resyncMs: number;
  /** First and longest pause between two attempts to find the cluster. */
  readonly joinRetryMinMs: number;
  readonly joinRetryMaxMs: number;
  /** A member that failed or left is forgotten after so long. */
  readonly reapAfterMs: number;
}

const DEFAULT_INTERVALS: GossipIntervals = {
  probeMs: 200,
  probeTimeoutMs: 150,
  indirectProbeTimeoutMs: 300,
  suspectMs: 800,
  resyncMs: 1_000,
  joinRetryMinMs: 250,
  joinRetryMaxMs: 10_000,
  reapAfterMs: 24 * 3_600_000,
};

export const DEFAULT_MAX_MEMBERS = 256;

export interface GossipOptions {
  /** `host:port` to bind to, and only that; port 0 takes a free one. */
  readonly bindAddr: string;
  /** What others are told; by default what was bound. */
  readonly advertiseAddr?: string | undefined;
  /** `tags.clusterId` is this node's cluster; empty while it is joining. */
  readonly tags: Tags;
  /** Gossip addresses to ask for the cluster; empty for the first node of one. */
  readonly joinAddrs: readonly string[];
  /** Gossip addresses remembered from an earlier run; asked like `joinAddrs`. */
  readonly knownPeers?: readonly string[] | undefined;
  /** Without one gossip is neither secret nor authentic: for loopback and networks that are trusted whole. */
  readonly keyring?: Keyring | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: EventLog;
  readonly intervals?: Partial<GossipIntervals> | undefined;
  /** Other members held at most, those that failed or left included. */
  readonly maxMembers?: number | undefined;
  /** The network; UDP by default. */
  readonly openSocket?: OpenSocket | undefined;
}

/** Checks the options as a whole and returns where to bind. Throws `RangeError` naming the option at fault. */
export function checkedBindAddress(options: GossipOptions): Address {
  const bind = parseAddress(options.bindAddr);
  if (!bind) throw new RangeError(`The gossip bind address "${options.bindAddr}" is not host:port.`);
  if (options.advertiseAddr !== undefined && !isReachable(options.advertiseAddr)) {
    throw new RangeError(
      `The gossip address to advertise, "${options.advertiseAddr}", is not one that others can send to.`,
    );
  }
  if (options.advertiseAddr === undefined && isWildcard(bind.host)) {
    throw new RangeError(
      `Gossip binds to the wildcard ${formatAddress(bind)}, to which nobody can send; give an address to advertise as well.`,
    );
  }
  for (const address of [...options.joinAddrs, ...(options.knownPeers ?? [])]) {
    if (!isReachable(address)) throw new RangeError(`The gossip address to join, "${address}", is not host:port.`);
  }
  checkTags(options.tags);
  return bind;
}

/** Throws `RangeError` when others would refuse these tags. */
export function checkTags(tags: Tags): void {
  const fault = tagsFault(tags);
  if (fault !== undefined) throw new RangeError(`These tags cannot be gossiped: ${fault}.`);
}

export function checkedIntervals(given: Partial<GossipIntervals> | undefined): GossipIntervals {
  const intervals = { ...DEFAULT_INTERVALS, ...given };
  for (const [name, value] of Object.entries(intervals)) {
    if (!(value > 0 && Number.isFinite(value)))
      throw new RangeError(`The gossip interval ${name} is ${value}, not above 0 ms.`);
  }
  return intervals;
}
