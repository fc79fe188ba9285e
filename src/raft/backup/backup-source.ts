import type { BackupHeader } from './backup-format';

/** Entries of the log that follow each other. */
export interface BackedUpEntries {
  /** Whole batches; at least one. */
  readonly batches: readonly Buffer[];
  /** Rows of 64 bytes for the records in them, from the offset of the first one on; zeros where none is known. */
  readonly outcomes: Buffer;
}

/** What a backup is made of, wherever it comes from: a running group, the directory of a stopped node, or a backup. */
export interface BackupSource {
  readonly header: BackupHeader;
  /**
   * The bytes of the snapshot's file, then those of its attachments; nothing where the header names none. To be read to its
   * end before the entries are.
   */
  snapshot(): AsyncIterable<Buffer>;
  /** From the entry behind `header.before` to `header.lastIndex`. */
  entries(): AsyncIterable<BackedUpEntries>;
}
