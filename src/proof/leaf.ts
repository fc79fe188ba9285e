import { BatchKind, type BatchHeader } from '../log/batch';
import { leafHash, sha256 } from './hashes';

const NO_OUTCOMES = sha256(Buffer.alloc(0));

/**
 * The leaf of an entry of the log, from its batch's header and the outcomes of its records.
 * @param outcomes 64 bytes for each record; not looked at where the entry is no batch of records
 */
export function leafOf(header: Pick<BatchHeader, 'kind' | 'count' | 'hash'>, outcomes: Buffer): Buffer {
  const hasRecords = header.kind === BatchKind.Records && header.count > 0;
  return leafHash(header.hash, hasRecords ? sha256(outcomes) : NO_OUTCOMES);
}
