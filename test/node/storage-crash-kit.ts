import { NO_HASH, readHeader } from '../../src/log/batch';
import { encodeValues } from '../../src/log/chunk';
import { LedgerMachine } from '../../src/node/ledger-machine';
import type { NextBatch } from '../support/batch-chain';
import { PowerLoss, type FaultyFiles } from '../support/faulty-files';
import type { Survival } from '../support/faulty-inode';
import { SeededRandom } from '../support/seeded-random';
import { formatted, StorageKit, type StorageFlags } from './storage-kit';

/** Some of its segments hold one entry, some two: everything that happens between segments happens soon. */
export const SMALL: StorageFlags = { segmentBytes: 4_096, retentionBytes: 0 };

/** Records that are refused, so that their outcomes are not zeros and the state shows how many there were. */
export function refusedRecords(count: number, bytes = 20): NextBatch {
  return {
    count,
    payload: encodeValues(
      1,
      Array.from({ length: count }, () => Buffer.alloc(bytes, 0xff)),
    ),
  };
}

/** What a state machine says after a batch, all before it included. */
interface Moment {
  readonly state: string;
  readonly outcomes: Buffer;
}

/** Every batch that was ever made. Its hash stands for all before it, so it says what the state has to be. */
export class Reference {
  private readonly batches = new Map<string, Buffer>();
  private readonly moments = new Map<string, Moment>();
  /** Hash of the last entry that the disk said it has, or none. */
  private acknowledged: Buffer = NO_HASH;

  made(batch: Buffer): void {
    this.batches.set(readHeader(batch).hash.toString('hex'), batch);
  }

  /** A new life, in which nothing is acknowledged beyond what was. */
  copy(): Reference {
    const copy = new Reference();
    for (const [hash, batch] of this.batches) copy.batches.set(hash, batch);
    for (const [hash, moment] of this.moments) copy.moments.set(hash, moment);
    copy.acknowledged = this.acknowledged;
    return copy;
  }

  /** Everything that the log has is durable from now on, whatever happens. */
  acknowledge(kit: StorageKit): void {
    this.acknowledged = Buffer.from(kit.storage.log.lastHash);
  }

  /** A leader has said that the entries from `from` on never were committed. */
  giveUp(from: number): void {
    while (this.indexOf(this.acknowledged) >= from) this.acknowledged = this.previous(this.acknowledged);
  }

  /** Throws where what was found does not fit together, or lacks something that was acknowledged. */
  async expectFound(kit: StorageKit): Promise<void> {
    const { log, machine, snapshots, snapshotMeta, mayHaveLost, outcomes } = kit.storage;
    expect(mayHaveLost).toBeUndefined();
    expect(snapshots.refused).toEqual([]);
    // The log continues the snapshot, and the snapshot's state is that of its index (pitfalls 23 and 24).
    expect(log.firstIndex).toBeLessThanOrEqual(snapshotMeta.index + 1);
    expect(log.lastIndex).toBeGreaterThanOrEqual(snapshotMeta.index);
    expect(log.termAt(snapshotMeta.index)).toBe(snapshotMeta.term);
    const restored = snapshots.list().find(({ meta }) => meta.index === snapshotMeta.index)?.meta.hash ?? NO_HASH;
    expect([snapshotMeta.index, kit.restored]).toEqual([this.indexOf(restored), this.momentAfter(restored).state]);
    expect([log.lastIndex, machine.hash()]).toEqual([this.indexOf(log.lastHash), this.momentAfter(log.lastHash).state]);
    this.expectAcknowledgedIn(log.lastHash);
    for (const batch of log.lastIndex < log.firstIndex ? [] : await log.read(log.firstIndex, Number.MAX_SAFE_INTEGER)) {
      const { index, baseOffset, count, hash } = readHeader(batch);
      const found = await outcomes.read(baseOffset, count);
      expect([index, found.toString('hex')]).toEqual([index, this.momentAfter(hash).outcomes.toString('hex')]);
    }
  }

