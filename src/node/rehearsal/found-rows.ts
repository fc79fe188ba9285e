import type { ArchivedRow } from '../../ledger/row-archive';
import { TRANSFER_WORDS } from '../../ledger/transfer-row';

/**
 * Rows of the archive on their way to another thread, one behind the other. As they are found they lie in memory of their own
 * each, and their extras in the blocks that were read for them, all of which would be copied.
 */
export interface FoundRows {
  readonly rows: Uint32Array<ArrayBuffer>;
  readonly words: Uint32Array<ArrayBuffer>;
  /** Bytes of each row's extras. */
  readonly lengths: Uint32Array<ArrayBuffer>;
  readonly extras: Uint8Array<ArrayBuffer>;
}

export function packFound(found: readonly ArchivedRow[]): FoundRows {
  const lengths = Uint32Array.from(found, ({ extras }) => extras?.length ?? 0);
  const packed = {
    rows: Uint32Array.from(found, ({ row }) => row),
    words: new Uint32Array(found.length * TRANSFER_WORDS),
    lengths,
    extras: new Uint8Array(lengths.reduce((sum, length) => sum + length, 0)),
  };
  let at = 0;
  for (const [i, { words, extras }] of found.entries()) {
    packed.words.set(words, i * TRANSFER_WORDS);
    if (extras) packed.extras.set(extras, at);
    at += extras?.length ?? 0;
  }
  return packed;
}

/** What is handed over instead of copied. */
export function memoryOf({ rows, words, lengths, extras }: FoundRows): ArrayBuffer[] {
  return [rows.buffer, words.buffer, lengths.buffer, extras.buffer];
}

/** As they were found; none of them has extras of no bytes. */
export function unpackFound({ rows, words, lengths, extras }: FoundRows): ArchivedRow[] {
  let at = 0;
  return Array.from(rows, (row, i) => {
    const start = at;
    at += lengths[i] as number;
    return {
      row,
      words: words.subarray(i * TRANSFER_WORDS, (i + 1) * TRANSFER_WORDS),
      extras: at > start ? extras.subarray(start, at) : undefined,
    };
  });
}
