/** Rows that wait to be written, laid over those that the file holds. */

/** Of one record's outcome. */
export const ROW_BYTES = 64;

/** Copies the part of `source`, rows from `sourceOffset` on, that `target`, rows from `targetOffset` on, has too. */
export function lay(target: Buffer, targetOffset: number, source: Buffer, sourceOffset: number): void {
  const from = Math.max(targetOffset, sourceOffset);
  const to = Math.min(targetOffset + target.length / ROW_BYTES, sourceOffset + source.length / ROW_BYTES);
  if (from >= to) return;
  source.copy(
    target,
    (from - targetOffset) * ROW_BYTES,
    (from - sourceOffset) * ROW_BYTES,
    (to - sourceOffset) * ROW_BYTES,
  );
}
