import { LedgerClient, LedgerError } from '../../src/client';
import { SeededRandom } from '../support/seeded-random';
import type { Findings } from './findings';

const VALUE_BYTES = 24 << 10;
const PAUSE_MILLIS = 60;
const PATIENCE = 60_000;

/** Values that make the log long, so that segments roll, snapshots are taken and old segments go while everything else happens. */
export class Filler {
  private stopped = false;
  private readonly producing: Promise<void>;
  produced = 0;

  private constructor(
    private readonly client: LedgerClient,
    private readonly findings: Findings,
  ) {
    this.producing = this.produce();
  }

  static async start(addresses: readonly string[], findings: Findings): Promise<Filler> {
    return new Filler(await LedgerClient.connect({ addresses, timeoutMs: PATIENCE }), findings);
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.producing;
    await this.client.close();
  }

  private async produce(): Promise<void> {
    const value = new SeededRandom(1).bytes(VALUE_BYTES);
    let last = -1;
    while (!this.stopped) {
      try {
        // It may be there twice then, which is what was asked for.
        const offset = await this.client.produce(value, { atLeastOnce: true });
        if (offset <= last) this.findings.add('log', `a value was given offset ${offset} after one was given ${last}`);
        last = offset;
        this.produced += 1;
      } catch (error) {
        // A minute of faults can take a minute of answers; the callers find out whether that is in order.
        if (!(error instanceof LedgerError)) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MILLIS));
    }
  }
}
