/**
 * Who is in the cluster, who leads it, and who answers. The addresses that the client was given are never forgotten, what
 * the servers say of each other is asked for again and again, and a server that failed is passed over for a moment only:
 * nothing that comes back stays lost.
 */
import { clientDefinition } from '../proto/load';
import { type GetServersResponse } from '../proto/log-v1';
import { type ClientEnvironment, type ServerConnection } from './environment';
import { ClientReason, closedError, LedgerError } from './errors';
import { type ServerView } from './types';

/** Milliseconds. A server that fails is passed over for this long, doubled with each failure up to the longest. */
const SHORTEST_AVOIDANCE = 100;
const LONGEST_AVOIDANCE = 2_000;
/** So many failures in a row, and only an answer to the question who is there makes it an equal again. */
const FAILURES_BEFORE_PROOF = 5;
const AVOIDANCE_WITHOUT_PROOF = 60_000;
/** Milliseconds between two questions that an answer's naming another leader gives rise to. */
const HINT_INTERVAL = 100;
/** Milliseconds that a server has to say who is in the cluster. */
const ASK_TIMEOUT = 1_000;
/** Most servers that are believed in at once; a cluster is far smaller. */
const MAX_SERVERS = 64;

const GET_SERVERS = clientDefinition('log.v1.Log').GetServers;

interface Entry {
  readonly connection: ServerConnection;
  /** Given by the caller: never dropped. */
  readonly seed: boolean;
  /** What the cluster says of it; undefined where the cluster does not name this address. */
  listed: ServerView | undefined;
  failures: number;
  avoidUntil: number;
}

export interface DirectoryOptions {
  readonly addresses: readonly string[];
  /** Milliseconds between two questions who is there. */
  readonly refreshIntervalMs: number;
  readonly environment: ClientEnvironment;
  /** It has been heard who is there and who leads. */
  readonly onNews: () => void;
}

export class Directory {
  private readonly entries = new Map<string, Entry>();
  private readonly stopAsking: () => void;
  private refreshing: Promise<void> | undefined;
  private turn = 0;
  private closed = false;
  private leaderAddress: string | undefined;
  private heardAt = -Infinity;

  constructor(private readonly options: DirectoryOptions) {
    for (const address of options.addresses) this.add(address, true);
    this.stopAsking = options.environment.timers.everyInPassing(options.refreshIntervalMs, () => {
      // Whoever needs an answer asks for itself and hears of the failure; this only keeps the picture fresh.
      this.refresh().catch(() => undefined);
    });
  }

  /** The servers that the cluster names. */
  servers(): ServerView[] {
    return [...this.entries.values()].flatMap((entry) => (entry.listed ? [entry.listed] : []));
  }

  /** Every server to talk to: those that the cluster names or, as long as it names none, those that the caller gave. */
  connections(): ServerConnection[] {
    const entries = [...this.entries.values()];
    const listed = entries.filter((entry) => entry.listed);
    return (listed.length > 0 ? listed : entries).map((entry) => entry.connection);
  }

  /** The server of this name or address, else the first one that the caller gave; undefined where nobody is known by it. */
  connectionTo(name: string): ServerConnection | undefined {
    const entries = [...this.entries.values()];
    const found = entries.find(({ listed, connection }) =>
      name === ''
        ? connection.address === this.options.addresses[0]
        : listed?.id === name || connection.address === name,
    );
    return found?.connection;
  }

  /** Where a write goes: the leader, else anyone who would pass it on to the leader. */
  forWrite(): ServerConnection {
    return this.leader() ?? this.pick((entry) => entry.listed !== undefined);
  }

  /** Where a read goes: the followers in turn, the leader where there is no follower that answers. */
  forRead(): ServerConnection {
    return this.pick((entry) => entry.listed !== undefined && entry.connection.address !== this.leaderAddress);
  }

  /** The leader's connection, where one is known and has not just failed. */
  leader(): ServerConnection | undefined {
    const leader = this.leaderAddress === undefined ? undefined : this.entries.get(this.leaderAddress);
    return leader && this.isFit(leader) ? leader.connection : undefined;
  }

  /** The connection did not do what was asked: others come first for a moment. */
  failed(connection: ServerConnection): void {
    const entry = this.entries.get(connection.address);
    if (entry?.connection !== connection) return;
    entry.failures += 1;
    const doubled = Math.min(LONGEST_AVOIDANCE, SHORTEST_AVOIDANCE * 2 ** Math.min(entry.failures - 1, 8));
    const pause = entry.failures < FAILURES_BEFORE_PROOF ? doubled : AVOIDANCE_WITHOUT_PROOF;
    entry.avoidUntil = this.options.environment.now() + pause;
  }

  answered(connection: ServerConnection): void {
    const entry = this.entries.get(connection.address);
    if (!entry || entry.failures === 0) return;
    entry.failures = 0;
    entry.avoidUntil = 0;
  }

