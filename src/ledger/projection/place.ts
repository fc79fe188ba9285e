/** Where a record stands. */
export interface Place {
  /** Its partition. */
  readonly group: number;
  /** -1: it has none. */
  readonly offset: number;
  /** Of its batch, in microseconds since the Unix epoch. */
  readonly time: number;
}
