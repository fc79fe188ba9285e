import { createHash } from 'node:crypto';
import { isUtf8 } from 'node:buffer';
import { type AccountInput, type TransferInput } from '../../../client';
import { formatUuid } from '../../../ledger/identifiers';
import { UsageError } from '../terminal';
import { csvFields } from './csv-fields';
import { type InputRecord } from './input-records';
import { ACCOUNT_COLUMNS, readValues, RowFault, TRANSFER_COLUMNS } from './row-columns';

export type ImportKind = 'accounts' | 'transfers';
export type ImportFormat = 'csv' | 'ndjson';

export interface ReaderOptions {
  readonly format: ImportFormat;
  /** Left out: accounts where there is a `name`, else transfers. */
  readonly kind: ImportKind | undefined;
  /** Of rows that name none. */
  readonly ledger: string | undefined;
  /** Makes the ids of rows that have none; without it they are refused. */
  readonly namespace: string | undefined;
}

/** One row as it is read: a transfer, an account, or what is wrong with it. */
export interface ImportRow {
  readonly record: InputRecord;
  readonly transfer?: TransferInput & { readonly id: string };
  readonly account?: AccountInput;
  readonly fault?: string;
  /** Empty: none. Undefined: that cannot be known, because the row cannot be read. */
  readonly transaction: string | undefined;
}

const BYTE_ORDER_MARK = '\ufeff';

/** Makes rows of records. The first record of CSV is the header and gives none. */
export class RowReader {
  private header: readonly string[] | undefined;
  private known: ImportKind | undefined;

  constructor(private readonly options: ReaderOptions) {
    this.known = options.kind;
  }

  /** What is imported; transfers where no row has been seen yet. */
  get kind(): ImportKind {
    return this.known ?? 'transfers';
  }

  /** The record of the header is kept for whoever writes rows down again. */
  headerBytes: Buffer | undefined;

  /** Undefined: the record is no row (the header, an empty line). Throws UsageError for a header that cannot be. */
  read(record: InputRecord): ImportRow | undefined {
    if (record.bytes.length === 0) return undefined;
    if (!isUtf8(record.bytes)) return { record, fault: 'the row is not UTF-8', transaction: undefined };
    const decoded = record.bytes.toString('utf8');
    const text = record.line === 1 && decoded.startsWith(BYTE_ORDER_MARK) ? decoded.slice(1) : decoded;
    if (this.options.format === 'csv' && !this.header) {
      this.takeHeader(text);
      this.headerBytes = Buffer.from(text, 'utf8');
      return undefined;
    }
    try {
      const entries = this.options.format === 'csv' ? this.csvEntries(text) : jsonEntries(text);
      return this.rowOf(record, entries);
    } catch (error) {
      if (error instanceof RowFault) return { record, fault: error.message, transaction: undefined };
      throw error;
    }
  }

  private takeHeader(text: string): void {
    const names = csvFields(text);
    if (typeof names === 'string') throw new UsageError(`import: the header has ${names}`);
    this.known ??= names.includes('name') ? 'accounts' : 'transfers';
    const strange = names.find((name) => !this.columns.has(name));
    if (strange !== undefined) {
      const known = [...this.columns.keys()].join(', ');
      const what = `import: ${JSON.stringify(strange)} in the header is no column of ${this.known}`;
      throw new UsageError(`${what}; they are ${known}`);
    }
    if (new Set(names).size < names.length) throw new UsageError('import: a name stands in the header twice');
    this.header = names;
  }

  private csvEntries(text: string): [string, unknown][] {
    const { header = [] } = this;
    const fields = csvFields(text);
    if (typeof fields === 'string') throw new RowFault(`the row has ${fields}`);
    if (fields.length !== header.length) {
      throw new RowFault(`the row has ${fields.length} fields, the header ${header.length}`);
    }
    return header.map((name, i) => [name, fields[i]]);
  }

  private get columns(): typeof TRANSFER_COLUMNS {
    return this.kind === 'accounts' ? ACCOUNT_COLUMNS : TRANSFER_COLUMNS;
  }

  private rowOf(record: InputRecord, entries: readonly (readonly [string, unknown])[]): ImportRow {
    this.known ??= entries.some(([name]) => name === 'name') ? 'accounts' : 'transfers';
    const said = entries.find(([name]) => name === 'transaction')?.[1] ?? '';
    const transaction = typeof said === 'string' ? said : undefined;
    try {
      const values = readValues(this.columns, entries);
      if (this.kind === 'accounts') return { record, account: this.accountOf(values), transaction: '' };
      return { record, transfer: this.transferOf(values, record.line), transaction };
    } catch (error) {
      if (error instanceof RowFault) return { record, fault: error.message, transaction };
      throw error;
    }
  }

  private accountOf(values: Record<string, unknown>): AccountInput {
    if (values['name'] === undefined) throw new RowFault('name is missing');
    return { ledger: this.options.ledger ?? 'USD', ...values } as unknown as AccountInput;
  }

  private transferOf(values: Record<string, unknown>, line: number): TransferInput & { readonly id: string } {
    const { ledger, namespace } = this.options;
    delete values['transaction'];
    if (values['id'] === undefined) {
      if (namespace === undefined) throw new RowFault('id is missing; --derive-ids makes ids of the line numbers');
      values['id'] = derivedId(namespace, line);
    }
    if (ledger !== undefined) values['ledger'] ??= ledger;
    return values as unknown as TransferInput & { readonly id: string };
  }
}

function jsonEntries(text: string): [string, unknown][] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new RowFault('the row is not JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new RowFault('the row is no JSON object');
  return Object.entries(value);
}

/**
 * The id of a row that has none: a UUID of version 8 (RFC 9562, 5.8) out of SHA-256 of the namespace, a line feed, and the number
 * of the line in decimal digits. The content is not in it: a row that was done and is then changed in the file is refused, not paid
 * again.
 */
export function derivedId(namespace: string, line: number): string {
  const bytes = createHash('sha256').update(`${namespace}\n${line}`).digest().subarray(0, 16);
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  return formatUuid(bytes);
}
