import { type Chunk, ChunkFormatError, iterateChunks, RecordType } from '../log/chunk';
import { AccountRules } from './account-rules';
import { AccountUpdateRules } from './account-update-rules';
import { ApplyContext } from './apply-context';
import { CommandRange, LogRecordField, decodeOther } from './command-codec';
import { expireHold } from './expiry-record';
import { GroupRules } from './group-rules';
import { invariant } from './invariant';
import { type LedgerBatch } from './ledger-batch';
import { NamedIds } from './named-ids';
import { PackedRules } from './packed-rules';
import { PACKED_ROW_BYTES } from './packed-rows';
import { OUTCOME_ROW_BYTES } from './outcome-row';
import { Posting } from './posting';
import { type LedgerReader } from './reader';
import { ResultCode } from './result-codes';
import { type ArchivedRow, type RowArchive } from './row-archive';
import { writeSnapshot } from './snapshot-writer';
import { SnapshotReader } from './snapshot-reader';
import { StateHasher } from './state-hasher';
import { assertInvariants } from './state-invariants';
import { StateSlices } from './state-slices';
import { StateReader } from './state-reader';
import { Tables } from './tables';
import { TransferFields } from './transfer-fields';
import { TransferRules } from './transfer-rules';
import { type TransferTable } from './transfer-table';
import { decodeTransfer } from './transfer-codec';
import { WireReader } from './wire';
import { wordsOf } from './words';

/** Before each record of a chunk of width 0. */
const LENGTH_BYTES = 4;
/** Of rows whose hash is taken at a stroke: about a third of a millisecond. */
const SLICE_BYTES = 256 << 10;
const MICROS_PER_MILLI = 1000;

export type { LedgerBatch };

/**
 * The ledger: one deterministic state machine. Its state is a function of the batches that were applied, and of nothing
 * else: no clock, no chance, no input or output, no order that could differ between two machines.
 */
export class LedgerState {
  readonly reader: LedgerReader;
  private readonly context = new ApplyContext();
  private readonly range = new CommandRange();
  private readonly wire = new WireReader();
  private readonly fields = new TransferFields();
  private readonly accountRules: AccountRules;
  private readonly accountUpdates: AccountUpdateRules;
  private readonly groupRules: GroupRules;
  private readonly transferRules: TransferRules;
  private readonly packedRules: PackedRules;
  private readonly hasher: StateHasher;
  private readonly named: NamedIds;
  /** The ids of the next batch were looked up in the archive. */
  private isPrepared = false;
  private readonly slices: StateSlices;

  constructor(private readonly tables: Tables = new Tables(0)) {
    const posting = new Posting(tables);
    this.accountRules = new AccountRules(tables);
    this.transferRules = new TransferRules(tables, this.accountRules, posting);
    this.accountUpdates = new AccountUpdateRules(tables);
    this.groupRules = new GroupRules(tables, this.transferRules);
    this.packedRules = new PackedRules(tables, posting, this.transferRules);
    this.hasher = new StateHasher(tables);
    this.slices = new StateSlices(tables, SLICE_BYTES);
    this.reader = new StateReader(tables);
    this.named = new NamedIds(this.transferRules.shape);
  }

  /** The state that a snapshot holds. Throws SnapshotFormatError where the chunks are not one. */
  static restore(chunks: Iterable<Buffer>, hashSeed = 0, archive?: RowArchive): LedgerState {
    const reader = new SnapshotReader(hashSeed, archive);
    for (const chunk of chunks) reader.push(chunk);
    return new LedgerState(reader.finish());
  }

  /** The offset after the last record that was applied. */
  get nextOffset(): number {
    return this.tables.nextOffset;
  }

  /** The version of the rules that the state stands under. */
  get rulesVersion(): number {
    return this.tables.rulesVersion;
  }

  /** New rules hold from the next batch on; see Tables.switchRules. */
  switchRules(version: number): void {
    this.tables.switchRules(version);
  }

