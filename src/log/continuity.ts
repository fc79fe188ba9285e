import { type BatchHeader, NO_HASH } from './batch';
import { LogContinuityError } from './log-errors';
import type { LogBoundary } from './log-store';

/** What stands before the first entry of a log that never held one. */
export const NOTHING_BEFORE: LogBoundary = { index: 0, term: 0, nextOffset: 0, hash: NO_HASH, time: 0 };

/** The end of a log whose last batch has this header. The hash is copied: a view would keep the whole batch in memory. */
export function endAfter(header: BatchHeader): LogBoundary {
  return {
    index: header.index,
    term: header.term,
    nextOffset: header.baseOffset + header.count,
    hash: Buffer.from(header.hash),
    time: header.time,
  };
}

/** @returns what is wrong with a batch as the next one of a log that ends with `end`, as a clause; undefined where nothing is */
export function breakOfContinuity(end: LogBoundary, header: BatchHeader, group: number): string | undefined {
  if (header.group !== group) return `it belongs to group ${header.group}, the log to group ${group}`;
  if (header.index !== end.index + 1) return `index ${end.index + 1} is expected`;
  if (header.term < end.term) return `its term ${header.term} is below the term ${end.term} before it`;
  if (header.baseOffset !== end.nextOffset)
    return `it states offset ${header.baseOffset}, but ${end.nextOffset} is next`;
  if (header.time <= end.time) return `its time ${header.time} is not above the time ${end.time} before it`;
  if (!header.previousHash.equals(end.hash)) return 'its chain does not lead to the hash of the batch before it';
  return undefined;
}

/** @throws LogContinuityError where the batch cannot follow `end` */
export function assertContinues(end: LogBoundary, header: BatchHeader, group: number): void {
  const fault = breakOfContinuity(end, header, group);
  if (fault) throw new LogContinuityError(`Batch ${header.index} does not continue the log: ${fault}.`);
}

/** @throws LogContinuityError where no log can continue behind `at` */
export function assertBoundary(at: LogBoundary): void {
  for (const [name, value] of [
    ['index', at.index],
    ['term', at.term],
    ['next offset', at.nextOffset],
    ['time', at.time],
  ] as const) {
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new LogContinuityError(`The ${name} before a log is a safe integer of at least 0, but ${value} was given.`);
    }
  }
  if (at.hash.length !== NO_HASH.length) {
    throw new LogContinuityError(
      `The hash before a log has ${NO_HASH.length} bytes, but ${at.hash.length} were given.`,
    );
  }
}