  private expectAcknowledgedIn(lastHash: Buffer): void {
    const from = this.indexOf(this.acknowledged);
    let hash = lastHash;
    while (this.indexOf(hash) > from) hash = this.previous(hash);
    if (hash.equals(this.acknowledged)) return;
    throw new Error(`Entry ${from} was acknowledged; the log ends with entry ${this.indexOf(lastHash)} without it.`);
  }

  private momentAfter(hash: Buffer): Moment {
    const key = hash.toString('hex');
    const known = this.moments.get(key);
    if (known) return known;
    const chain: Buffer[] = [];
    for (let at = hash; !at.equals(NO_HASH); at = this.previous(at)) chain.unshift(this.batchOf(at));
    const machine = new LedgerMachine({ write: () => undefined, sync: async () => undefined }, 7);
    let outcomes: Buffer = Buffer.alloc(0);
    for (const batch of chain) outcomes = machine.apply(batch, readHeader(batch));
    const moment = { state: machine.hash(), outcomes };
    this.moments.set(key, moment);
    return moment;
  }

  private indexOf(hash: Buffer): number {
    return hash.equals(NO_HASH) ? 0 : readHeader(this.batchOf(hash)).index;
  }

  private previous(hash: Buffer): Buffer {
    return readHeader(this.batchOf(hash)).previousHash;
  }

  private batchOf(hash: Buffer): Buffer {
    const batch = this.batches.get(hash.toString('hex'));
    if (!batch) throw new Error('Something was found on the disk that nobody ever made.');
    return batch;
  }
}

export interface Scenario {
  /** What is on the disk, durably, before. */
  readonly before?: (kit: StorageKit, reference: Reference) => Promise<void>;
  readonly run: (kit: StorageKit, reference: Reference) => Promise<void>;
  readonly flags?: StorageFlags;
}

/**
 * Runs the scenario again and again, with the power lost at each of its operations on files and names, opening included, and
 * opens what is left in every way. @returns how many operations it has
 */
export async function losePowerEverywhere(scenario: Scenario): Promise<number> {
  const flags = scenario.flags ?? SMALL;
  const reference = new Reference();
  const prepared = await formatted();
  const first = await StorageKit.open(prepared, flags, reference);
  await scenario.before?.(first, reference);
  await first.close();
  for (let operations = 0; ; operations += 1) {
    const files = prepared.afterPowerLoss('nothing');
    const own = reference.copy();
    files.losePowerAfter(operations);
    const ended = await runs(scenario, files, own, flags);
    for (const [at, survival] of survivals(operations).entries()) {
      const context = `power lost after ${operations} operations, remains ${at}`;
      await expectRecovery(files.afterPowerLoss(survival), own.copy(), flags, context);
    }
    if (ended) return operations;
  }
}

async function runs(
  scenario: Scenario,
  files: FaultyFiles,
  reference: Reference,
  flags: StorageFlags,
): Promise<boolean> {
  try {
    const kit = await StorageKit.open(files, flags, reference);
    await scenario.run(kit, reference);
    await kit.close();
    return true;
  } catch (error) {
    if (!isPowerLoss(error)) throw error;
    return false;
  }
}

function survivals(seed: number): Survival[] {
  return ['nothing', 'everything', new SeededRandom(seed * 31 + 1)];
}

/** Whether it came of the loss of power, whatever it was turned into on its way. */
export function isPowerLoss(error: unknown): boolean {
  if (error instanceof PowerLoss) return true;
  return error instanceof Error && error.cause !== undefined && isPowerLoss(error.cause);
}

async function expectRecovery(
  files: FaultyFiles,
  reference: Reference,
  flags: StorageFlags,
  context: string,
): Promise<void> {
  try {
    const kit = await StorageKit.open(files, flags, reference);
    await reference.expectFound(kit);
    kit.append(refusedRecords(1), refusedRecords(2, 300));
    await kit.commit();
    reference.acknowledge(kit);
    await kit.close();
    const again = await StorageKit.open(files, flags, reference);
    await reference.expectFound(again);
    await again.close();
    expect(files.openFiles).toBe(0);
  } catch (error) {
    throw new Error(`${context}: ${String(error)}`, { cause: error });
  }
}
