/**
 * Holds every row that stands at an offset against the log, batch by batch, while a replay goes through it: transfers, changes
 * of accounts, batches and malformed records, each column; what is missing, and what is there too much.
 */
import { type BatchHeader } from '../../log/batch';
import { type LedgerReader } from '../reader';
import { ResultCode } from '../result-codes';
import { AccountChanges, CHANGE_TABLE } from './compare-account-changes';
import { decided, type DecidedRecord, isMalformed, type LogRecord, recordsOf, transferOf } from './compare-records';
import { type ComparedTable, type ExpectedRow, TableComparison } from './compare-table';
import { bytesText, timeText } from './compare-text';
import { BackwardTotals } from './compare-totals';
import { type RecordPlace, TRANSFER_TABLE, transferColumns } from './compare-transfer-row';
import { type Queries } from './database';
import { type Differences } from './differences';

const BATCH_TABLE: ComparedTable = {
  what: 'batch',
  name: 'compared_batches',
  columns: ['partition', 'first_offset', 'time'],
  select: 'SELECT last_offset, partition, first_offset, time FROM ledger.batches',
  partition: 'partition',
  offset: 'last_offset',
};

const MALFORMED_TABLE: ComparedTable = {
  what: 'malformed record',
  name: 'compared_malformed',
  columns: ['partition', 'time', 'bytes'],
  select: 'SELECT log_offset, partition, time, bytes FROM ledger.malformed_records',
  partition: 'partition',
  offset: 'log_offset',
};

/** A batch of which the replay has not decided anything yet. */
export interface PendingBatch {
  readonly header: BatchHeader;
  readonly records: readonly LogRecord[];
  readonly changes: AccountChanges;
}

/** The last batch of all, which the checkpoint names. */
export interface LastBatch {
  readonly index: number;
  readonly lastOffset: number;
  readonly time: number;
  readonly hash: Buffer;
}

export class LogComparison {
  /** Of each account, the record that changed its balance last. */
  private readonly lastChanges = new Map<number, number>();
  private last: LastBatch | undefined;

  private constructor(
    private readonly group: number,
    /** The first offset that is compared: the log that there is begins there. */
    readonly from: number,
    private readonly transfers: TableComparison,
    private readonly changes: TableComparison,
    private readonly batches: TableComparison,
    private readonly malformed: TableComparison,
  ) {}

  /** @param queries of a transaction, begun with COMPARING (compare-text.ts) */
  static async open(queries: Queries, group: number, from: number, differences: Differences): Promise<LogComparison> {
    const open = (table: ComparedTable): Promise<TableComparison> =>
      TableComparison.open(queries, table, group, from, differences);
    return new LogComparison(
      ...[group, from],
      ...[await open(TRANSFER_TABLE), await open(CHANGE_TABLE), await open(BATCH_TABLE), await open(MALFORMED_TABLE)],
    );
  }

  /** @param reader of the state before the batch */
  before(batch: Buffer, header: BatchHeader, reader: LedgerReader): PendingBatch {
    const records = recordsOf(batch, header);
    return { header, records, changes: new AccountChanges(records, reader) };
  }

  /** @param outcomes that the replay gave it; @param reader of the state after it */
  async after({ changes, header, records }: PendingBatch, outcomes: Buffer, reader: LedgerReader): Promise<void> {
    const { baseOffset, count, hash, index, time } = header;
    const lastOffset = baseOffset + count - 1;
    this.last = { index, lastOffset, time, hash: Buffer.from(hash) };
    if (count === 0) return;
    const place = { group: this.group, time: timeText(time) };
    const events = decided(records, header, outcomes);
    const at = [String(this.group), place.time];
    await this.transfers.expect(this.transferRows(events, place, reader));
    await this.changes.expect(changes.rows(events, reader, place));
    await this.batches.expect([{ offset: lastOffset, values: [String(this.group), String(baseOffset), place.time] }]);
    const malformed = events.filter(isMalformed);
    await this.malformed.expect(malformed.map(({ bytes, offset }) => ({ offset, values: [...at, bytesText(bytes)] })));
  }

  /** @returns undefined: there was no batch at all */
  async end(): Promise<LastBatch | undefined> {
    for (const table of [this.transfers, this.changes, this.batches, this.malformed]) await table.end();
    return this.last;
  }

  /** -1: no record has changed its balance; undefined: none of those that were gone through. */
  lastChangeOf(handle: number): number | undefined {
    return this.lastChanges.get(handle) ?? (this.from === 0 ? -1 : undefined);
  }

  /** From the last one to the first, since the totals go that way. */
  private transferRows(events: readonly DecidedRecord[], place: RecordPlace, reader: LedgerReader): ExpectedRow[] {
    const totals = new BackwardTotals(reader);
    const rows: ExpectedRow[] = [];
    const seen = new Set<number>();
    for (let i = events.length - 1; i >= 0; i--) {
      const event = events[i]!;
      const transfer = transferOf(event);
      if (transfer === undefined) continue;
      const { offset, outcome } = event;
      const { creditHandle, debitHandle } = outcome;
      const after = [totals.of(debitHandle), totals.of(creditHandle)] as const;
      rows.push({ offset, values: transferColumns(event, transfer, place, reader, after) });
      if (outcome.result !== ResultCode.OK) continue;
      totals.undo(outcome);
      for (const handle of [debitHandle, creditHandle]) {
        if (!seen.has(handle)) this.lastChanges.set(handle, offset);
        seen.add(handle);
      }
    }
    return rows.reverse();
  }
}
