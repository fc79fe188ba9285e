import { join } from 'node:path';
import { NodeFiles } from '../../src/log/node-files';
import type { LedgerClient } from '../../src/client';
import type { Finding } from '../../src/offline/finding';
import { verifyDirectory } from '../../src/offline/verify';
import { SeededRandom } from '../support/seeded-random';
import { NODES, until, type DamagedCluster } from './damaged-cluster';
import { damageOneFile, type Damage } from './damage-file';
import type { Template } from './template';

const SETTLE_MILLIS = 90_000;
const HEAD_START_MILLIS = 1_500;
const STALE = { consistency: 'stale' } as const;

/** How the damaged node came out of it. */
export type Outcome = 'whole' | 'new node' | 'ended, then whole' | 'refused';

export interface CaseResult {
  readonly seed: number;
  readonly template: string;
  readonly victim: number;
  readonly damage: Damage;
  readonly outcome: Outcome;
}

/** A broken promise: what was damaged, and what the nodes have logged. */
export class DamageFailure extends Error {
  override readonly name = 'DamageFailure';
}

/**
 * One damage: copies the template, damages one file of one node, starts all nodes, and checks that nothing that was
 * acknowledged is lost, and that the damaged node is whole again or has refused with file and byte.
 * @param only one kind of file
 * @param again the command that repeats this case, for the message of a DamageFailure
 */
export async function runCase(
  templates: readonly Template[],
  seed: number,
  folder: string,
  again: string,
  only?: string,
): Promise<CaseResult> {
  const random = new SeededRandom(seed);
  const template = templates[random.below(templates.length)]!;
  const { kind } = template;
  const cluster = template.cluster.movedTo(join(folder, `case-${seed}`));
  template.cluster.copyTo(cluster.folder);
  // The one that lags has acknowledged the least: damage to it is the least interesting.
  const victim = random.below(kind.lagging ? NODES - 1 : NODES);
  const damage = damageOneFile(cluster.dataDir(victim), random, only);
  const name =
    Object.entries(kind)
      .flatMap(([flag, on]) => (on ? [flag] : []))
      .join(' ') || 'plain';
  const run = new DamageCase(cluster, template, victim);
  try {
    await run.start(random.below(2) === 0);
    const outcome = await run.check();
    return { seed, template: name, victim, damage, outcome };
  } catch (error) {
    throw new DamageFailure(
      `seed ${seed} (${name}): ${damage.file} of node-${victim + 1}, ${damage.what}: ${messageOf(error)}\nAgain: ${again}\n${run.logs()}`,
      { cause: error },
    );
  } finally {
    await cluster.stopAll();
    cluster.remove();
  }
}

class DamageCase {
  private endedOnce = false;

  constructor(
    private readonly cluster: DamagedCluster,
    private readonly template: Template,
    private readonly victim: number,
  ) {}

  /** @param together else the damaged node and the one that lags are alone for a while: they must not go on without the third */
  async start(together: boolean): Promise<void> {
    const { cluster, victim } = this;
    const last = together ? undefined : [0, 1].find((n) => n !== victim);
    for (let n = 0; n < NODES; n++) if (n !== last) void cluster.start(n);
    if (last === undefined) return;
    await new Promise((resolve) => setTimeout(resolve, HEAD_START_MILLIS));
    void cluster.start(last);
  }

  async check(): Promise<Outcome> {
    const { cluster, victim, template } = this;
    const others = Array.from({ length: NODES }, (_, n) => n).filter((n) => n !== victim);
    for (const n of others) await this.expectStarted(n);
    const refusal = await this.refusalOf();
    const serving = refusal === undefined ? [victim, ...others] : others;
    const client = await cluster.client(others);
    try {
      await this.until('a write', async () => (await client.produce('after the damage')) >= 0);
      await this.until('one state on all nodes', () => this.agree(client, serving.length));
      const wanted = template.records.length;
      for (const n of serving) this.compare(n, await cluster.recordsOf(n, 0, wanted));
      await this.askAgain(client, refusal === undefined);
      if (refusal !== undefined) return 'refused';
      const isNew = cluster.members[victim]!.events.all.some(({ message }) => message.includes('as a new'));
      if (isNew) await this.until('the new node to vote', () => votes(client, victim));
      await cluster.stopAll();
      await this.expectSound();
      const [ended] = cluster.fatal;
      if (ended) throw new Error(`node-${ended.n + 1} ended itself: ${messageOf(ended.error)}`);
      if (isNew) return 'new node';
      return this.endedOnce ? 'ended, then whole' : 'whole';
    } finally {
      await client.close();
    }
  }

