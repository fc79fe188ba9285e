import { decodeLedgerRecord, LedgerClient } from '../../src/client';
import type { Acknowledged } from './acknowledged';
import type { Findings } from './findings';

/** Milliseconds that the stream may stand still while faults happen. */
const PATIENCE = 120_000;
const LEDGER_RECORD = 1;

/** Reads the whole log as it grows, through all faults: every record once, in order, none left out. */
export class LogFollower {
  private nextOffset = 0;
  private readonly ending = new AbortController();
  private readonly reading: Promise<void>;

  private constructor(
    private readonly client: LedgerClient,
    private readonly acknowledged: Acknowledged,
    private readonly findings: Findings,
  ) {
    this.reading = this.read();
  }

  static async start(
    addresses: readonly string[],
    acknowledged: Acknowledged,
    findings: Findings,
  ): Promise<LogFollower> {
    const client = await LedgerClient.connect({ addresses, timeoutMs: PATIENCE });
    return new LogFollower(client, acknowledged, findings);
  }

  get records(): number {
    return this.nextOffset;
  }

  /** Resolves when everything up to the end of the log, as it is now, has been read. */
  async untilEnd(deadlineMs: number): Promise<void> {
    const { nextOffset } = await this.client.logRange();
    const deadline = performance.now() + deadlineMs;
    while (this.nextOffset < nextOffset && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    if (this.nextOffset < nextOffset)
      this.findings.add('log', `read up to ${this.nextOffset}, and it ends at ${nextOffset}`);
  }

  async stop(): Promise<void> {
    this.ending.abort();
    await this.reading;
    await this.client.close();
  }

  private async read(): Promise<void> {
    try {
      for await (const record of this.client.consumeStream(0, { signal: this.ending.signal })) {
        if (record.offset !== this.nextOffset) {
          this.findings.add('log', `offset ${record.offset} came where ${this.nextOffset} was expected`);
        }
        this.nextOffset = record.offset + 1;
        if (record.type !== LEDGER_RECORD) continue;
        const { command, fields, outcome } = decodeLedgerRecord(record.value);
        const isDone = command === 'transfer' && outcome?.['result'] === 'ok' && outcome['replayed'] !== true;
        if (isDone) this.acknowledged.found(String(fields['id']), record.offset);
      }
    } catch (error) {
      if (!this.ending.signal.aborted) this.findings.add('log', `the stream ended: ${(error as Error).message}`);
    }
  }
}
