import { LedgerClient } from '../../src/client';
import type { ClientEnvironment } from '../../src/client/environment';
import { LedgerError } from '../../src/client/errors';
import type { TransferOutcome } from '../../src/client/types';
import { resultCodeByName } from '../../src/ledger/result-codes';
import { decodeToken } from '../../src/node/token';
import type { SeededRandom } from '../support/seeded-random';
import type { TransferOperation } from './client-history';
import type { ClientWorld } from './sim-client';
import { drawTransfer } from './draw-transfer';
import { SimConnection, type ConnectionWorld } from './sim-connection';
import { MILLISECOND, type VirtualTime } from './virtual-time';
import { metadataOf } from './metadata';
import { violated } from './violation';

const TIMEOUT_MILLIS = 4_000;
const MOST_AT_ONCE = 12;

/** A program that uses the real client library, many calls at a time. Its library finds leaders, batches and asks again by itself. */
export class LibraryClient {
  private ids = 0;

  private constructor(
    private readonly world: ClientWorld,
    private readonly name: string,
    private readonly random: SeededRandom,
    private readonly client: LedgerClient,
  ) {}

  static async connect(world: ClientWorld, name: string, random: SeededRandom, connections: ConnectionWorld) {
    const environment = environmentIn(connections);
    const addresses = world.nodes.map(({ rpcAddr }) => rpcAddr);
    const client = await LedgerClient.connectIn(environment, {
      addresses,
      timeoutMs: TIMEOUT_MILLIS,
      attemptTimeoutMs: 800,
      refreshIntervalMs: 1_000,
    });
    return new LibraryClient(world, name, random, client);
  }

  /** Works until told to stop; what it has begun then, it brings to an end. */
  async run(stopped: () => boolean): Promise<void> {
    while (!stopped()) {
      await this.world.requests.time.sleep(this.random.below(80 * MILLISECOND));
      const count = 1 + this.random.below(MOST_AT_ONCE);
      const calls = Array.from({ length: count }, () => {
        const dice = this.random.next();
        if (dice < 0.7) return this.transfer();
        return dice < 0.9 ? this.readBalance() : this.readOwnWrite();
      });
      await Promise.all(calls);
    }
    await this.client.close();
  }

  private async transfer(): Promise<void> {
    const { history, accounts, requests, trace, clusterId } = this.world;
    this.ids += 1;
    const operation = drawTransfer(this.random, accounts, history, `${this.name}-${this.ids}`);
    const { id, debit, credit, amount } = operation;
    const rest = { amount: decimal(amount), metadata: metadataOf(id) };
    const answer = await this.answered(
      this.client.transfer({ id, debitAccount: debit, creditAccount: credit, ...rest }),
    );
    // Its library may have sent it: without an answer nothing is known.
    if (!answer) {
      operation.doubtful = true;
      return;
    }
    operation.answered = history.moment();
    operation.outcome = toldBy(answer);
    const position = decodeToken(clusterId, answer.token);
    if (typeof position === 'string') violated('token', `${position}: ${answer.token}`);
    history.acknowledged(requests.time.now, position.index);
    trace.add(this.name, `${id} ${answer.result} at offset ${answer.offset}`);
  }

  /** A linearizable read of one balance, wherever the library asks for it. */
  private async readBalance(): Promise<void> {
    const { history, accounts, requests, trace, clusterId } = this.world;
    const account = accounts[this.random.below(accounts.length)]!;
    const called = history.moment();
    const floor = history.floorAt(requests.time.now);
    const answer = await this.answered(this.client.balance(account));
    if (!answer) return;
    const position = decodeToken(clusterId, answer.position.token);
    if (typeof position === 'string' || position.index < floor) {
      violated('freshness', `a read of ${account} shows ${JSON.stringify(position)}; ${floor} was acknowledged before`);
    }
    const posted = BigInt(answer.posted.replace('.', ''));
    history.read(account, called, posted);
    trace.add(this.name, `read ${account} = ${posted}`);
  }

  /** With what it has seen so far, any node shows what it was told. */
  private async readOwnWrite(): Promise<void> {
    const { transfers } = this.world.history;
    const written = transfers.findLast(
      ({ id, outcome }) => outcome?.offset !== undefined && id.startsWith(`${this.name}-`),
    );
    if (!written?.outcome || written.outcome.offset < 0) return;
    const { offset } = written.outcome;
    const answer = await this.answered(this.client.getTransfer(written.id, { consistency: 'at-least' }));
    if (answer && answer.offset !== offset) {
      violated(
        'read your writes',
        `${written.id} was acknowledged at offset ${offset}, and is shown at ${answer.offset}`,
      );
    }
  }

  /** undefined where the library gave up. */
  private async answered<T>(call: Promise<T>): Promise<T | undefined> {
    try {
      return await call;
    } catch (error) {
      if (!(error instanceof LedgerError) || !GIVEN_UP.has(error.code)) throw error;
      this.world.trace.add(this.name, `gives up: ${error.reason}`);
      return undefined;
    }
  }
}

const GIVEN_UP = new Set(['UNAVAILABLE', 'DEADLINE_EXCEEDED', 'RESOURCE_EXHAUSTED', 'ABORTED']);

function environmentIn(world: ConnectionWorld): ClientEnvironment {
  const { time, random } = world;
  const every = (millis: number, task: () => void): (() => void) => repeat(time, millis, task);
  return {
    now: () => time.now / MILLISECOND,
    random: () => random.next(),
    timers: {
      after: (millis, task) => time.after(millis * MILLISECOND, task),
      every,
      everyInPassing: every,
      soon: (task) => {
        time.after(0, task);
      },
    },
    connect: (address, events) => new SimConnection(address, events, world),
  };
}

function repeat(time: VirtualTime, millis: number, task: () => void): () => void {
  let cancel = (): void => undefined;
  const next = (): void => {
    cancel = time.after(millis * MILLISECOND, () => {
      next();
      task();
    });
  };
  next();
  return () => cancel();
}

function toldBy({ result, offset, timestamp, amountMoved }: TransferOutcome): TransferOperation['outcome'] {
  const code = resultCodeByName(result);
  if (code === undefined) violated('results', `the client was told "${result}", which is no result`);
  return { result: code, offset, timestamp, amountMoved: BigInt(amountMoved.replace('.', '') || 0) };
}

function decimal(minor: bigint): string {
  const digits = minor.toString().padStart(3, '0');
  return `${digits.slice(0, -2)}.${digits.slice(-2)}`;
}
