/** Pieces of SQL that several statements are made of. All of it is this program's own text. */

/** Beyond this a time is `infinity` (transfer-columns.ts); it is the first one that is no exact number of microseconds. */
export const NO_TIME_AFTER = 2 ** 53;

/** A parameter or column of microseconds since the Unix epoch as a timestamptz. */
export function momentOf(micros: string): string {
  return (
    `(CASE WHEN ${micros}::text::bigint >= ${NO_TIME_AFTER} THEN timestamptz 'infinity' ` +
    `ELSE timestamptz 'epoch' + ${micros}::text::bigint * interval '1 microsecond' END)`
  );
}

/** A timestamptz as microseconds since the Unix epoch, in text. */
export function microsOf(moment: string): string {
  return (
    `(CASE WHEN ${moment} = 'infinity' THEN '${NO_TIME_AFTER}' ` +
    `ELSE ((extract(epoch FROM ${moment}) * 1000000)::bigint)::text END)`
  );
}

/** The last record up to a moment, and the last one before it; -1: none. */
export function offsetAt(moment: string, group: string): string {
  return `ledger.offset_at(${moment}, ${group})`;
}

export function offsetBefore(moment: string, group: string): string {
  return (
    `(CASE WHEN ${moment} = 'infinity' THEN ${offsetAt(moment, group)} ` +
    `ELSE ${offsetAt(`${moment} - interval '1 microsecond'`, group)} END)`
  );
}
