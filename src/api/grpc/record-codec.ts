/** Records of the log between their wire form and the node's. */
import { type Record, type RecordOut } from '../../proto/log-v1';
import { invalid } from '../errors';
import { type Limits } from '../limits';
import { type LogRecordView } from '../node-port';

/** The value that a producer wants in the log. Throws the fault of its shape. */
export function producedValue(record: Record | null, limits: Limits): Buffer {
  if (record === null) {
    throw invalid('record', 'RECORD_REQUIRED', 'A request to produce must carry a record; its value may be empty.');
  }
  if (record.type !== 0) {
    throw invalid(
      'record.type',
      'RECORD_TYPE_RESERVED',
      `Record type ${record.type} is not for producers: they write type 0, the ledger writes the others.`,
    );
  }
  if (record.value.length > limits.recordBytes) {
    throw invalid(
      'record.value',
      'RECORD_TOO_LARGE',
      `The value has ${record.value.length} bytes; at most ${limits.recordBytes} are taken.`,
    );
  }
  return record.value;
}

export function recordOut(view: LogRecordView): RecordOut {
  return { value: view.value, offset: view.offset, term: view.term, type: view.type, timestamp: view.timestamp };
}

/** An offset from the wire. Beyond 2^53 no log reaches, so that all of those are one place: far beyond the end. */
export function offsetOf(text: string): number {
  return Math.min(Number(text), Number.MAX_SAFE_INTEGER);
}
