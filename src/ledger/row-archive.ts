import { invariant } from './invariant';

/** Rows of transfers that are kept outside of memory, found by number and by id. They never change. */
export interface RowArchive {
  /** Rows 0 to `rows` - 1 are there. */
  readonly rows: number;
  /** H behind the last of them, see RowChain; `rows` is a multiple of its unit. */
  readonly chain: Uint8Array;
  /** The words of a row, which the caller does not write to. Reads where it stands: not for what is applied. */
  readRow(row: number): Uint32Array;
  /** What such a row has beyond its words, where it says how long that is. Reads where it stands, too. */
  readExtras(row: number): Uint8Array;
  /** Numbers of the rows whose id has the four words from `at` on. Reads where it stands, too. */
  findRows(words: Uint32Array, at: number): readonly number[];
}

/** A row as it was found in the archive. */
export interface ArchivedRow {
  readonly row: number;
  readonly words: Uint32Array;
  /** See RowArchive.readExtras; undefined where it has none. */
  readonly extras: Uint8Array | undefined;
}

/** Most rows that a reader's look-ups leave in memory. */
const MAX_VIEWED = 8_192;

/**
 * What of an archive is in memory for now: the rows that the batch names which is applied next, handed in beforehand, and
 * some that were read for people and programs.
 */
export class RecalledRows {
  private rows = new Map<number, ArchivedRow>();
  /** Row numbers by the hash of their id. */
  private byHash = new Map<number, number[]>();
  private viewed = new Map<number, Uint32Array>();

  constructor(private readonly archive: RowArchive | undefined) {}

  get size(): number {
    return this.rows.size;
  }

  /** @param hash of its id */
  add(hash: number, archived: ArchivedRow): void {
    const { row } = archived;
    if (this.rows.has(row)) return;
    this.rows.set(row, archived);
    const same = this.byHash.get(hash);
    if (same) same.push(row);
    else this.byHash.set(hash, [row]);
  }

  /** Forgets what was handed in. */
  clear(): void {
    if (this.rows.size === 0) return;
    this.rows.clear();
    this.byHash.clear();
  }

  withHash(hash: number): readonly number[] {
    return this.byHash.get(hash) ?? NONE;
  }

  /** @param reads whether it may be read from the archive where it was not handed in */
  row(row: number, reads: boolean): Uint32Array | undefined {
    const known = this.rows.get(row)?.words;
    if (known || !reads || !this.archive) return known;
    let words = this.viewed.get(row);
    if (!words) {
      if (this.viewed.size >= MAX_VIEWED) this.viewed.clear();
      words = this.archive.readRow(row);
      this.viewed.set(row, words);
    }
    return words;
  }

  /** What a row of the archive has beyond its words. @param reads as for `row` */
  extras(row: number, reads: boolean): Uint8Array {
    const known = this.rows.get(row)?.extras ?? (reads ? this.archive?.readExtras(row) : undefined);
    invariant(known !== undefined, 'The extras of a row of the archive must have been handed in before it is applied.');
    return known;
  }

  /** Rows of the archive with an id of these four words. */
  find(words: Uint32Array, at: number): readonly number[] {
    return this.archive?.findRows(words, at) ?? NONE;
  }
}

const NONE: readonly number[] = [];
