/** The records of a batch with what was decided about each, as a comparison reads them. */
import { type BatchHeader, BatchKind, payloadOf } from '../../log/batch';
import { type Chunk, ChunkFormatError, iterateChunks, LEDGER_ROW_BYTES, RecordType } from '../../log/chunk';
import { type Command, decodeCommand, type ReferringCommand, type TransferCommand } from '../command-codec';
import { decodeOutcomeRow, isOutcomeRowSet, OUTCOME_ROW_BYTES, type OutcomeRow } from '../outcome-row';
import { readPackedRow } from '../packed-rows';
import { ResultCode } from '../result-codes';

const NOTHING = Buffer.alloc(0);

export type AnyTransfer = TransferCommand | ReferringCommand;

export interface LogRecord {
  readonly bytes: Buffer;
  /** Undefined: nobody can decode it. */
  readonly command: Command | undefined;
}

/** A record of the ledger that is an event of its own: no repeat of an earlier one. */
export interface DecidedRecord extends LogRecord {
  readonly offset: number;
  readonly outcome: OutcomeRow;
}

/** Of a batch of records, by their place in it; undefined: not the ledger's. A payload that is malformed anywhere has none. */
export function recordsOf(batch: Buffer, header: BatchHeader): readonly LogRecord[] {
  if (header.kind !== BatchKind.Records) return [];
  const records: LogRecord[] = [];
  for (const chunk of wholeChunks(payloadOf(batch))) {
    for (let i = 0; i < chunk.count && records.length < header.count; i++) records.push(recordOf(chunk, i));
  }
  while (records.length < header.count) records.push({ bytes: NOTHING, command: undefined });
  return records;
}

/** @param outcomes what a replay decided, 64 bytes for each record; a producer's record has zeros */
export function decided(
  records: readonly LogRecord[],
  { baseOffset }: BatchHeader,
  outcomes: Buffer,
): readonly DecidedRecord[] {
  return records.flatMap((record, ordinal) => {
    const at = ordinal * OUTCOME_ROW_BYTES;
    if (!isOutcomeRowSet(outcomes, at)) return [];
    const outcome = decodeOutcomeRow(outcomes, at);
    return outcome.replayed ? [] : [{ ...record, offset: baseOffset + ordinal, outcome }];
  });
}

export function isMalformed({ outcome }: DecidedRecord): boolean {
  return outcome.result === ResultCode.MALFORMED_RECORD;
}

/** The transfer that a row of `ledger.transfers` is of; `expiry` where the ledger let go of a hold by itself. */
export function transferOf(record: DecidedRecord): AnyTransfer | 'expiry' | undefined {
  const { command, outcome } = record;
  if (isMalformed(record) || command === undefined) return undefined;
  if (command.kind === 'expire_hold') return outcome.effect === 'released' ? 'expiry' : undefined;
  return command.kind === 'transfer' || command.kind === 'refer' ? command : undefined;
}

function wholeChunks(payload: Buffer): readonly Chunk[] {
  try {
    return iterateChunks(payload);
  } catch (error) {
    if (error instanceof ChunkFormatError) return [];
    throw error;
  }
}

function recordOf(chunk: Chunk, ordinal: number): LogRecord {
  const bytes = chunk.record(ordinal);
  if (chunk.type !== RecordType.Ledger) return { bytes, command: undefined };
  return { bytes, command: chunk.width === LEDGER_ROW_BYTES ? packed(bytes) : decodeCommand(bytes) };
}

function packed(bytes: Buffer): TransferCommand {
  const row = readPackedRow(bytes);
  return {
    kind: 'transfer',
    id: { kind: 'uuid', bytes: Buffer.from(row.id.buffer, row.id.byteOffset, row.id.length) },
    ...{ debit: { handle: row.debitHandle }, credit: { handle: row.creditHandle }, amount: { minor: row.amount } },
    ...{ ledger: '', code: row.code, userData: row.userData, metadata: NOTHING, flags: row.flags },
  };
}
