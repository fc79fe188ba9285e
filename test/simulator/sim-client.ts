import type { Committed } from '../../src/api/node-port';
import { encodeCommand, type Command } from '../../src/ledger/command-codec';
import { normaliseId } from '../../src/ledger/identifiers';
import { decodeOutcomeRow, OUTCOME_ROW_BYTES } from '../../src/ledger/outcome-row';
import { ResultCode, resultName } from '../../src/ledger/result-codes';
import { encodeValues } from '../../src/log/chunk';
import { ReadBarrier } from '../../src/node/read-barrier';
import { encodeToken } from '../../src/node/token';
import { nodeErrorOf } from '../../src/node/write-path';
import { EntryKind } from '../../src/raft/core';
import { ReplicaError } from '../../src/raft/replica/errors';
import type { SeededRandom } from '../support/seeded-random';
import type { ClientHistory, TransferOperation } from './client-history';
import { drawTransfer } from './draw-transfer';
import { metadataOf } from './metadata';
import type { Requests } from './requests';
import type { Running, SimNode } from './sim-node';
import type { Trace } from './trace';
import { MILLISECOND } from './virtual-time';
import { violated } from './violation';

const LEDGER_RECORD = 1;
const ATTEMPT_MILLIS = 1_500;
const MOST_ATTEMPTS = 20;
const IMPATIENCE = 0.15;
const NOTHING = Buffer.alloc(0);

export interface ClientWorld {
  readonly clusterId: string;
  readonly nodes: readonly SimNode[];
  readonly requests: Requests;
  readonly history: ClientHistory;
  readonly trace: Trace;
  /** Names of accounts that are open. */
  readonly accounts: string[];
}

/** A program that moves money: one request after the other, each at any node, the same id again where it has no answer. */
export class SimClient {
  private ids = 0;
  private token = '';
  private written: TransferOperation | undefined;

  constructor(
    private readonly world: ClientWorld,
    readonly name: string,
    private readonly random: SeededRandom,
    /** How likely it is, after some attempts, that it gives up behind the next; 0 where nothing is broken and it has no reason. */
    private readonly impatience = IMPATIENCE,
  ) {}

  /** Works until told to stop; what it has begun then, it brings to an end. */
  async run(stopped: () => boolean): Promise<void> {
    while (!stopped()) {
      await this.world.requests.time.sleep(this.random.below(60 * MILLISECOND));
      const dice = this.random.next();
      if (dice < 0.4) await this.transfer(1);
      else if (dice < 0.5) await this.transfer(2 + this.random.below(20));
      else if (dice < 0.55) await this.openAccount(`${this.name}-${(this.ids += 1)}`, 0n, 5_000n);
      else if (dice < 0.6) await this.repeat();
      else if (dice < 0.85) await this.readBalance();
      else if (dice < 0.9) await this.readAroundWrite();
      else if (dice < 0.95) await this.readOwnWrite();
      else await this.readStale(1 + this.random.below(2_000));
    }
  }

  /** Moves money between random accounts, several times in one batch; resolves when the batch is answered or given up. */
  async transfer(count: number): Promise<boolean> {
    const operations = Array.from({ length: count }, () => this.drawTransfer());
    return this.submit(operations);
  }

  /**
   * Minor units.
   * @param shared whether any client may move its money; else its history is somebody else's
   */
  async openAccount(name: string, min: bigint | undefined, max: bigint | undefined, shared = true): Promise<boolean> {
    const limit = (value: bigint | undefined) =>
      value === undefined ? ({ kind: 'none' } as const) : ({ kind: 'given', text: decimal(value) } as const);
    const [low, high] = [limit(min), limit(max)];
    const command: Command = {
      kind: 'open_account',
      name,
      ledger: 'USD',
      min: low,
      max: high,
      userData: 0n,
      metadata: NOTHING,
    };
    const answer = await this.write([command], () => undefined);
    if (!answer) return false;
    const { result } = decodeOutcomeRow(answer.outcomes);
    if (result !== ResultCode.OK) violated('opening', `account ${name} was refused: ${resultName(result)}`);
    if (!shared) {
      this.world.history.apart.add(name);
      return true;
    }
    this.world.history.accountOpened(name);
    this.world.accounts.push(name);
    return true;
  }

