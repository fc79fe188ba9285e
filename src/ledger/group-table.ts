import { type ByteArena } from './byte-arena';
import { HashIndex, hashWords } from './hash-index';
import { PagedRows } from './paged-rows';
import { IdKind, type IdFields } from './transfer-fields';
import { highWord, joinSigned, joinWords, lowWord, word } from './words';

export const GROUP_WORDS = 22;
export const GROUP_PAGE_SHIFT = 12;
export const DIGEST_WORDS = 8;
const Word = {
  ID: 0,
  DIGEST: 4,
  OFFSET: 12,
  TIMESTAMP: 14,
  /** Row of the first member; of a refused group that of the one member that burned its id. */
  FIRST: 16,
  SIZE: 17,
  /** One more than the place of the member that failed; 0: all were done. */
  FAILED: 18,
  RESULT: 19,
  /** A text id, as an entry of the arena; 0: the id is a UUID. */
  TEXT: 20,
} as const;

export interface NewGroup {
  readonly id: IdFields;
  readonly source: Uint8Array;
  readonly digest: Uint32Array;
  readonly offset: number;
  readonly time: number;
  readonly firstRow: number;
  readonly size: number;
  /** Place of the member that failed; -1: none did. */
  readonly failed: number;
  readonly result: number;
}

/** Linked groups that were done, or refused for a reason that could change, by id. A row is written once. */
export class GroupTable {
  readonly rows = new PagedRows(GROUP_WORDS, GROUP_PAGE_SHIFT);
  private readonly ids = new HashIndex();

  constructor(
    private readonly arena: ByteArena,
    private readonly seed: number,
  ) {}

  get count(): number {
    return this.rows.rows;
  }

  /** The group's row, or -1. A text id is compared as a text. */
  find(source: Uint8Array, id: IdFields): number {
    const hash = this.hashOf(id.words, 0);
    const slots = this.ids.slotsOf(hash);
    const mask = (slots.length >>> 1) - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const number = (slots[slot * 2 + 1] as number) >>> 0;
      if (number === 0) return -1;
      if (slots[slot * 2] === hash && this.hasId(number - 1, source, id)) return number - 1;
    }
  }

  add(group: NewGroup): number {
    const row = this.rows.append();
    const page = this.rows.writablePageOf(row);
    const at = this.rows.startOf(row);
    const { id } = group;
    page.set(id.words, at + Word.ID);
    page.set(group.digest, at + Word.DIGEST);
    page[at + Word.OFFSET] = lowWord(group.offset);
    page[at + Word.OFFSET + 1] = highWord(group.offset);
    page[at + Word.TIMESTAMP] = lowWord(group.time);
    page[at + Word.TIMESTAMP + 1] = highWord(group.time);
    page[at + Word.FIRST] = group.firstRow;
    page[at + Word.SIZE] = group.size;
    page[at + Word.FAILED] = group.failed + 1;
    page[at + Word.RESULT] = group.result;
    const isText = id.kind === IdKind.TEXT;
    page[at + Word.TEXT] = isText ? this.arena.store(group.source, id.textStart, id.textLength) : 0;
    this.ids.insert(this.hashOf(id.words, 0), row + 1);
    return row;
  }

  hasDigest(row: number, digest: Uint32Array): boolean {
    const page = this.rows.pageOf(row);
    const at = this.rows.startOf(row) + Word.DIGEST;
    return digest.every((part, i) => page[at + i] === part);
  }

  size(row: number): number {
    return this.wordOf(row, Word.SIZE);
  }

  firstRow(row: number): number {
    return this.wordOf(row, Word.FIRST);
  }

  /** Place of the member that failed, or -1. */
  failed(row: number): number {
    return this.wordOf(row, Word.FAILED) - 1;
  }

  /** Of the first member's record; -1: the system's. */
  offset(row: number): number {
    return joinSigned(this.wordOf(row, Word.OFFSET), this.wordOf(row, Word.OFFSET + 1));
  }

  timestamp(row: number): number {
    return joinWords(this.wordOf(row, Word.TIMESTAMP), this.wordOf(row, Word.TIMESTAMP + 1));
  }

  /** 0: the id is a UUID, `uuid` has its bytes. */
  textRef(row: number): number {
    return this.wordOf(row, Word.TEXT);
  }

  uuid(row: number): Buffer {
    const start = this.rows.startOf(row) + Word.ID;
    return Buffer.from(this.rows.pageOf(row).slice(start, start + 4).buffer);
  }

  /** Makes the index anew over rows that were restored. */
  indexAll(): void {
    for (let row = 0; row < this.count; row++) {
      this.ids.insert(this.hashOf(this.rows.pageOf(row), this.rows.startOf(row)), row + 1);
    }
  }

  /** Drops the groups from `count` on, before the texts that they are named by. */
  truncate(count: number): void {
    for (let row = this.count - 1; row >= count; row--) {
      this.ids.remove(this.hashOf(this.rows.pageOf(row), this.rows.startOf(row)), row + 1);
    }
    this.rows.truncate(count);
  }

  private hasId(row: number, source: Uint8Array, id: IdFields): boolean {
    const text = this.textRef(row);
    if (id.kind === IdKind.TEXT) return text !== 0 && this.arena.equals(text, source, id.textStart, id.textLength);
    const page = this.rows.pageOf(row);
    const at = this.rows.startOf(row);
    return text === 0 && id.words.every((part, i) => page[at + i] === part);
  }

  private hashOf(words: Uint32Array, at: number): number {
    return hashWords(word(words, at), word(words, at + 1), word(words, at + 2), word(words, at + 3), this.seed);
  }

  private wordOf(row: number, at: number): number {
    return word(this.rows.pageOf(row), this.rows.startOf(row) + at);
  }
}
