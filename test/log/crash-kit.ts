import { LogFailedError } from '../../src/log/log-errors';
import { SegmentedLog } from '../../src/log/segmented-log';
import type { SegmentedLogOptions } from '../../src/log/segmented-log-options';
import { BatchChain } from '../support/batch-chain';
import { FaultyFiles, PowerLoss } from '../support/faulty-files';
import type { Survival } from '../support/faulty-inode';
import { SeededRandom } from '../support/seeded-random';
import { LogHistory } from './log-history';

export const DIRECTORY = '/data/groups/0/log';

export function openLog(files: FaultyFiles, options: Partial<SegmentedLogOptions> = {}): Promise<SegmentedLog> {
  return SegmentedLog.open({
    dir: DIRECTORY,
    files,
    group: 0,
    firstSegmentBytes: 2_048,
    segmentBytes: 4_096,
    onFatal: () => undefined,
    ...options,
  });
}

/** A log and the history of what was asked of it, driven together. */
export class DrivenLog {
  readonly chain: { term: number } = { term: 1 };

  constructor(
    readonly log: SegmentedLog,
    readonly history: LogHistory,
  ) {}

  append(payload: Buffer): void {
    const batch = new BatchChain(this.history.end).next({
      term: Math.max(this.chain.term, this.history.end.term),
      payload,
    });
    this.history.append(batch);
    this.log.append(batch);
  }

  async sync(): Promise<void> {
    const acknowledge = this.history.acknowledgement();
    await this.log.sync();
    acknowledge();
  }

  async truncateSuffix(from: number): Promise<void> {
    this.history.truncateSuffix(from);
    this.chain.term += 1;
    const acknowledge = this.history.acknowledgement();
    await this.log.truncateSuffix(from);
    acknowledge();
  }

  async truncatePrefix(upTo: number): Promise<void> {
    this.history.truncatePrefix(upTo);
    await this.log.truncatePrefix(upTo);
  }

  /** A new segment, whatever the age of the last one. It changes nothing of what the log holds. */
  async roll(): Promise<void> {
    await this.log.upkeep.rollBefore(Number.MAX_SAFE_INTEGER);
  }

  async reset(index: number): Promise<void> {
    const { end } = this.history;
    const at = {
      index,
      term: this.chain.term,
      nextOffset: end.nextOffset + 50,
      hash: Buffer.alloc(32, index),
      time: end.time + 9,
    };
    this.history.reset(at);
    const acknowledge = this.history.acknowledgement();
    await this.log.reset(at);
    acknowledge();
  }
}

export type Scenario = (driven: DrivenLog) => Promise<void>;

/** Runs the scenario until the power goes, or to its end. @returns the file system as it was left, and the history */
export async function runUntilPowerLoss(
  scenario: Scenario,
  operations: number,
): Promise<{ files: FaultyFiles; history: LogHistory; ended: boolean }> {
  const files = new FaultyFiles();
  const history = new LogHistory();
  files.losePowerAfter(operations);
  try {
    const driven = new DrivenLog(await openLog(files), history);
    await scenario(driven);
    await driven.log.close();
    return { files, history, ended: true };
  } catch (error) {
    if (!isPowerLoss(error)) throw error;
    return { files, history, ended: false };
  }
}

export function isPowerLoss(error: unknown): boolean {
  return error instanceof PowerLoss || (error instanceof LogFailedError && error.cause instanceof PowerLoss);
}

/** What may be left of what was not synced: the extremes, and a few draws in between. */
export function survivals(seed: number): Survival[] {
  return ['nothing', 'everything', ...[1, 2, 3].map((n) => new SeededRandom(seed * 31 + n))];
}

/**
 * Loses power at every single operation of the scenario, and opens the log from every kind of remains: it has to be found as
 * it was at a moment not before the last acknowledged one, without damage and without doubt, and to go on from there.
 */
export async function losePowerEverywhere(scenario: Scenario): Promise<number> {
  for (let operations = 0; ; operations++) {
    const { files, history, ended } = await runUntilPowerLoss(scenario, operations);
    for (const [i, survival] of survivals(operations).entries()) {
      const context = `power lost after ${operations} operations, remains ${i}`;
      await expectRecovery(files.afterPowerLoss(survival), history.copy(), context);
    }
    if (ended) return operations;
  }
}

export async function expectRecovery(files: FaultyFiles, history: LogHistory, context: string): Promise<void> {
  try {
    const log = await openLog(files);
    expect(log.recovery.lostAcknowledged).toBeUndefined();
    await history.expectFound(log);
    const driven = new DrivenLog(log, history);
    for (const size of [10, 900]) driven.append(Buffer.alloc(size, 1));
    await driven.sync();
    await log.close();
    const again = await openLog(files);
    expect(again.recovery).toEqual({});
    await history.expectFound(again);
    await again.close();
    expect(files.openFiles).toBe(0);
  } catch (error) {
    throw new Error(`${context}: ${String(error)}`, { cause: error });
  }
}