  /**
   * Applies one batch and returns one 64-byte outcome row a record, in order (zeros for a producer's). Total: a record that
   * cannot be decoded is refused as MALFORMED_RECORD. Throws only InvariantViolation: batches out of order, or a fault of
   * this program.
   */
  apply(batch: LedgerBatch, payload: Buffer): Buffer {
    const { tables } = this;
    const takesOffsets = batch.kind === 'records';
    invariant(batch.time > tables.lastTime, 'The time of a batch must be above that of the batch before.');
    invariant(batch.baseOffset === tables.nextOffset, 'A batch must begin at the offset after the batch before.');
    this.beginReading();
    const rows = this.answer(batch, this.chunksOf(payload));
    tables.lastTime = batch.time;
    if (takesOffsets) tables.nextOffset = batch.baseOffset + rows.length / OUTCOME_ROW_BYTES;
    tables.transfers.isApplying = false;
    return rows;
  }

  /**
   * What `apply` would answer to these records now, at that time or right after the last batch. `look` is called while all of
   * it stands, so that the reader shows what would be; when it returns, nothing of it was. Transfers and openings of accounts
   * only, and no packed rows: they go the way that leaves no trace to undo. Ids of the archive are read where they stand.
   */
  rehearse<T>(time: number, payload: Buffer, look: (outcomes: Buffer) => T): T {
    const { tables } = this;
    const chunks = this.chunksOf(payload);
    const canBeUndone = chunks.every(({ type, width }) => type === RecordType.Ledger && width === 0);
    invariant(canBeUndone, 'Only records of the ledger that are not packed can be rehearsed.');
    const batch = {
      time: Math.max(time, tables.lastTime + 1),
      baseOffset: tables.nextOffset,
      kind: 'records',
    } as const;
    return tables.rehearse(() => look(this.answer(batch, chunks)));
  }

  /** Applies the records, and gives their outcome rows. */
  private answer(batch: LedgerBatch, chunks: readonly Chunk[]): Buffer {
    const { context } = this;
    const takesOffsets = batch.kind === 'records';
    const held = chunks.reduce((sum, chunk) => sum + chunk.count, 0);
    const records = takesOffsets ? (batch.count ?? held) : held;
    context.begin(batch.time, batch.baseOffset, takesOffsets, records);
    for (const chunk of chunks) this.applyChunk(chunk);
    // The header promised more records than the payload has.
    while (context.recordsLeft > 0) this.refuseMalformed();
    return Buffer.from(context.rows.buffer);
  }

  /** From here on to the end of the batch only what is in memory counts. */
  private beginReading(): void {
    const { transfers } = this.tables;
    const isPrepared = transfers.rows.first === 0 || this.isPrepared;
    invariant(isPrepared, 'The ids of a batch must be looked up in the archive before it is applied.');
    this.isPrepared = false;
    transfers.isApplying = true;
  }

  /** Transfers that are remembered, in memory or in the archive. */
  get transfers(): TransferTable {
    return this.tables.transfers;
  }

  /** The ids that a batch names, whose rows must be handed in before it is applied: four words each, in one array. */
  idsIn(payload: Buffer): Uint32Array {
    return this.named.collect(this.chunksOf(payload));
  }

  /** The rows of the archive with the ids that the next batch names. */
  recall(rows: Iterable<ArchivedRow>): void {
    const { transfers } = this.tables;
    transfers.recalled.clear();
    for (const row of rows) transfers.recalled.add(transfers.hashOf(row.words, 0), row);
    this.isPrepared = true;
  }

  /** SHA-256 of a part of the state, another one for each number: see StateSlices. */
  sliceHash(number: number): Buffer {
    return this.slices.digest(number);
  }

  /** SHA-256 of the whole state, in hexadecimal digits. Walks all accounts, and what was added since the last call. */
  hash(): string {
    return this.hasher.hash();
  }

  /** Adds up everything and throws InvariantViolation where something that must always hold does not. Walks all ids. */
  assertInvariants(): void {
    assertInvariants(this.tables);
  }

  /** The state as it is now; batches that are applied while it is read do not show in it. */
  snapshot(): Iterable<Buffer> {
    return writeSnapshot(this.tables);
  }