  /** A linearizable read of one balance at a node that may be the leader. */
  async readBalance(node = this.likelyNode()): Promise<boolean> {
    const { history, requests, accounts } = this.world;
    const account = accounts[this.random.below(accounts.length)]!;
    const called = history.moment();
    const floor = history.floorAt(requests.time.now);
    const attempt = await requests.attempt(node, ATTEMPT_MILLIS, async (running) => {
      await this.barrier(running).wait({ level: 'LINEARIZABLE' }, ATTEMPT_MILLIS);
      this.expectAtLeast(node, running, floor, 'a linearizable read');
      return balanceOf(running, account);
    });
    if (attempt.kind !== 'answer') return false;
    history.read(account, called, attempt.value);
    this.world.trace.add(this.name, `read ${account} = ${attempt.value} at ${node.name}`);
    return true;
  }

  /** A read that is asked for while another one is under way at the same node must not share what that one is told. */
  private async readAroundWrite(): Promise<void> {
    const node = this.random.chance(0.5) ? this.likelyNode() : this.anyNode();
    const first = this.readBalance(node);
    await this.transfer(1);
    if (this.random.chance(0.5)) await this.readBalance(node);
    await first;
    await this.readStale(1 + this.random.below(40), node);
  }

  private drawTransfer(): TransferOperation {
    const { accounts, history } = this.world;
    this.ids += 1;
    return drawTransfer(this.random, accounts, history, `${this.name}-${this.ids}`);
  }

  private async submit(operations: readonly TransferOperation[]): Promise<boolean> {
    const answer = await this.write(operations.map(command), () => {
      for (const operation of operations) operation.doubtful = true;
    });
    if (!answer) return false;
    this.answered(operations, answer.outcomes);
    this.written = operations.at(-1);
    return true;
  }

  private answered(operations: readonly TransferOperation[], outcomes: Buffer): void {
    const answered = this.world.history.moment();
    for (const [i, operation] of operations.entries()) {
      operation.outcome = decodeOutcomeRow(outcomes, i * OUTCOME_ROW_BYTES);
      operation.answered = answered;
    }
  }

  /** Asks again for what was acknowledged long ago, as a client that crashed: the first answer has to come. */
  private async repeat(): Promise<void> {
    const { transfers } = this.world.history;
    const old = transfers[this.random.below(transfers.length)];
    if (!old?.outcome) return;
    const answer = await this.write([command(old)], () => undefined);
    if (!answer) return;
    const { result, offset, replayed } = decodeOutcomeRow(answer.outcomes);
    if (replayed && result === old.outcome.result && offset === old.outcome.offset) return;
    violated('idempotency', `${old.id} was ${resultName(old.outcome.result)}, and again is ${resultName(result)}`);
  }

  /**
   * Some transfers in one batch, proposed by this node if it leads, with nobody on the way who would ask again: what it says
   * of them is what its replica says. @returns whether it was answered
   */
  async propose(node: SimNode, count: number, timeoutMs: number): Promise<boolean> {
    const operations = Array.from({ length: count }, () => this.drawTransfer());
    const chunk = encodeValues(LEDGER_RECORD, operations.map(command).map(encodeCommand));
    const { requests, trace, history } = this.world;
    const attempt = await requests.attempt(node, timeoutMs + 50, ({ replica }) =>
      replica.submit(EntryKind.records, chunk, count, timeoutMs).catch((error: unknown) => {
        throw error instanceof ReplicaError ? nodeErrorOf(error) : error;
      }),
    );
    if (attempt.kind === 'unknown') for (const operation of operations) operation.doubtful = true;
    if (attempt.kind !== 'answer') {
      trace.add(this.name, `proposal ${attempt.kind === 'unknown' ? 'in doubt' : attempt.reason} at ${node.name}`);
      return false;
    }
    history.acknowledged(requests.time.now, attempt.value.index);
    this.answered(operations, attempt.value.outcomes);
    return true;
  }