  /** Asks who is there now. One question at a time: who asks while one is under way shares its answer. */
  refresh(): Promise<void> {
    if (this.closed) return Promise.reject(closedError());
    this.refreshing ??= this.ask().finally(() => {
      this.refreshing = undefined;
    });
    return this.refreshing;
  }

  close(): void {
    this.closed = true;
    this.stopAsking();
    for (const entry of this.entries.values()) entry.connection.close();
    this.entries.clear();
  }

  private add(address: string, seed: boolean): Entry {
    const connection = this.options.environment.connect(address, {
      leaderNamed: (name) => this.heardOfLeader(name),
    });
    const entry: Entry = { connection, seed, listed: undefined, failures: 0, avoidUntil: 0 };
    this.entries.set(address, entry);
    return entry;
  }

  private isFit(entry: Entry): boolean {
    return entry.avoidUntil <= this.options.environment.now();
  }

  /** The preferred in turn; else the others that the cluster names, else the given ones, else whoever rested longest. */
  private pick(preferred: (entry: Entry) => boolean): ServerConnection {
    const fit = [...this.entries.values()].filter((entry) => this.isFit(entry));
    const ranks = [preferred, (entry: Entry) => entry.listed !== undefined, () => true];
    for (const rank of ranks) {
      const candidates = fit.filter(rank);
      if (candidates.length > 0) return candidates[this.turn++ % candidates.length]!.connection;
    }
    const rested = [...this.entries.values()].sort((a, b) => a.avoidUntil - b.avoidUntil)[0];
    if (!rested) throw closedError();
    return rested.connection;
  }

  private heardOfLeader(name: string): void {
    const known = this.servers().find((server) => server.isLeader)?.id;
    if (known === name || known === encodeURIComponent(name) || this.closed) return;
    if (this.options.environment.now() - this.heardAt < HINT_INTERVAL) return;
    // A hint, not news to act on: the question that follows tells where that node is.
    this.refresh().catch(() => undefined);
  }

  private async ask(): Promise<void> {
    const asked = [...this.entries.values()].map((entry) => this.askOne(entry));
    const answer = await bestAnswer(asked, (servers) => this.namesFitLeader(servers));
    if (!this.closed) this.learn(answer);
  }

  private async askOne(entry: Entry): Promise<ServerView[]> {
    try {
      const response: GetServersResponse = await entry.connection.unary(GET_SERVERS, {}, ASK_TIMEOUT);
      this.answered(entry.connection);
      return response.servers.slice(0, MAX_SERVERS).map((server) => ({
        id: server.id,
        address: server.rpc_addr,
        isLeader: server.is_leader,
      }));
    } catch (error) {
      this.failed(entry.connection);
      throw error;
    }
  }

  /** A leader that this client has just failed to reach is what a server says that has not noticed yet. */
  private namesFitLeader(servers: readonly ServerView[]): boolean {
    const leader = servers.find((server) => server.isLeader);
    if (!leader) return false;
    const entry = this.entries.get(leader.address);
    return entry === undefined || this.isFit(entry);
  }

  private learn(servers: readonly ServerView[]): void {
    for (const entry of this.entries.values()) entry.listed = undefined;
    for (const server of servers) {
      const entry = this.entries.get(server.address) ?? this.add(server.address, false);
      entry.listed = server;
    }
    for (const [address, entry] of this.entries) {
      if (entry.seed || entry.listed) continue;
      entry.connection.close();
      this.entries.delete(address);
    }
    this.leaderAddress = servers.find((server) => server.isLeader)?.address ?? this.leaderAddress;
    this.heardAt = this.options.environment.now();
    this.options.onNews();
  }
}

/** The first answer that is good, else the first that names anyone; rejects where nobody answered. */
async function bestAnswer(
  asked: readonly Promise<ServerView[]>[],
  isGood: (servers: ServerView[]) => boolean,
): Promise<ServerView[]> {
  const only = (wanted: (servers: ServerView[]) => boolean): Promise<ServerView[]> =>
    Promise.any(
      asked.map(async (one) => {
        const servers = await one;
        if (wanted(servers)) return servers;
        throw new Error('This answer names no server that could be asked.');
      }),
    );
  const good = only(isGood);
  const any = only((servers) => servers.length > 0);
  // `any` may settle long before it is looked at.
  any.catch(() => undefined);
  try {
    return await good;
  } catch {
    // No answer names a leader that can be reached: the cluster is electing one. Who is there is still worth knowing.
    return any.catch((error: unknown) => {
      throw noCluster(error);
    });
  }
}

function noCluster(error: unknown): LedgerError {
  const reasons = error instanceof AggregateError ? error.errors.map(messageOf) : [messageOf(error)];
  const message = `No server of the cluster answered. ${reasons.join(' ')}`;
  return new LedgerError('UNAVAILABLE', ClientReason.NO_CLUSTER, message, { cause: error });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
