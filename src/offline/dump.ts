/** Reads a log offline, batch by batch and record by record, with what was decided beside it. Changes nothing. */

import { join } from 'node:path';
import { BatchKind, type BatchHeader, payloadOf } from '../log/batch';
import { ChunkFormatError, iterateChunks, RecordType } from '../log/chunk';
import type { FileSystem } from '../log/files';
import { decodeCommand } from '../ledger/command-codec';
import { decodeOutcomeRow, firstUnsoundOutcome, isOutcomeRowSet, OUTCOME_ROW_BYTES } from '../ledger/outcome-row';
import { commandValue, recordValue } from '../ledger/record-value';
import { FIRST_GROUP } from '../node/data-directory';
import { ConfigurationFormatError, decodeConfiguration, type Configuration } from '../raft/core';
import type { Finding } from './finding';
import { LedgerCodesSeen } from './ledger-codes';
import { auditLog, logFolder, type SegmentBegins, type SegmentPlace } from './log-audit';
import { OutcomeRows } from './outcome-rows';
import { ReadOnlyFiles } from './read-only-files';
import { snapshotFolder } from './snapshot-audit';

export interface DumpOptions {
  /** Nobody else may use it meanwhile: see withDirectory. */
  readonly dataDir: string;
  readonly files: FileSystem;
  /** First offset; entries before it are passed over. */
  readonly from: number;
}

export interface DumpedEntry {
  readonly kind: 'entry';
  readonly header: BatchHeader;
  readonly file: string;
  readonly position: number;
  readonly configuration?: Configuration;
  /** Of the rules, for an entry that switches them. */
  readonly version?: number;
}

export interface DumpedRecord {
  readonly kind: 'record';
  readonly index: number;
  /** Undefined for a record of the system, which takes none. */
  readonly offset: number | undefined;
  readonly type: number;
  /** What was produced; for type 1 a ledger.v1.LogRecord, with the outcome where it is known. */
  readonly value: Buffer;
}

export type DumpItem = SegmentBegins | DumpedEntry | DumpedRecord | Finding;

const VERSION_BYTES = 4;

export async function* dumpLog(options: DumpOptions): AsyncGenerator<DumpItem, void, undefined> {
  yield* new Dump(options).items();
}

class Dump {
  private readonly files: FileSystem;
  private readonly outcomes: OutcomeRows;
  private readonly codes = new LedgerCodesSeen();
  private file = '';

  constructor(private readonly options: DumpOptions) {
    this.files = new ReadOnlyFiles(options.files);
    this.outcomes = new OutcomeRows(this.files);
  }

  async *items(): AsyncGenerator<DumpItem, void, undefined> {
    const folder = join(this.options.dataDir, 'groups', String(FIRST_GROUP));
    await this.codes.learnFrom(this.files, await snapshotFolder(this.files, join(folder, 'snapshots')));
    const { segments, findings } = await logFolder(this.files, join(folder, 'log'));
    yield* findings;
    try {
      const wanted = await this.segmentsFrom(segments);
      for await (const item of auditLog({ files: this.files, group: FIRST_GROUP, segments: wanted })) {
        if (item.kind === 'segment') {
          this.file = item.path;
          await this.outcomes.segment(item.path, item.before?.nextOffset);
          yield item;
        } else if (item.kind === 'batch') yield* this.entry(item.header, item.bytes, item.position);
        else yield item;
      }
    } finally {
      await this.outcomes.close();
    }
  }

  /** Without those that end before the first offset. */
  private async segmentsFrom(segments: readonly SegmentPlace[]): Promise<readonly SegmentPlace[]> {
    let first = 0;
    for (let i = 1; i < segments.length; i++) {
      const only = auditLog({ files: this.files, group: FIRST_GROUP, segments: [segments[i]!] });
      const head = await only.next();
      await only.return();
      if (head.done === true || head.value.kind !== 'segment') continue;
      if ((head.value.before?.nextOffset ?? Infinity) <= this.options.from) first = i;
    }
    return segments.slice(first);
  }

  private async *entry(
    header: BatchHeader,
    bytes: Buffer,
    position: number,
  ): AsyncGenerator<DumpItem, void, undefined> {
    const { from } = this.options;
    if (from > 0 && header.baseOffset + header.count <= from) return;
    const payload = payloadOf(bytes);
    yield { kind: 'entry', header, file: this.file, position, ...this.meaningOf(header, payload) };
    if (header.kind !== BatchKind.Records && header.kind !== BatchKind.System) return;
    try {
      yield* await this.records(header, payload);
    } catch (error) {
      if (!(error instanceof ChunkFormatError)) throw error;
      const what = `The payload of entry ${header.index} is no sequence of records: ${error.message}`;
      yield { kind: 'note', file: this.file, position, what };
    }
  }

  private meaningOf({ kind }: BatchHeader, payload: Buffer): Pick<DumpedEntry, 'configuration' | 'version'> {
    if (kind === BatchKind.Version && payload.length >= VERSION_BYTES) return { version: payload.readUInt32LE(0) };
    if (kind !== BatchKind.Configuration) return {};
    try {
      return { configuration: decodeConfiguration(payload) };
    } catch (error) {
      if (error instanceof ConfigurationFormatError) return {};
      throw error;
    }
  }

  private async records(header: BatchHeader, payload: Buffer): Promise<(DumpedRecord | Finding)[]> {
    const numbered = header.kind === BatchKind.Records;
    const rows = numbered ? await this.outcomes.read(header.baseOffset, header.count) : undefined;
    const records: (DumpedRecord | Finding)[] = [];
    if (rows) records.push(...this.unsound(rows, header.baseOffset));
    let ordinal = 0;
    for (const chunk of iterateChunks(payload)) {
      for (let i = 0; i < chunk.count; i++, ordinal++) {
        const offset = numbered ? header.baseOffset + ordinal : undefined;
        const value = this.valueOf(chunk.type, chunk.width, chunk.record(i), rows, ordinal * OUTCOME_ROW_BYTES);
        if (offset !== undefined && offset < this.options.from) continue;
        records.push({ kind: 'record', index: header.index, offset, type: chunk.type, value });
      }
    }
    return records;
  }

  /** Names the outcomes that are not what was written, and blots them out: nobody is shown what nobody decided. */
  private unsound(rows: Buffer, firstOffset: number): Finding[] {
    const findings: Finding[] = [];
    for (let next = firstUnsoundOutcome(rows, firstOffset); next >= 0; next = firstUnsoundOutcome(rows, firstOffset)) {
      rows.fill(0, next * OUTCOME_ROW_BYTES, (next + 1) * OUTCOME_ROW_BYTES);
      const offset = firstOffset + next;
      const what = `The outcome of the record at offset ${offset} is not what was written.`;
      findings.push({ kind: 'damage', ...this.outcomes.placeOf(offset), what });
    }
    return findings;
  }

  private valueOf(type: number, width: number, bytes: Buffer, rows: Buffer | undefined, at: number): Buffer {
    if (type !== RecordType.Ledger) return bytes;
    if (!rows || at + OUTCOME_ROW_BYTES > rows.length || !isOutcomeRowSet(rows, at)) {
      this.learn(bytes, undefined);
      return commandValue(width, bytes);
    }
    this.learn(bytes, decodeOutcomeRow(rows, at).ledgerNumber);
    return recordValue(type, width, bytes, rows, at, (number) => this.codes.codeOf(number));
  }

  private learn(bytes: Buffer, number: number | undefined): void {
    const command = decodeCommand(bytes);
    if (command?.kind === 'create_ledger' && number !== 0) this.codes.created(command.code, number);
  }
}
