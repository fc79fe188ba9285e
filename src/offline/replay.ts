/**
 * Applies the log anew, from the oldest state that the log continues, and holds what comes of it against what the directory
 * keeps: each snapshot's state and place, each outcome, and the invariants of money at the end.
 */

import { BatchKind, type BatchHeader } from '../log/batch';
import { isAllZero } from '../log/flush-mark';
import type { FileSystem } from '../log/files';
import { InvariantViolation } from '../ledger/invariant';
import { OUTCOME_ROW_BYTES, isOutcomeRowSet } from '../ledger/outcome-row';
import type { OnFinding } from './finding';
import type { OutcomeRows } from './outcome-rows';
import { scratchMachine } from './scratch-machine';
import type { AuditedBatch } from './segment-audit';
import { type GoodSnapshot, restoreFrom } from './snapshot-audit';

export interface ReplayOptions {
  readonly files: FileSystem;
  /** The folder of the snapshots. */
  readonly directory: string;
  /** Ascending by index. */
  readonly snapshots: readonly GoodSnapshot[];
  /** Entries above it may yet turn out never to have been committed: they are not applied. */
  readonly committed: number;
  readonly outcomes: OutcomeRows;
  readonly report: OnFinding;
}

export interface Replayed {
  /** Entry of the state that it began with. */
  readonly from: number | undefined;
  readonly to: number | undefined;
  /** At `to`. */
  readonly stateHash: string | undefined;
  readonly nextOffset: number;
}

export class Replay {
  private machine: ReturnType<typeof scratchMachine> | undefined;
  private from: number | undefined;
  /** Last entry that `machine` has applied. */
  private at = 0;
  private previous = 0;
  private started = false;
  private file = '';

  constructor(private readonly options: ReplayOptions) {}

  /** Begins a segment. @param before the entry before it; undefined where nobody knows it */
  async segment(path: string, before: number | undefined): Promise<void> {
    this.file = path;
    if (!this.started && before !== undefined) await this.bringBehind(before);
  }

  /** The batches of the log in their order; where some are missing it goes on behind them from a snapshot, if there is one. */
  async take({ header, bytes, position }: AuditedBatch): Promise<void> {
    this.comparePlace(header, position);
    await this.bringBehind(header.index - 1);
    this.previous = header.index;
    if (!this.machine || header.index <= this.at || header.index > this.options.committed) {
      return this.compareRows(header, undefined, position);
    }
    const rows = await this.apply(bytes, header, position);
    if (!rows) return;
    this.at = header.index;
    await this.compareRows(header, rows, position);
    this.compareState(header.index);
  }

  /** After the last batch. */
  async finish(): Promise<Replayed> {
    const { machine } = this;
    if (!machine) return { from: undefined, to: undefined, stateHash: undefined, nextOffset: 0 };
    try {
      machine.assertInvariants();
    } catch (error) {
      if (!(error instanceof InvariantViolation)) throw error;
      this.damage(0, `After entry ${this.at} something does not hold that must always hold of money: ${error.message}`);
    }
    const replayed = { from: this.from, to: this.at, stateHash: machine.hash(), nextOffset: machine.nextOffset };
    await machine.close();
    return replayed;
  }

  /** Makes sure that there is a state at `index` or above it that the log goes on from, where one is kept. */
  private async bringBehind(index: number): Promise<void> {
    const gap = this.started && index > this.previous;
    if (this.started && !gap) return;
    if (gap && this.machine && this.at >= index) return;
    const hadState = this.machine !== undefined;
    await this.machine?.close();
    this.machine = undefined;
    if (!this.started && index === 0) this.machine = scratchMachine(this.options.files, this.options.directory);
    const snapshot = this.machine ? undefined : this.options.snapshots.find(({ meta }) => meta.index >= index);
    if (snapshot) {
      this.machine = await restoreFrom(this.options.files, snapshot);
      this.at = snapshot.meta.index;
    }
    this.from ??= this.machine ? this.at : undefined;
    if (!this.started) this.previous = index;
    this.started = true;
    if (!hadState) return;
    const onward = snapshot
      ? `goes on from the snapshot at entry ${this.at}`
      : 'ends there: no snapshot reaches behind them';
    this.note(`Entries ${this.previous + 1} to ${index} are missing; the replay ${onward}.`);
  }

  private async apply(bytes: Buffer, header: BatchHeader, position: number): Promise<Buffer | undefined> {
    try {
      await this.machine!.prepare(bytes, header);
      return this.machine!.apply(bytes, header);
    } catch (error) {
      if (!(error instanceof InvariantViolation)) throw error;
      this.damage(
        position,
        `Entry ${header.index} cannot be applied: ${error.message} The replay ends there.`,
        header.index,
      );
      await this.machine?.close();
      this.machine = undefined;
      return undefined;
    }
  }

  /** @param derived what replay gives; undefined where the replay has not come so far */
  private async compareRows(header: BatchHeader, derived: Buffer | undefined, position: number): Promise<void> {
    if (header.kind !== BatchKind.Records || header.count === 0) return;
    const { outcomes, snapshots } = this.options;
    const kept = await outcomes.read(header.baseOffset, header.count);
    if (!kept || !derived || kept.equals(derived)) return;
    const durable = header.index <= (snapshots.at(-1)?.meta.index ?? 0);
    for (let row = 0; row < header.count; row++) {
      const at = row * OUTCOME_ROW_BYTES;
      const end = at + OUTCOME_ROW_BYTES;
      if (kept.compare(derived, at, end, at, end) === 0) continue;
      // Rows above the newest snapshot are written again by the next start; until then a crash may have left zeros.
      if (!durable && isAllZero(kept, at, end)) continue;
      const offset = header.baseOffset + row;
      const lacks = !isOutcomeRowSet(kept, at) && isAllZero(kept, at, end);
      const what = lacks ? 'is missing' : 'is not what a replay of the log gives';
      this.options.report({
        kind: 'damage',
        ...outcomes.placeOf(offset),
        what: `The outcome of the record at offset ${offset} (entry ${header.index}, byte ${position} of its segment) ${what}.`,
      });
    }
  }

  /** A snapshot stands behind the very entry that the log has at its index. */
  private comparePlace(header: BatchHeader, position: number): void {
    for (const { path, meta } of this.options.snapshots) {
      if (meta.index !== header.index) continue;
      const nextOffset = header.baseOffset + header.count;
      if (meta.term === header.term && meta.nextOffset === nextOffset && meta.hash.equals(header.hash)) continue;
      const what = `The snapshot stands behind another entry ${meta.index} than the log has (${this.file}, byte ${position}).`;
      this.options.report({ kind: 'damage', file: path, position: 0, what });
    }
  }

  private compareState(index: number): void {
    const machine = this.machine!;
    for (const { path, meta, stateHash, historyRoot } of this.options.snapshots) {
      if (meta.index !== index) continue;
      if (machine.hash() === stateHash && machine.historyRoot === historyRoot) continue;
      const what = `A replay up to entry ${index} gives another state than the snapshot holds.`;
      this.options.report({ kind: 'damage', file: path, position: 0, what });
    }
  }

  private damage(position: number, what: string, index?: number): void {
    const entries = index === undefined ? {} : { fromIndex: index, toIndex: index };
    this.options.report({ kind: 'damage', file: this.file, position, what, ...entries });
  }

  private note(what: string): void {
    this.options.report({ kind: 'note', file: this.file, position: 0, what });
  }
}
