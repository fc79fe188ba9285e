import { FaultyFiles } from '../support/faulty-files';
import type { Survival } from '../support/faulty-inode';
import { SeededRandom } from '../support/seeded-random';
import { DrivenLog, isPowerLoss, openLog } from './crash-kit';
import { LogHistory } from './log-history';

const RUNS = 60;
const LIVES = 6;
const only = process.env['LOG_SEED'];

/** Every life of a log ends with a loss of power, at some moment of its use or of its recovery. */
class RandomLives {
  private readonly random: SeededRandom;
  private readonly history = new LogHistory();
  private files = new FaultyFiles();
  private term = 1;
  acknowledgements = 0;

  constructor(seed: number) {
    this.random = new SeededRandom(seed);
  }

  async run(): Promise<void> {
    for (let life = 0; life < LIVES; life++) {
      this.files.losePowerAfter(this.random.below(120));
      try {
        await this.live();
      } catch (error) {
        if (!isPowerLoss(error)) throw error;
      }
      this.files = this.files.afterPowerLoss(this.survival());
    }
    const log = await openLog(this.files);
    await this.history.expectFound(log);
    await log.close();
    expect(this.files.openFiles).toBe(0);
  }

  private async live(): Promise<void> {
    const log = await openLog(this.files, { cacheBytes: this.random.below(3) * 1_500 });
    expect(log.recovery.lostAcknowledged).toBeUndefined();
    await this.history.expectFound(log);
    const driven = new DrivenLog(log, this.history);
    driven.chain.term = this.term;
    const waiting: Promise<void>[] = [];
    for (let steps = this.random.below(60); steps > 0; steps--) {
      const step = this.step(driven);
      // Whatever fails, fails because the power is gone; the next step that is waited for says so.
      step.catch(() => undefined);
      waiting.push(step);
      this.term = driven.chain.term;
      if (this.random.chance(0.3)) await this.settle(waiting);
    }
    await this.settle(waiting);
    if (this.random.chance(0.3)) await log.close();
  }

  private async settle(waiting: Promise<void>[]): Promise<void> {
    await Promise.all(waiting.splice(0));
    this.acknowledgements += 1;
  }

  private async step(driven: DrivenLog): Promise<void> {
    const { random } = this;
    const { log } = driven;
    const held = log.lastIndex - log.firstIndex + 1;
    const die = random.below(20);
    if (die < 12) return driven.append(this.payload());
    if (die < 15) return driven.sync();
    if (die < 17 && held > 0) return driven.truncateSuffix(log.firstIndex + random.below(held));
    if (die < 19 && held > 0) return driven.truncatePrefix(log.firstIndex + random.below(held));
    if (die === 19 && random.chance(0.3)) return driven.reset(log.lastIndex + random.below(5));
    return this.checkReads(driven);
  }

  /** Zeros too, and in whole sectors: what was lost must not be taken for them. */
  private payload(): Buffer {
    const length = this.random.below(4) === 0 ? this.random.below(3_000) : this.random.below(120);
    if (this.random.chance(0.3)) return Buffer.alloc(length);
    return this.random.bytes(length);
  }

  private async checkReads(driven: DrivenLog): Promise<void> {
    const { entries, base } = driven.history.now;
    const { firstIndex, lastIndex } = driven.log;
    if (lastIndex < firstIndex) return;
    const from = firstIndex + this.random.below(lastIndex - firstIndex + 1);
    const expected = entries.slice(from - base.index - 1);
    try {
      const batches = await driven.log.read(from, this.random.below(4_000));
      batches.forEach((batch, i) => expect(batch.equals(expected[i]!)).toBe(true));
      expect(batches.length).toBeGreaterThan(0);
    } catch (error) {
      // Others truncate while this reads.
      if (!(error instanceof Error && error.name === 'LogRangeError')) throw error;
    }
  }

  private survival(): Survival {
    if (this.random.chance(0.2)) return 'nothing';
    return this.random.chance(0.2) ? 'everything' : this.random;
  }
}

describe('random lives, each ended by a loss of power', () => {
  test('lose nothing that was acknowledged, and find no damage where there is none', async () => {
    const seeds = only === undefined ? Array.from({ length: RUNS }, (_, n) => n + 1) : [Number(only)];
    let acknowledgements = 0;
    for (const seed of seeds) {
      try {
        const lives = new RandomLives(seed);
        await lives.run();
        acknowledgements += lives.acknowledgements;
      } catch (error) {
        throw new Error(`Repeat with: LOG_SEED=${seed} npx jest test/log/random-history\n${String(error)}`, {
          cause: error,
        });
      }
    }
    if (only === undefined) expect(acknowledgements).toBeGreaterThan(RUNS * 5);
  });
});