  /** The chunks of a payload; none where it is malformed, since then nobody can say where a record begins. */
  private chunksOf(payload: Buffer): readonly Chunk[] {
    try {
      return iterateChunks(payload);
    } catch (error) {
      if (error instanceof ChunkFormatError) return [];
      throw error;
    }
  }

  private applyChunk(chunk: Chunk): void {
    const { context } = this;
    const count = Math.min(chunk.count, context.recordsLeft);
    if (chunk.type === RecordType.Value) context.skip(count);
    else if (chunk.type === RecordType.Ledger && chunk.width === PACKED_ROW_BYTES) this.applyRows(chunk.body, count);
    else if (chunk.type === RecordType.Ledger && chunk.width === 0) this.applyValues(chunk.body, count);
    else for (let i = 0; i < count; i++) this.refuseMalformed();
  }

  private applyRows(body: Buffer, count: number): void {
    const words = wordsOf(body, count * PACKED_ROW_BYTES);
    this.packedRules.apply(words, count, this.context);
  }

  /** Walks the records in place: a view of each would be an allocation of each. */
  private applyValues(body: Buffer, count: number): void {
    let at = 0;
    for (let i = 0; i < count;) {
      const grouped = this.applyCommand(body, at, count - i);
      for (let passed = 0; passed < grouped; passed++) at += LENGTH_BYTES + body.readUInt32LE(at);
      i += grouped;
    }
  }

  /**
   * Applies the record whose length stands at `at`; where a linked group begins with it, all of that.
   * @param left records in the chunk from this one on
   * @returns how many records it applied
   */
  private applyCommand(bytes: Buffer, at: number, left: number): number {
    const { range, fields, context } = this;
    const start = at + LENGTH_BYTES;
    range.find(bytes, start, start + bytes.readUInt32LE(at));
    if (range.field === LogRecordField.TRANSFER) {
      if (!decodeTransfer(this.wire, fields, bytes, range.start, range.end)) this.refuseMalformed();
      else if (fields.groupSize > 0) return this.applyGroup(bytes, at, left);
      else {
        this.transferRules.apply(fields, context);
        context.nextRecord();
      }
    } else this.applyOther(bytes);
    return 1;
  }

  /** What begins as a group and is none is refused record by record. */
  private applyGroup(bytes: Buffer, at: number, left: number): number {
    const applied = this.groupRules.apply(bytes, at, left, this.context);
    if (applied > 0) return applied;
    this.refuseMalformed();
    return 1;
  }

  private applyOther(bytes: Buffer): void {
    const { range, context } = this;
    const command = range.field === 0 ? undefined : decodeOther(range.field, bytes, range.start, range.end);
    const canBeUndone = command === undefined || command.kind === 'open_account';
    invariant(canBeUndone || !this.tables.isRehearsing, 'Of commands only openings of accounts can be rehearsed.');
    switch (command?.kind) {
      case undefined:
        return this.refuseMalformed();
      case 'open_account':
        this.accountRules.openAccount(command, context);
        break;
      case 'create_ledger':
        this.accountRules.createLedger(command, context);
        break;
      case 'update_account':
        this.accountUpdates.apply(command, context);
        break;
      case 'expire_hold':
        expireHold(this.tables, this.transferRules.holds, context);
        break;
      case 'set_dedup_age':
        // A bound that came with an offset was not the system's.
        if (context.offset >= 0) return this.refuseMalformed();
        // With the first ledger ids begin to be taken: what was promised of them then holds for ever, whoever asks again.
        if (this.tables.ledgers.count === 0) this.tables.dedupAge = command.ageMs * MICROS_PER_MILLI;
        context.write(ResultCode.OK, 0, 0, 0, undefined);
        break;
    }
    context.nextRecord();
  }

  private refuseMalformed(): void {
    this.context.write(ResultCode.MALFORMED_RECORD, 0, 0, 0, undefined);
    this.tables.count(ResultCode.MALFORMED_RECORD);
    this.context.nextRecord();
  }
}
