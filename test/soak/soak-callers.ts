import { LedgerClient, LedgerError } from '../../src/client';
import type { SeededRandom } from '../support/seeded-random';
import type { Acknowledged } from './acknowledged';
import { cents, Epoch } from './epoch';
import type { Findings } from './findings';

const LEDGER = 'SOAK';
const WALLETS = 7;
const EPOCH_MILLIS = 4_000;
const PAUSE_MILLIS = 25;
/** Milliseconds that a call goes on trying; what is not answered then is asked again under the same id. */
const CALL_MILLIS = 20_000;
/** Milliseconds after which a cluster that is never whole for long enough is a finding. */
const MOST_MILLIS = 300_000;
const MOST_AMOUNT = 400;

const AGAIN: ReadonlySet<string> = new Set(['UNAVAILABLE', 'DEADLINE_EXCEEDED']);

/** Programs that move money and look at it, one call after the other each, all over the real client. */
export class SoakCallers {
  private epoch = new Epoch(0, WALLETS);
  private readonly unsettled = new Set<Epoch>();
  private moments = 0;
  private stopped = false;
  private callers: Promise<void>[] = [];
  private rotation: Promise<void> = Promise.resolve();
  reads = 0;
  checkedOperations = 0;
  undecidedAccounts = 0;
  /** Calls that had no answer in their time. */
  unanswered = 0;

  private constructor(
    private readonly clients: readonly LedgerClient[],
    private readonly acknowledged: Acknowledged,
    private readonly findings: Findings,
    private readonly random: SeededRandom,
  ) {}

  static async start(
    addresses: readonly string[],
    options: { callers: number; acknowledged: Acknowledged; findings: Findings; random: SeededRandom },
  ): Promise<SoakCallers> {
    const { acknowledged, findings, random } = options;
    const clients = await Promise.all([1, 2, 3].map(() => LedgerClient.connect({ addresses, timeoutMs: CALL_MILLIS })));
    const callers = new SoakCallers(clients, acknowledged, findings, random);
    await clients[0]!.createLedgers([{ code: LEDGER, scale: 2 }]);
    await callers.open(callers.epoch);
    callers.callers = Array.from({ length: options.callers }, (_, at) => callers.work(clients[at % clients.length]!));
    callers.rotation = callers.rotate();
    return callers;
  }

  /** Ends when everything under way is answered and every epoch is checked. */
  async stop(): Promise<void> {
    this.stopped = true;
    await Promise.all(this.callers);
    await this.rotation;
    this.epoch.close();
    this.unsettled.add(this.epoch);
    await this.checkSettled();
    for (const { number } of this.unsettled) this.findings.add('harness', `epoch ${number} did not settle`);
    await Promise.all(this.clients.map((client) => client.close()));
  }

  private async open(epoch: Epoch): Promise<void> {
    const accounts = [
      { name: epoch.bank, ledger: LEDGER, minBalance: null },
      ...epoch.wallets.map((name) => ({ name, ledger: LEDGER })),
    ];
    const opened = await this.untilAnswered(() => this.clients[0]!.openAccounts(accounts));
    const refused = opened.find(({ result }) => result !== 'ok');
    if (refused) this.findings.add('accounts', `an account of epoch ${epoch.number} was not opened: ${refused.result}`);
  }

  private async rotate(): Promise<void> {
    while (!this.stopped) {
      const until = performance.now() + EPOCH_MILLIS;
      while (!this.stopped && performance.now() < until) await pause(50);
      if (this.stopped) return;
      const next = new Epoch(this.epoch.number + 1, WALLETS);
      await this.open(next);
      this.epoch.close();
      this.unsettled.add(this.epoch);
      this.epoch = next;
      await this.checkSettled();
    }
  }

  private async checkSettled(): Promise<void> {
    for (const epoch of this.unsettled) {
      if (!epoch.isSettled) continue;
      this.unsettled.delete(epoch);
      await this.checkBalances(epoch);
      this.undecidedAccounts += epoch.check(this.findings);
      this.checkedOperations += epoch.operations;
    }
  }

  /** One state, in which this epoch is over. */
  private async checkBalances(epoch: Epoch): Promise<void> {
    const { balances } = await this.untilAnswered(() => this.clients[0]!.balances(epoch.accounts));
    let sum = 0n;
    for (const { account, posted } of balances) {
      sum += cents(posted);
      const expected = epoch.expectedBalance(account);
      if (cents(posted) !== expected) {
        this.findings.add('balance', `${account} has ${posted}; its transfers come to ${expected} cents`);
      }
    }
    if (sum !== 0n) this.findings.add('money', `the balances of epoch ${epoch.number} sum to ${sum} cents`);
  }

  private async work(client: LedgerClient): Promise<void> {
    while (!this.stopped) {
      await pause(this.random.below(PAUSE_MILLIS));
      const { epoch } = this;
      epoch.begin();
      try {
        if (this.random.chance(0.6)) await this.transfer(client, epoch);
        else await this.read(client, epoch);
      } catch (error) {
        this.findings.add('a call failed', describe(error));
        await pause(1_000);
      } finally {
        epoch.end();
      }
    }
  }

  private async transfer(client: LedgerClient, epoch: Epoch): Promise<void> {
    const { accounts } = epoch;
    const at = this.random.below(accounts.length);
    const debit = accounts[at]!;
    const credit = accounts[(at + 1 + this.random.below(accounts.length - 1)) % accounts.length]!;
    const amount = BigInt(1 + this.random.below(MOST_AMOUNT));
    const id = this.acknowledged.newId();
    const called = this.moment();
    const text = `${amount / 100n}.${String(amount % 100n).padStart(2, '0')}`;
    const outcome = await this.untilAnswered(() =>
      client.transfer({ id, debitAccount: debit, creditAccount: credit, amount: text }),
    );
    const { result, offset } = outcome;
    if (result !== 'ok' && result !== 'insufficient_funds') this.findings.add('refused', `${id}: ${result}`);
    this.acknowledged.tell(id, result, offset);
    epoch.transferred({ debit, credit, amount, called, answered: this.moment(), result, offset });
  }

  private async read(client: LedgerClient, epoch: Epoch): Promise<void> {
    const account = epoch.accounts[this.random.below(epoch.accounts.length)]!;
    const called = this.moment();
    const { posted } = await this.untilAnswered(() => client.balance(account));
    epoch.read(account, cents(posted), called, this.moment());
    this.reads += 1;
  }

  /** Asks again as long as there is no answer: what is asked has an id, or changes nothing, or is the same the second time. */
  private async untilAnswered<T>(call: () => Promise<T>): Promise<T> {
    const deadline = performance.now() + MOST_MILLIS;
    for (;;) {
      try {
        return await call();
      } catch (error) {
        const again = error instanceof LedgerError && AGAIN.has(error.code) && performance.now() < deadline;
        if (!again) throw error;
        this.unanswered += 1;
      }
    }
  }

  private moment(): number {
    this.moments += 1;
    return this.moments;
  }
}

function describe(error: unknown): string {
  return error instanceof LedgerError ? `${error.code} ${error.reason}: ${error.message}` : String(error);
}

function pause(millis: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, millis));
}
