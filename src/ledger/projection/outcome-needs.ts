import { OUTCOME_ROW_BYTES, OutcomeFlag } from '../outcome-row';

const TWO_TO_32 = 2 ** 32;
const HOLD_UPPER = 2 ** 24;

/** What has to be known before the rows of some outcomes can be made. */
export interface OutcomeNeeds {
  readonly handles: ReadonlySet<number>;
  /** Holds that are posted in part: their outcomes do not say how much is let go of. */
  readonly holds: readonly number[];
}

/** @param isKnown whether an account need not be read */
export function needsOf(outcomes: readonly Buffer[], isKnown: (handle: number) => boolean): OutcomeNeeds {
  const handles = new Set<number>();
  const holds: number[] = [];
  for (const rows of outcomes) {
    for (let at = 0; at < rows.length; at += OUTCOME_ROW_BYTES) {
      const flags = rows.readUInt16LE(at + 2);
      // A repeat is no row, and a gap has no accounts.
      if ((flags & OutcomeFlag.ROW_IS_SET) === 0 || (flags & OutcomeFlag.REPLAYED) !== 0) continue;
      const debit = rows.readUInt32LE(at + 12) * TWO_TO_32 + rows.readUInt32LE(at + 8);
      const credit = rows.readUInt32LE(at + 20) * TWO_TO_32 + rows.readUInt32LE(at + 16);
      if (debit !== 0 && !isKnown(debit)) handles.add(debit);
      if (credit !== 0 && !isKnown(credit)) handles.add(credit);
      if ((flags & OutcomeFlag.POSTS_PART) !== 0) {
        holds.push(rows.readUInt8(at + 1) * HOLD_UPPER + rows.readUIntLE(at + 57, 3));
      }
    }
  }
  return { handles, holds };
}
