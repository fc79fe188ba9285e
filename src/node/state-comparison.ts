/**
 * Nodes compare the checks of their states (GroupHistory) with each other. What a majority of the voters has is right; a node that
 * has something else is shut off, since a bit that flipped in its memory, or a fault of its program, has made it wrong.
 */
import type { NodeId } from '../raft/core';
import type { EventLog } from '../raft/replica/environment';
import type { Replica } from '../raft/replica/replica';
import { CallError } from '../raft/transport';
import type { StateCheck } from './group-history';
import { decodeJson, encodeJson, PEER_CALLS, PeerBodyError } from './peer-calls';

export interface StateComparisonOptions {
  readonly replica: Pick<Replica, 'status'>;
  readonly checks: () => readonly StateCheck[];
  readonly call: (to: NodeId, method: number, body: Buffer) => Promise<Buffer>;
  readonly nameOf: (id: NodeId) => string;
  readonly events: EventLog;
  /** This node differs from a majority; one sentence says where. */
  readonly diverged: (why: string) => void;
}

/** Index → hexadecimal digest. */
type Checks = ReadonlyMap<number, string>;

const DIGEST = /^[0-9a-f]{64}$/;
/** More than any correct peer keeps. */
const MOST_CHECKS = 1024;

export class StateComparison {
  private busy = false;
  /** Everything up to here agrees with a majority, or was said not to. */
  private settled = 0;
  /** Places where it was said that nodes differ. */
  private readonly said = new Set<string>();

  constructor(private readonly options: StateComparisonOptions) {}

  /** Index of the newest check that was compared; 0: none. */
  get comparedIndex(): number {
    return this.settled;
  }

  /** Serves PEER_CALLS.checks: what this node's state was. */
  serve(): Buffer {
    return encodeJson({ checks: this.options.checks().map(({ index, digest }) => [index, digest.toString('hex')]) });
  }

  /** To be called now and then. Never rejects. */
  async step(): Promise<void> {
    const own = this.options.checks();
    if (this.busy || (own.at(-1)?.index ?? 0) <= this.settled) return;
    this.busy = true;
    try {
      await this.compare(new Map(own.map(({ index, digest }) => [index, digest.toString('hex')])));
    } catch (error) {
      this.options.events.error({ err: error }, 'the state was not compared with that of the peers; trying again');
    } finally {
      this.busy = false;
    }
  }

  private async compare(own: Checks): Promise<void> {
    const { id, configuration } = this.options.replica.status();
    const { voters } = configuration;
    const others = voters.filter((voter) => voter !== id);
    if (others.length === 0) return;
    const answers = await Promise.all(others.map(async (voter) => [voter, await this.ask(voter)] as const));
    const told = new Map<NodeId, Checks>(answers.flatMap(([voter, checks]) => (checks ? [[voter, checks]] : [])));
    if (voters.includes(id)) told.set(id, own);
    for (const index of [...own.keys()].sort((a, b) => a - b)) {
      if (index > this.settled && !this.judge(index, own.get(index) as string, told, voters.length)) return;
    }
  }

  /** Undefined for a peer that does not answer, or runs a program that does not know the question. */
  private async ask(voter: NodeId): Promise<Checks | undefined> {
    try {
      return checksIn(await this.options.call(voter, PEER_CALLS.checks, encodeJson({})));
    } catch (error) {
      if (!(error instanceof CallError) && !(error instanceof PeerBodyError)) throw error;
      this.options.events.debug({ peer: voter, err: error }, 'a peer did not give the checks of its state');
      return undefined;
    }
  }

  /** False where too few have answered for this index: it is looked at again. */
  private judge(index: number, own: string, told: ReadonlyMap<NodeId, Checks>, voters: number): boolean {
    const digests = new Map<string, NodeId[]>();
    for (const [voter, checks] of told) {
      const digest = checks.get(index);
      if (digest !== undefined) digests.set(digest, [...(digests.get(digest) ?? []), voter]);
    }
    const majority = Math.floor(voters / 2) + 1;
    const right = [...digests].find(([, of]) => of.length >= majority)?.[0];
    if (right === undefined) {
      const heard = [...digests.values()].flat().length;
      if (digests.size > 1)
        this.say('nobody', index, 'states differ, and no majority of the voters tells which is right');
      if (heard === voters) this.settled = index;
      return heard === voters;
    }
    this.settled = index;
    for (const [digest, of] of digests) {
      if (digest === right) continue;
      for (const voter of of) this.say(voter, index, 'the state of a node is not that of the majority');
    }
    if (own !== right) this.options.diverged(whyOf(index));
    return true;
  }

  /** Once for each node: from the first difference on it differs for ever. */
  private say(who: NodeId, index: number, what: string): void {
    if (this.said.has(who)) return;
    this.said.add(who);
    const { events, nameOf } = this.options;
    events.error({ index, ...(who !== 'nobody' && { differs: nameOf(who) }) }, what);
  }
}

function whyOf(index: number): string {
  return `At entry ${index} the state of this node was not that of the majority: its memory or its program is wrong.`;
}

function checksIn(body: Buffer): Checks {
  const { checks } = decodeJson(body);
  if (!Array.isArray(checks) || checks.length > MOST_CHECKS) throw new PeerBodyError('A peer sent no list of checks.');
  return new Map(checks.map(checkIn));
}

function checkIn(item: unknown): [number, string] {
  const [index, digest] = (Array.isArray(item) ? item : []) as unknown[];
  if (typeof index === 'number' && typeof digest === 'string' && DIGEST.test(digest)) return [index, digest];
  throw new PeerBodyError('A peer sent a check of its state that is none.');
}
