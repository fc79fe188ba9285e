import {
  type AccountInput,
  ClientReason,
  type LedgerClient,
  LedgerError,
  packTransfers,
  type RowsOutcome,
  type TransferInput,
} from '../../../client';
import { resultInfo } from '../../../ledger/result-codes';
import { type Unit } from './input-chunks';
import { PackableRows } from './packable-rows';
import { type ImportRow } from './row-reader';

/** What became of a row. */
export interface RowResult {
  readonly row: ImportRow;
  readonly result: string;
  readonly message: string;
  readonly replayed: boolean;
}

/** Bytes of a call, as they are estimated from the text: the server takes 1 MiB, the client sends 768 KiB at once. */
const MAX_BYTES = 640 * 1024;
/** What a row has besides its text: names of fields, a derived id. */
const BYTES_BESIDES = 80;

type Transfer = TransferInput & { readonly id: string };

/** What becomes of the rows of an import. */
export interface RowTaker {
  /** In the order of the rows. `isAll`: these are all that there are. */
  take(units: readonly Unit[], isAll: boolean): Promise<RowResult[]>;
}

/** Sends rows in their order: nothing is sent before what stands before it is answered. */
export class RowSender implements RowTaker {
  private readonly packable: PackableRows;

  constructor(private readonly client: LedgerClient) {
    this.packable = new PackableRows(client);
  }

  /** In the order of the rows. Rejects with a LedgerError where it is not known what became of them. */
  async take(units: readonly Unit[]): Promise<RowResult[]> {
    const results: RowResult[] = [];
    let single: ImportRow[] = [];
    const flush = async (): Promise<void> => {
      for (const part of partsOf(single)) results.push(...(await this.sendSingle(part)));
      single = [];
    };
    for (const unit of units) {
      if (unit.transaction === '') single.push(...unit.rows);
      else {
        await flush();
        results.push(...(await this.sendTransaction(unit)));
      }
    }
    await flush();
    return results;
  }

  private async sendSingle(rows: readonly ImportRow[]): Promise<RowResult[]> {
    const good = rows.filter(({ fault }) => fault === undefined);
    const answers = await this.answersTo(good);
    let next = 0;
    return rows.map((row) => (row.fault === undefined ? (answers[next++] as RowResult) : malformed(row)));
  }

  private async answersTo(rows: readonly ImportRow[]): Promise<RowResult[]> {
    if (rows.length === 0) return [];
    const accounts = rows.flatMap(({ account }) => (account ? [account] : []));
    if (accounts.length > 0) return this.openAccounts(rows, accounts);
    const transfers = rows.flatMap(({ transfer }) => (transfer ? [transfer] : []));
    const packed = await this.packable.pack(transfers);
    if (packed === undefined) return this.sendMessages(rows, transfers);
    return packedResults(rows, await this.client.submitRows(packTransfers(packed)));
  }

  private async openAccounts(rows: readonly ImportRow[], accounts: readonly AccountInput[]): Promise<RowResult[]> {
    const outcomes = await this.client.openAccounts(accounts);
    return outcomes.map(({ result, message, replayed }, i) => ({
      row: rows[i] as ImportRow,
      result,
      message,
      replayed,
    }));
  }

  private async sendMessages(rows: readonly ImportRow[], transfers: readonly Transfer[]): Promise<RowResult[]> {
    const answers = await Promise.allSettled(transfers.map((transfer) => this.client.transfer(transfer)));
    return answers.map((answer, i) => {
      const row = rows[i] as ImportRow;
      if (answer.status === 'fulfilled') {
        const { result, message, replayed } = answer.value;
        return { row, result, message, replayed };
      }
      return refusedByClient(row, answer.reason);
    });
  }

  private async sendTransaction({ transaction, rows }: Unit): Promise<RowResult[]> {
    if (rows.some(({ fault }) => fault !== undefined)) {
      return rows.map((row) => (row.fault === undefined ? linkedFailed(row) : malformed(row)));
    }
    const transfers = rows.flatMap(({ transfer }) => (transfer ? [transfer] : []));
    try {
      const outcome = await this.client.transaction({ id: transaction, transfers });
      return outcome.transfers.map(({ result, message, replayed }, i) => {
        return { row: rows[i] as ImportRow, result, message, replayed };
      });
    } catch (error) {
      if (!(error instanceof LedgerError) || error.code !== 'INVALID_ARGUMENT') throw error;
      const { message } = error;
      return rows.map((row) => ({ row, result: 'malformed_row', message, replayed: false }));
    }
  }
}

/** What a row takes in a call, estimated from its text. */
export function rowBytes(row: ImportRow): number {
  return row.record.raw.length + BYTES_BESIDES;
}

/** Rows that fit one call. */
function partsOf(rows: readonly ImportRow[]): ImportRow[][] {
  const parts: ImportRow[][] = [];
  let bytes = Infinity;
  for (const row of rows) {
    const size = rowBytes(row);
    if (bytes + size > MAX_BYTES) {
      parts.push([]);
      bytes = 0;
    }
    bytes += size;
    parts[parts.length - 1]?.push(row);
  }
  return parts;
}

function packedResults(rows: readonly ImportRow[], outcome: RowsOutcome): RowResult[] {
  const results = rows.map((row): RowResult => ({ row, result: 'ok', message: '', replayed: false }));
  for (const note of [...outcome.refused, ...outcome.repeats]) {
    const row = rows[note.row] as ImportRow;
    const { name, message } = resultInfo(note.result);
    results[note.row] = { row, result: name, message, replayed: note.replayed };
  }
  return results;
}

export function malformed(row: ImportRow): RowResult {
  return { row, result: 'malformed_row', message: row.fault ?? '', replayed: false };
}

export function linkedFailed(row: ImportRow): RowResult {
  const message = 'A row of its transaction cannot be read.';
  return { row, result: 'linked_transfer_failed', message, replayed: false };
}

/** What the client itself does not send is a fault of the row; anything else ends the import. */
function refusedByClient(row: ImportRow, error: unknown): RowResult {
  const isOfRow = error instanceof LedgerError && error.reason === ClientReason.INVALID_ARGUMENT;
  if (!isOfRow) throw error;
  return { row, result: 'malformed_row', message: error.message, replayed: false };
}
