import type { CopiedState } from '../../api/dry-run-copy';
import { encodeCommand } from '../../ledger/command-codec';
import { invariant } from '../../ledger/invariant';
import { OUTCOME_ROW_BYTES } from '../../ledger/outcome-row';
import type { LedgerReader } from '../../ledger/reader';
import type { ArchivedRow, RowArchive } from '../../ledger/row-archive';
import { Rules } from '../../ledger/rules-versions';
import { LedgerState } from '../../ledger/state';
import type { Tables } from '../../ledger/tables';
import { encodeValues, RecordType } from '../../log/chunk';
import type { RehearsalData } from './rehearsal-protocol';

const MICROS_PER_MILLI = 1_000;
/** Holds that one batch lets go of, as on a leader. */
const MOST_AT_ONCE = 8190;
const EXPIRE_HOLD = encodeCommand({ kind: 'expire_hold' });

/** A copy of a node's state that goes on by itself: it takes batches as the node's own does, and nobody hears of them. */
export class RehearsedState implements CopiedState {
  private readonly state: LedgerState;
  private readonly rules = new Rules();

  constructor(
    private readonly tables: Tables,
    /** The rows of the archive with these ids, and what they have beyond them. */
    private readonly lookUp: (ids: Uint32Array) => Promise<readonly ArchivedRow[]>,
  ) {
    this.state = new LedgerState(tables);
  }

  /** What the copy knows of the rows that it leaves out: all that is applied of them is handed in, and nothing else reads them. */
  static archiveOf({ archived, chain }: Pick<RehearsalData, 'archived' | 'chain'>): RowArchive | undefined {
    if (archived === 0) return undefined;
    const elsewhere = (): never => invariant(false, 'A copy of the state reads no rows of the archive.') as never;
    return { rows: archived, chain, readRow: elsewhere, readExtras: elsewhere, findRows: elsewhere };
  }

  get reader(): LedgerReader {
    return this.state.reader;
  }

  get nextOffset(): number {
    return this.state.nextOffset;
  }

  async apply(chunk: Buffer, count: number): Promise<Buffer> {
    await this.expireHolds();
    const rows = await this.applyBatch(chunk, count);
    invariant(rows.length === count * OUTCOME_ROW_BYTES, 'Each record has one outcome.');
    return rows;
  }

  /** As the leader does it beside everything else: what has expired is free again before the next batch. */
  private async expireHolds(): Promise<void> {
    for (let due = this.due(); due > 0; due = this.due()) {
      const records = Array.from({ length: due }, () => EXPIRE_HOLD);
      await this.applyBatch(encodeValues(RecordType.Ledger, records), due);
    }
  }

  private due(): number {
    const { reader } = this;
    const next = reader.nextExpiry();
    const now = this.time();
    return next === undefined || next > now ? 0 : reader.holdsDue(now, MOST_AT_ONCE);
  }

  private async applyBatch(chunk: Buffer, count: number): Promise<Buffer> {
    const { state, tables, rules } = this;
    if (tables.transfers.rows.first > 0) state.recall(await this.lookUp(state.idsIn(chunk)));
    const batch = { time: this.time(), baseOffset: state.nextOffset, kind: 'records', count } as const;
    return rules.apply(state, batch, chunk);
  }

  /** Microseconds. */
  private time(): number {
    return Math.max(Date.now() * MICROS_PER_MILLI, this.tables.lastTime + 1);
  }
}
