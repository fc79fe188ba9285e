import { isUtf8 } from 'node:buffer';
import { decodeLedgerRecord } from '../client';

/** Type of the ledger's records. */
export const LEDGER_RECORD = 1;

/** The value of a record as JSON shows it, wherever records are printed. */
export function recordJson(type: number, value: Buffer): object {
  if (type === LEDGER_RECORD) return { record: decodeLedgerRecord(value) };
  return isUtf8(value) ? { value: value.toString('utf8') } : { valueBase64: value.toString('base64') };
}
