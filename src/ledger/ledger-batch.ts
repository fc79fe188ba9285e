/** A committed batch, as much as the ledger needs of its header. */
export interface LedgerBatch {
  /** Microseconds since the Unix epoch; above that of the batch before. */
  readonly time: number;
  /** Offset of its first record: the offset after the last record of the batch before. */
  readonly baseOffset: number;
  /** Records of `records` take offsets, those of `system` none. */
  readonly kind: 'records' | 'system';
  /** Records that take offsets, from the batch's header. Left out: as many as the payload holds. */
  readonly count?: number;
}
