import { randomBytes } from 'node:crypto';
import { type Clock, type EventLog, type Random } from '../../src/discovery/environment';
import { Gossip } from '../../src/discovery/gossip';
import { type GossipMember, type MemberState, type Tags } from '../../src/discovery/member';
import { type GossipIntervals, type GossipOptions } from '../../src/discovery/options';

export const CLUSTER = 'c1'.repeat(16);
export const FOREIGN = 'f0'.repeat(16);

export const clock: Clock = {
  wallMicros: () => Math.floor((performance.timeOrigin + performance.now()) * 1_000),
  monotonicMillis: () => performance.now(),
};

export const random: Random = { next: () => Math.random() };

export interface Line {
  readonly level: 'debug' | 'info' | 'warn';
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
}

export class Lines implements EventLog {
  readonly lines: Line[] = [];

  debug(fields: Line['fields'], message: string): void {
    this.lines.push({ level: 'debug', fields, message });
  }
  info(fields: Line['fields'], message: string): void {
    this.lines.push({ level: 'info', fields, message });
  }
  warn(fields: Line['fields'], message: string): void {
    this.lines.push({ level: 'warn', fields, message });
  }
}

export function tagsOf(name: string, more: Partial<Tags> = {}): Tags {
  return {
    clusterId: CLUSTER,
    nodeId: randomBytes(8).toString('hex'),
    name,
    rpcAddr: '127.0.0.1:8300',
    role: 'member',
    nonVoter: false,
    formatVersion: 1,
    ...more,
  };
}

/** Quicker than the defaults, slow enough for a machine that does other things besides. */
export const INTERVALS: Partial<GossipIntervals> = {
  probeMs: 100,
  resyncMs: 300,
  joinRetryMinMs: 50,
  joinRetryMaxMs: 200,
};

const started: Gossip[] = [];

/** Stops every node that `startNode` started; for afterEach. */
export async function stopAll(): Promise<void> {
  await Promise.all(started.splice(0).map((gossip) => gossip.stop()));
}

export type NodeOptions = Partial<Omit<GossipOptions, 'tags'>> & { readonly tags?: Partial<Tags> };

export async function startNode(name: string, options: NodeOptions = {}): Promise<Gossip> {
  const gossip = await Gossip.start({
    bindAddr: '127.0.0.1:0',
    joinAddrs: [],
    clock,
    random,
    log: new Lines(),
    ...options,
    intervals: { ...INTERVALS, ...options.intervals },
    tags: tagsOf(name, options.tags),
  });
  started.push(gossip);
  return gossip;
}

/** Starts the nodes, each joining by the first, and waits until all see all. */
export async function startCluster(names: readonly string[], options: NodeOptions = {}): Promise<Gossip[]> {
  const nodes: Gossip[] = [];
  for (const name of names) {
    const joinAddrs = nodes[0] ? [nodes[0].gossipAddr] : [];
    nodes.push(await startNode(name, { ...options, joinAddrs }));
  }
  await eventually(
    () => allSee(nodes, 'alive', names),
    `all of ${names.join(', ')} see each other alive`,
    () => overview(nodes),
  );
  return nodes;
}

export function member(gossip: Gossip, name: string): GossipMember | undefined {
  return gossip.members().find((candidate) => candidate.tags.name === name);
}

export function stateOf(gossip: Gossip, name: string): MemberState | undefined {
  return member(gossip, name)?.state;
}

export function allSee(nodes: readonly Gossip[], state: MemberState, names: readonly string[]): boolean {
  return nodes.every((node) => names.every((name) => stateOf(node, name) === state));
}

function overview(nodes: readonly Gossip[]): string {
  return JSON.stringify(nodes.map((node) => node.members().map(({ tags, state }) => `${tags.name} ${state}`)));
}

/** Waits until the condition holds; rejects after the deadline, which is far beyond what it should take. */
export async function eventually(
  condition: () => boolean,
  what: string,
  explain: () => string = () => '',
  deadlineMs = 15_000,
): Promise<void> {
  const deadline = performance.now() + deadlineMs;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`Not within ${deadlineMs} ms: ${what}. ${explain()}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
