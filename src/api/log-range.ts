/** Where the log begins and ends, said to those who asked for what lies outside. */
import { Fault } from './errors';
import { type RecordPage } from './node-port';

/** OUT_OF_RANGE for an offset that is not in the log, with where the log begins and ends in the details. */
export function outsideLog(offset: number, page: Pick<RecordPage, 'firstOffset' | 'nextOffset'>): Fault {
  const details = { first_offset: String(page.firstOffset), next_offset: String(page.nextOffset) };
  if (offset < page.firstOffset) {
    const message = `Offset ${offset} is no longer retained; the log now begins at offset ${page.firstOffset}.`;
    return new Fault('OUT_OF_RANGE', 'OFFSET_NOT_RETAINED', message, { details });
  }
  const message = `Offset ${offset} is beyond the end of the log; the next record will have offset ${page.nextOffset}.`;
  return new Fault('OUT_OF_RANGE', 'OFFSET_BEYOND_END', message, { details });
}