  /** Tries one node after the other, with the same bytes, until there is an answer. */
  async write(commands: readonly Command[], inDoubt: () => void): Promise<Committed | undefined> {
    const { requests, trace, history, clusterId } = this.world;
    const chunk = encodeValues(LEDGER_RECORD, commands.map(encodeCommand));
    const request = { type: 1, kind: 'records', chunk, count: commands.length, subject: '' } as const;
    for (let attempts = 0; attempts < MOST_ATTEMPTS; attempts += 1) {
      const node = this.likelyNode();
      const timeout = this.random.chance(0.7) ? 20 + this.random.below(200) : this.random.below(ATTEMPT_MILLIS);
      const attempt = await requests.attempt(node, timeout + 50, ({ writes }) => writes.submit(request, timeout));
      if (attempt.kind === 'answer') {
        const { index, term } = attempt.value;
        trace.add(this.name, `${commands.length} written at ${index}.${term} through ${node.name}`);
        history.acknowledged(requests.time.now, index);
        this.token = encodeToken(clusterId, { group: 0, index });
        return attempt.value;
      }
      if (attempt.kind === 'unknown') inDoubt();
      trace.add(this.name, `write ${attempt.kind === 'unknown' ? 'in doubt' : attempt.reason} at ${node.name}`);
      await requests.time.sleep(this.random.below(100 * MILLISECOND));
      if (attempts >= 3 && this.random.chance(this.impatience)) return undefined;
    }
    return undefined;
  }

  /** Read your writes: with the token of a write, any node shows it. */
  private async readOwnWrite(): Promise<void> {
    const { written, token } = this;
    if (!written) return;
    const node = this.anyNode();
    await this.world.requests.attempt(node, ATTEMPT_MILLIS, async (running) => {
      await this.barrier(running).wait({ level: 'AT_LEAST', token }, ATTEMPT_MILLIS);
      const found = running.storage.machine.reader.transferById(normaliseId(written.id)!);
      if (!found) violated('read your writes', `${node.name} does not show ${written.id}`);
    });
  }

  /** A bound counts from the call: whoever had to ask the leader first is as new as the call. */
  private async readStale(maxStalenessMs: number, node = this.anyNode()): Promise<void> {
    const { requests, history } = this.world;
    const floor = history.floorAt(requests.time.now - maxStalenessMs * MILLISECOND - 1);
    await requests.attempt(node, ATTEMPT_MILLIS, async (running) => {
      await this.barrier(running).wait({ level: 'STALE', maxStalenessMs }, ATTEMPT_MILLIS);
      this.expectAtLeast(node, running, floor, `a read that may be ${maxStalenessMs} ms old`);
    });
  }

  private expectAtLeast(node: SimNode, { replica }: Running, floor: number, what: string): void {
    if (replica.appliedIndex >= floor) return;
    violated(
      'freshness',
      `${what} at ${node.name} shows index ${replica.appliedIndex}; ${floor} was acknowledged before`,
    );
  }

  private barrier({ replica }: Running): ReadBarrier {
    return new ReadBarrier(replica, 0, () => this.world.clusterId);
  }

  private anyNode(): SimNode {
    return this.pick(this.world.nodes)!;
  }

  /** Often a node that takes itself for the leader, so that one that was cut off is asked for what it must not do. */
  private likelyNode(): SimNode {
    const leaders = this.world.nodes.filter(({ running }) => running?.replica.isLeader);
    return (this.random.chance(0.6) ? this.pick(leaders) : undefined) ?? this.anyNode();
  }

  private pick(nodes: readonly SimNode[]): SimNode | undefined {
    return nodes[this.random.below(nodes.length)];
  }
}

function balanceOf({ storage }: Running, account: string): bigint {
  const { reader } = storage.machine;
  const found = reader.account(account);
  return (found && reader.balance(found.handle)?.posted) ?? 0n;
}

function command({ id, debit, credit, amount }: TransferOperation): Command {
  return {
    kind: 'transfer',
    id: normaliseId(id)!,
    debit: { name: debit },
    credit: { name: credit },
    amount: { minor: amount },
    ledger: '',
    code: 0,
    userData: 0n,
    metadata: metadataOf(id),
    flags: 0,
  };
}

function decimal(minor: bigint): string {
  const digits = minor.toString().padStart(3, '0');
  return `${digits.slice(0, -2)}.${digits.slice(-2)}`;
}