  /**
   * Every transfer that was made is asked for and sent again: each node looks all of their ids up. Rows of ids are not read
   * before; the damaged node may end itself, with file and byte, and be started again, once.
   */
  private async askAgain(client: LedgerClient, isServing: boolean): Promise<void> {
    const { cluster, victim, template } = this;
    const inputs = template.transfers.map(({ input }) => input);
    if (isServing) {
      const direct = await cluster.client([victim]);
      for (const { id } of inputs)
        await direct.getTransfer(id, STALE).catch((error: unknown) => this.expectDamage(error));
      await direct.close();
    }
    await this.until('answers to the same transfers', async () => {
      const outcomes = await client.transfers(inputs, { timeoutMs: 5_000 });
      for (const [i, { offset, replayed, result }] of outcomes.entries()) {
        if (result === 'ok' && replayed && offset === template.transfers[i]!.offset) continue;
        throw new Error(`Transfer ${inputs[i]!.id} was answered anew: ${result} at offset ${offset}.`);
      }
      return (await this.agree(client, isServing ? NODES : NODES - 1)) && cluster.fatal.length === 0;
    });
  }

  /** Polls, and does what a service manager does meanwhile. */
  private until(what: string, condition: () => Promise<boolean>): Promise<void> {
    return until(what, SETTLE_MILLIS, async () => {
      await this.startAgainWhoEnded();
      return condition();
    });
  }

  private async startAgainWhoEnded(): Promise<void> {
    const { cluster, victim } = this;
    const ended = cluster.fatal.find(({ n }) => n === victim);
    if (!ended || this.endedOnce) return;
    this.endedOnce = true;
    this.expectDamage(ended.error);
    await cluster.stop(victim);
    cluster.fatal.splice(0);
    const failure = await cluster.start(victim);
    if (failure !== undefined) throw new Error(`The damaged node did not start again: ${messageOf(failure)}`);
  }

  private expectDamage(error: unknown): void {
    const message = messageOf(error);
    if (message.includes(join(this.cluster.dataDir(this.victim), 'groups')) && /byte \d+/.test(message)) return;
    throw new Error(`What the damaged node says does not name file and byte: ${message}`);
  }

  logs(): string {
    return this.cluster.members
      .flatMap((member, n) =>
        (member?.events.all ?? [])
          .filter(({ level }) => level !== 'debug')
          .slice(-40)
          .map(({ level, message, fields }) => `  node-${n + 1} ${level} ${message} ${fieldsOf(fields)}`),
      )
      .join('\n');
  }

  private async expectStarted(n: number): Promise<void> {
    const failure = await this.cluster.members[n]!.started;
    if (failure !== undefined)
      throw new Error(`node-${n + 1}, which was not damaged, did not start: ${messageOf(failure)}`);
  }

  private async refusalOf(): Promise<unknown> {
    const { cluster, victim } = this;
    const failure = await withDeadline(cluster.members[victim]!.started, SETTLE_MILLIS);
    if (failure === undefined) return undefined;
    const message = messageOf(failure);
    if (!message.includes(cluster.dataDir(victim)) || !/from byte \d+ on|byte \d+/.test(message)) {
      throw new Error(`The damaged node did not start, and did not name file and byte: ${message}`);
    }
    return failure;
  }

  private async agree(client: LedgerClient, count: number): Promise<boolean> {
    const answers = await client.status({ stateHash: true });
    const groups = answers.flatMap(({ status }) => status?.groups[0] ?? []);
    const states = new Set(groups.map(({ appliedIndex, stateHash }) => `${appliedIndex} ${stateHash}`));
    return groups.length === count && states.size === 1;
  }

  private compare(n: number, { from, values }: Awaited<ReturnType<DamagedCluster['recordsOf']>>): void {
    const { records, kind } = this.template;
    if (from > 0 && !kind.trimmed) throw new Error(`node-${n + 1} gives no record before offset ${from}.`);
    const at = records.findIndex((record, offset) => offset >= from && !values[offset - from]?.equals(record));
    if (at >= 0) throw new Error(`node-${n + 1} gives another record at offset ${at} than was acknowledged.`);
  }

  /** What the offline check says of the directory of a node that says that it is whole. */
  private async expectSound(): Promise<void> {
    const damage: Finding[] = [];
    await verifyDirectory({
      dataDir: this.cluster.dataDir(this.victim),
      files: new NodeFiles(),
      onFinding: (finding) => {
        if (finding.kind === 'damage') damage.push(finding);
      },
      onProgress: () => undefined,
    });
    const [first] = damage;
    if (first)
      throw new Error(`The node is damaged still: ${first.file} from byte ${first.position} on: ${first.what}`);
  }
}

async function votes(client: LedgerClient, n: number): Promise<boolean> {
  const members = await client.members();
  return members.some(({ name, suffrage }) => name === `node-${n + 1}` && suffrage === 'voter');
}

function withDeadline<T>(promise: Promise<T>, millis: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`The damaged node neither started nor ended in ${millis} ms.`)),
      millis,
    );
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message} (${messageOf(error.cause)})`;
}

function fieldsOf(fields: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(fields, (_key, value: unknown) => (value instanceof Error ? value.message : value)).slice(
    0,
    300,
  );
}
