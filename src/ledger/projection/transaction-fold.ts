import { BatchKind, type BatchHeader, payloadOf, verifyBatch } from '../../log/batch';
import { type Chunk, ChunkFormatError, iterateChunks, RecordType } from '../../log/chunk';
import { type Command, decodeCommand, type TransferCommand } from '../command-codec';
import { decodeOutcomeRow, isOutcomeRowSet, OUTCOME_ROW_BYTES, type OutcomeRow } from '../outcome-row';
import { PACKED_ROW_BYTES, readPackedRow } from '../packed-rows';
import { ResultCode } from '../result-codes';
import { AccountRows } from './account-rows';
import { ChangedAccounts } from './changed-accounts';
import { ChangedHolds } from './changed-holds';
import { type Checkpoint } from './checkpoint';
import { type Queries } from './database';
import { DatedTotals } from './dated-totals';
import { type KnownAccounts } from './known-accounts';
import { type KnownLedgers } from './known-ledgers';
import { needsOf } from './outcome-needs';
import { type Place } from './place';
import { type FetchedBatch } from './source';
import { NewRows, type TableRows, type TransferTableRows } from './table-rows';
import { TransferRows } from './transfer-rows';

const NOTHING = Buffer.alloc(0);

/** Where a transaction ends: the checkpoint after it, and the time of its last batch in microseconds. */
export type TransactionEnd = Checkpoint & { readonly batchTime: number };

/** What the rows of a database say that its next rows begin from. */
export interface KnownRows {
  readonly ledgers: KnownLedgers;
  readonly accounts: KnownAccounts;
}

/**
 * Gathers consecutive batches into the rows, balances and checkpoint of one transaction. What is known grows and changes
 * with them: it is of no use any more when the transaction is not committed.
 */
export class TransactionFold {
  readonly accounts = new ChangedAccounts();
  readonly holds: ChangedHolds;
  readonly dated = new DatedTotals();
  /** Records that took an offset. */
  records = 0;
  /** Of the batches, as they are in the log. */
  bytes = 0;
  private readonly rows: NewRows;
  private readonly accountRows: AccountRows;
  private readonly transferRows: TransferRows;
  private at: TransactionEnd;
  /** Of its first record. */
  readonly firstOffset: number;

  constructor(
    from: Checkpoint,
    private readonly group: number,
    private readonly known: KnownRows,
    /** Offset from which on transfers are kept apart; see {@link NewRows}. */
    boundary = Infinity,
  ) {
    const { ledgers, accounts } = known;
    this.rows = new NewRows(boundary);
    this.at = { ...from, batchTime: 0 };
    this.firstOffset = from.offset + 1;
    this.holds = new ChangedHolds(group);
    this.accountRows = new AccountRows(this.rows, ledgers, accounts, this.accounts);
    this.transferRows = new TransferRows({
      rows: this.rows,
      ledgers,
      accounts,
      changed: this.accounts,
      holds: this.holds,
      dated: this.dated,
      accountRows: this.accountRows,
    });
  }

  get lastIndex(): number {
    return this.at.index;
  }

  get lastOffset(): number {
    return this.at.offset;
  }

  /** Rows of `ledger.transfers`. */
  get transfers(): number {
    return this.rows.transfers.count + this.rows.transfersBeyond.count;
  }

  /** Offsets of refused transfers that spend their id, unless an earlier row has spent it. */
  get undecided(): readonly number[] {
    return this.transferRows.undecided;
  }

  /**
   * Reads, of what the next batches name, what is not known yet. Before they are added.
   * @param settled resolves with the database when what was written before can be read
   */
  async prepare(settled: () => Promise<Queries>, batches: readonly FetchedBatch[]): Promise<void> {
    const { accounts, ledgers } = this.known;
    const outcomes = batches.map((batch) => batch.outcomes);
    const { handles, holds } = needsOf(outcomes, (handle) => accounts.has(handle));
    if (handles.size === 0 && holds.length === 0) return;
    const database = await settled();
    await accounts.load(database, [...handles], ledgers);
    await this.holds.load(database, holds);
  }

  /**
   * @param outcomes 64 bytes a record for a batch of records
   * @throws Error when the batch is damaged, or is not the one that follows
   */
  add(batch: Buffer, outcomes: Buffer): void {
    const header = verifyBatch(batch);
    this.assertFollows(header, outcomes);
    if (header.kind === BatchKind.Records) this.addRecords(header, payloadOf(batch), outcomes);
    else if (header.kind === BatchKind.System) this.addSystemRecords(header, payloadOf(batch));
    if (header.count > 0) this.addBatch(header);
    this.records += header.count;
    this.bytes += batch.length;
    this.at = {
      index: header.index,
      offset: header.baseOffset + header.count - 1,
      // A copy: the batch's memory is not to be held for 32 bytes of it.
      hash: Buffer.from(header.hash),
      batchTime: header.time,
    };
  }

  /** Nothing can be added any more. */
  end(): TransactionEnd {
    this.accounts.end(this.rows.balances);
    this.holds.copyMade(this.rows.holds);
    return this.at;
  }

  copies(): readonly (TableRows | TransferTableRows)[] {
    return this.rows.tables();
  }

  private addBatch({ baseOffset, count, time }: BatchHeader): void {
    const { batches } = this.rows;
    batches.row();
    batches.int4(this.group);
    batches.int8(baseOffset + count - 1);
    batches.int8(baseOffset);
    batches.timestamptz(time);
  }

