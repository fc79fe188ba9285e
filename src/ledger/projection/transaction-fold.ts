import { BatchKind, type BatchHeader, payloadOf, verifyBatch } from '../../log/batch';
import { type Chunk, ChunkFormatError, iterateChunks, RecordType } from '../../log/chunk';
import { type Command, decodeCommand, type TransferCommand } from '../command-codec';
import { decodeOutcomeRow, isOutcomeRowSet, OUTCOME_ROW_BYTES, type OutcomeRow } from '../outcome-row';
import { PACKED_ROW_BYTES, readPackedRow } from '../packed-rows';
import { ResultCode } from '../result-codes';
import { BalanceSums } from './balance-sums';
import { type Checkpoint } from './checkpoint';
import { type KnownLedgers } from './known-ledgers';
import { type Place, RecordRows } from './record-rows';
import { NewRows, type TableRows } from './table-rows';

const NOTHING = Buffer.alloc(0);

/** Where a transaction ends: the checkpoint after it, and the time of its last batch in microseconds. */
export type TransactionEnd = Checkpoint & { readonly batchTime: number };

/** Gathers consecutive batches into the rows, balances and checkpoint of one transaction. */
export class TransactionFold {
  readonly balances = new BalanceSums();
  /** Records that took an offset. */
  records = 0;
  /** Of the batches, as they are in the log. */
  bytes = 0;
  private readonly rows = new NewRows();
  private readonly recordRows: RecordRows;
  private at: TransactionEnd;

  /** @param ledgers grows with what the batches create: of no use any more when the transaction is not committed */
  constructor(
    from: Checkpoint,
    private readonly group: number,
    ledgers: KnownLedgers,
  ) {
    this.at = { ...from, batchTime: 0 };
    this.recordRows = new RecordRows(this.rows, this.balances, ledgers);
  }

  get lastIndex(): number {
    return this.at.index;
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

  end(): TransactionEnd {
    return this.at;
  }

  copies(): readonly TableRows[] {
    return this.rows.tables();
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
        if (chunk.type === RecordType.Value) continue;
        this.addRecord(header, ordinal, chunk.width, chunk.record(i), outcomes);
      }
    }
    for (; ordinal < header.count; ordinal++) this.addRecord(header, ordinal, 0, NOTHING, outcomes);
  }

  private addRecord(header: BatchHeader, ordinal: number, width: number, bytes: Buffer, outcomes: Buffer): void {
    const at = ordinal * OUTCOME_ROW_BYTES;
    const place = { group: this.group, offset: header.baseOffset + ordinal, time: header.time };
    if (!isOutcomeRowSet(outcomes, at)) {
      throw new Error(`The node gave the record at offset ${place.offset} without its outcome.`);
    }
    if (width === PACKED_ROW_BYTES && this.recordRows.packedDone(bytes, outcomes, at, place)) return;
    const outcome = decodeOutcomeRow(outcomes, at);
    if (outcome.replayed) return;
    if (outcome.result === ResultCode.MALFORMED_RECORD) return this.recordRows.malformed(bytes, place);
    const command = width === PACKED_ROW_BYTES ? packedCommand(bytes) : decodeCommand(bytes);
    if (command === undefined) {
      throw new Error(`The record at offset ${place.offset} has an outcome, but cannot be decoded by this program.`);
    }
    this.addCommand(command, outcome, place);
  }

  private addCommand(command: Command, outcome: OutcomeRow, place: Place): void {
    const done = outcome.result === ResultCode.OK;
    if (outcome.effect !== 'none') throw notProjected('a hold', place);
    switch (command.kind) {
      case 'transfer':
        this.recordRows.transfer(command, outcome, place);
        break;
      case 'open_account':
        if (done) this.recordRows.openedAccount(command, outcome, place);
        break;
      case 'create_ledger':
        if (done) this.recordRows.createdLedger(command, outcome.ledgerNumber, place);
        break;
      default:
        throw notProjected(`a command "${command.kind}"`, place);
    }
  }

  /** They take no offsets, so no outcome is kept for them. */
  private addSystemRecords(header: BatchHeader, payload: Buffer): void {
    const place = { group: this.group, offset: -1, time: header.time };
    for (const chunk of chunksOf(payload)) {
      if (chunk.type !== RecordType.Ledger || chunk.width !== 0) continue;
      for (let i = 0; i < chunk.count; i++) {
        const command = decodeCommand(chunk.record(i));
        if (command?.kind === 'create_ledger') this.recordRows.systemLedger(command, place);
        else if (command && command.kind !== 'set_dedup_age') {
          throw new Error(
            `Batch ${header.index} of the system has a command "${command.kind}" whose outcome this program cannot know: upgrade this node.`,
          );
        }
      }
    }
  }
}

/** No door takes these yet. A record without its rows would make the balances wrong, so the projection stops and says so. */
function notProjected(what: string, place: Place): Error {
  return new Error(
    `The record at offset ${place.offset} has ${what}, which this program cannot project: upgrade this node.`,
  );
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
