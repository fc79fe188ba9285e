import { LedgerClient, type LedgerError } from '../../client';

const LEDGER = 'BENCH';
const PAYER = 'bench:payer';
const PAYEE = 'bench:payee';

/** When writes were acknowledged, on the clock of `performance.now()`. */
export interface Silence {
  readonly from: number;
  readonly to: number;
}

/**
 * So many callers of one client, each with one transfer under way, without a pause: what a program notices of a fault is
 * how long none of them is answered.
 */
export class SteadyWriter {
  private stopped = false;
  private failure: Error | undefined;
  private lastAnswer = performance.now();
  private longest: Silence = { from: 0, to: 0 };
  private watching = false;
  private answers = 0;
  private readonly callers: Promise<void>[];

  private constructor(
    private readonly client: LedgerClient,
    callers: number,
  ) {
    this.callers = Array.from({ length: callers }, () => this.write());
  }

  /** @param timeoutMs how long a transfer may take before the measurement counts as failed */
  static async start(addresses: readonly string[], callers: number, timeoutMs: number): Promise<SteadyWriter> {
    const client = await LedgerClient.connect({ addresses, timeoutMs });
    await client.createLedgers([{ code: LEDGER, scale: 2, defaultMinBalance: null }]);
    await client.openAccounts([PAYER, PAYEE].map((name) => ({ name, ledger: LEDGER })));
    return new SteadyWriter(client, callers);
  }

  /** Transfers that were acknowledged. */
  get acknowledged(): number {
    return this.answers;
  }

  /** From now on the longest silence is looked for. */
  beginWatch(): void {
    this.watching = true;
    this.longest = { from: this.lastAnswer, to: this.lastAnswer };
  }

  /** The longest time between two answers since `beginWatch`; one that began before it counts whole. */
  endWatch(): Silence {
    this.watching = false;
    return this.longest;
  }

  /** Resolves when another `count` transfers have been acknowledged; rejects with what ended the writing. */
  async untilAcknowledged(count: number, timeoutMs: number): Promise<void> {
    const enough = this.answers + count;
    const deadline = performance.now() + timeoutMs;
    while (this.answers < enough) {
      if (this.failure) throw this.failure;
      if (performance.now() > deadline) {
        throw new Error(
          `Of ${count} transfers only ${count - enough + this.answers} were done within ${timeoutMs} ms.`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** Ends when what is under way is answered. */
  async stop(): Promise<void> {
    this.stopped = true;
    await Promise.all(this.callers);
    await this.client.close();
    if (this.failure) throw this.failure;
  }

  private async write(): Promise<void> {
    while (!this.stopped) {
      try {
        const { result } = await this.client.transfer({
          ...{ debitAccount: PAYER, creditAccount: PAYEE, amount: '0.01', ledger: LEDGER },
        });
        if (result !== 'ok') throw new Error(`A transfer was refused: ${result}.`);
      } catch (error) {
        this.stopped = true;
        this.failure ??= new Error(`The writing ended: ${(error as LedgerError).message}`, { cause: error });
        return;
      }
      this.answered();
    }
  }

  private answered(): void {
    const now = performance.now();
    if (this.watching && now - this.lastAnswer > this.longest.to - this.longest.from) {
      this.longest = { from: this.lastAnswer, to: now };
    }
    this.lastAnswer = now;
    this.answers += 1;
  }
}