  private assertFollows(header: BatchHeader, outcomes: Buffer): void {
    const { index, offset, hash } = this.at;
    if (header.group !== this.group || header.index !== index + 1) {
      throw new Error(
        `The node gave batch ${header.index} of group ${header.group}; batch ${index + 1} of group ${this.group} was asked for.`,
      );
    }
    if (!header.previousHash.equals(hash) || header.baseOffset !== offset + 1) {
      throw new Error(
        `The database holds another history than this node's log: batch ${header.index} follows offset ` +
          `${header.baseOffset - 1} and hash ${header.previousHash.toString('hex')}, the checkpoint has offset ${offset} ` +
          `and hash ${hash.toString('hex')}. Rebuild the projection.`,
      );
    }
    const expected = header.kind === BatchKind.Records ? header.count * OUTCOME_ROW_BYTES : 0;
    if (outcomes.length !== expected) {
      throw new Error(
        `Batch ${header.index} came with ${outcomes.length} bytes of outcomes; ${expected} were expected for its ` +
          `${header.count} records.`,
      );
    }
  }

  /** What the state machine could not read has an outcome all the same, and no bytes to show for it. */
  private addRecords(header: BatchHeader, payload: Buffer, outcomes: Buffer): void {
    let ordinal = 0;
    for (const chunk of chunksOf(payload)) {
      const count = Math.min(chunk.count, header.count - ordinal);
      for (let i = 0; i < count; i++, ordinal++) {
        if (chunk.type === RecordType.Value || this.addPacked(header, ordinal, chunk, i, outcomes)) continue;
        this.addRecord(header, ordinal, chunk.width, chunk.record(i), outcomes);
      }
    }
    for (; ordinal < header.count; ordinal++) this.addRecord(header, ordinal, 0, NOTHING, outcomes);
  }

  /** Nothing where it is not a packed row of the usual kind. */
  private addPacked(header: BatchHeader, ordinal: number, chunk: Chunk, i: number, outcomes: Buffer): boolean {
    if (chunk.width !== PACKED_ROW_BYTES) return false;
    const place = { group: this.group, offset: header.baseOffset + ordinal, time: header.time };
    return this.transferRows.packedDone(chunk.body, i * PACKED_ROW_BYTES, outcomes, ordinal * OUTCOME_ROW_BYTES, place);
  }

  private addRecord(header: BatchHeader, ordinal: number, width: number, bytes: Buffer, outcomes: Buffer): void {
    const at = ordinal * OUTCOME_ROW_BYTES;
    const place = { group: this.group, offset: header.baseOffset + ordinal, time: header.time };
    if (!isOutcomeRowSet(outcomes, at)) {
      throw new Error(`The node gave the record at offset ${place.offset} without its outcome.`);
    }
    const outcome = decodeOutcomeRow(outcomes, at);
    if (outcome.replayed) return;
    if (outcome.result === ResultCode.MALFORMED_RECORD) return this.addMalformed(bytes, place);
    const command = width === PACKED_ROW_BYTES ? packedCommand(bytes) : decodeCommand(bytes);
    if (command === undefined) {
      throw new Error(`The record at offset ${place.offset} has an outcome, but cannot be decoded by this program.`);
    }
    this.addCommand(command, outcome, place);
  }

  private addCommand(command: Command, outcome: OutcomeRow, place: Place): void {
    const done = outcome.result === ResultCode.OK;
    switch (command.kind) {
      case 'transfer':
      case 'refer':
        this.transferRows.transfer(command, outcome, place);
        break;
      case 'expire_hold':
        // Without one nothing had expired, and nothing happened.
        if (outcome.effect === 'released') this.transferRows.expiry(outcome, place);
        break;
      case 'update_account':
        this.accountRows.change(command, outcome, place);
        break;
      case 'open_account':
        if (done) this.accountRows.opened(command, outcome, place);
        break;
      case 'create_ledger':
        if (done) this.accountRows.createdLedger(command, outcome.ledgerNumber, place);
        break;
      case 'set_dedup_age':
        break;
    }
  }

  private addMalformed(bytes: Uint8Array, { group, offset, time }: Place): void {
    const { malformed } = this.rows;
    malformed.row();
    malformed.int4(group);
    malformed.int8(offset);
    malformed.timestamptz(time);
    malformed.bytes(bytes);
  }

  /** They take no offsets, so no outcome is kept for them. */
  private addSystemRecords(header: BatchHeader, payload: Buffer): void {
    const place = { group: this.group, offset: -1, time: header.time };
    for (const chunk of chunksOf(payload)) {
      if (chunk.type !== RecordType.Ledger || chunk.width !== 0) continue;
      for (let i = 0; i < chunk.count; i++) {
        const command = decodeCommand(chunk.record(i));
        if (command?.kind === 'create_ledger') this.accountRows.systemLedger(command, place);
        else if (command && command.kind !== 'set_dedup_age') {
          throw new Error(
            `Batch ${header.index} of the system has a command "${command.kind}" whose outcome this program cannot know: upgrade this node.`,
          );
        }
      }
    }
  }
}

/** As the state machine reads a payload: one that is malformed anywhere has no chunks at all. */
function chunksOf(payload: Buffer): readonly Chunk[] {
  try {
    return iterateChunks(payload);
  } catch (error) {
    if (error instanceof ChunkFormatError) return [];
    throw error;
  }
}

function packedCommand(bytes: Buffer): TransferCommand {
  const { id, debitHandle, creditHandle, amount, code, userData, flags } = readPackedRow(bytes);
  return {
    kind: 'transfer',
    id: { kind: 'uuid', bytes: Buffer.from(id.buffer, id.byteOffset, id.length) },
    debit: { handle: debitHandle },
    credit: { handle: creditHandle },
    amount: { minor: amount },
    ledger: '',
    code,
    userData,
    metadata: NOTHING,
    flags,
  };
}
