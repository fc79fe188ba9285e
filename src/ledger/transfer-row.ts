/**
 * A remembered id: 72 bytes that hold everything that a repeat and a look-up need, so that neither needs the log. A row is
 * written once and never changes.
 */
export const TRANSFER_WORDS = 18;
export const TRANSFER_PAGE_SHIFT = 14;
export const Row = {
  ID: 0,
  /** Handles; 0: named in the extras. */
  DEBIT: 4,
  CREDIT: 5,
  /** Minor units, or a decimal's coefficient where the flag says so. */
  AMOUNT: 6,
  USER_DATA: 10,
  CODE: 12,
  OFFSET: 13,
  /** Bits 0-15 the upper part of the offset, 16-23 the result, 24-31 flags. */
  OFFSET_HIGH_RESULT_FLAGS: 14,
  TIMESTAMP: 15,
  /** What it has beyond the row (RowExtras): bytes of the entry; of the oldest rows a reference into the arena. 0: nothing. */
  EXTRAS: 17,
} as const;

/** From bit 2 on the transfer's own flags (`TransferFlag`). */
export const RowFlag = { TEXT_ID: 1, DECIMAL_AMOUNT: 2 } as const;
export const ROW_TRANSFER_FLAGS_SHIFT = 2;

/**
 * Bytes of the extras of some rows, whose words lie one behind the other from `at` on.
 * @param row number of the first of them
 * @param lengthsFrom the first row that says how long its entry is: what those before it have is in the arena
 */
export function extrasBytes(words: Uint32Array, at: number, row: number, rows: number, lengthsFrom: number): number {
  let bytes = 0;
  for (let i = Math.max(0, lengthsFrom - row); i < rows; i++) {
    bytes += words[at + i * TRANSFER_WORDS + Row.EXTRAS] as number;
  }
  return bytes;
}
