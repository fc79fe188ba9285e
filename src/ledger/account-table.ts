import { type ByteArena } from './byte-arena';
import { HashIndex, hashBytes } from './hash-index';
import { invariant } from './invariant';
import { PagedRows } from './paged-rows';
import { highWord, joinSigned, joinWords, lowWord, toBigInt128, toBigInt64, word } from './words';

/**
 * What every transfer reads and writes. A row is as long as a cache line, but a page may begin 16 bytes into one: so what
 * each transfer needs stands in the first 48 bytes, and the upper half of the version, which it does not, behind them.
 */
export const HOT_WORDS = 16;
export const HOT_PAGE_SHIFT = 14;
export const Hot = {
  DEBITS_POSTED: 0,
  CREDITS_POSTED: 4,
  LEDGER: 8,
  FLAGS: 9,
  LIMITS: 10,
  VERSION: 11,
  VERSION_HIGH: 12,
  /** When it was opened in the books that it was imported from; 0: it was not. */
  IMPORTED_AT: 13,
} as const;
export const ACCOUNT_CLOSED = 1;
/** Set while the account has holds, so that a plain transfer need not read them. */
export const ACCOUNT_HAS_HOLDS = 2;

/** What few transfers need. */
export const COLD_WORDS = 16;
export const COLD_PAGE_SHIFT = 14;
export const Cold = {
  DEBITS_PENDING: 0,
  CREDITS_PENDING: 4,
  USER_DATA: 8,
  OPENED_AT: 10,
  OFFSET: 12,
  NAME: 14,
  METADATA: 15,
} as const;

export interface NewAccount {
  readonly ledger: number;
  /** Row of the limit table. */
  readonly limits: number;
  readonly userDataLow: number;
  readonly userDataHigh: number;
  readonly openedAt: number;
  readonly offset: number;
  /** References into the arena; metadata 0: none. */
  readonly name: number;
  readonly metadata: number;
  /** Microseconds since the Unix epoch; 0: it has no history elsewhere. */
  readonly importedAt: number;
}

/**
 * Accounts by handle and by name. Handles are 1, 2, 3 … in the order of opening; 0 stands for "no such account". The upper
 * 16 bits of a handle are kept for a partition and are 0.
 */
export class AccountTable {
  readonly hot = new PagedRows(HOT_WORDS, HOT_PAGE_SHIFT);
  readonly cold = new PagedRows(COLD_WORDS, COLD_PAGE_SHIFT);
  private readonly names = new HashIndex();

  constructor(
    private readonly arena: ByteArena,
    private readonly seed: number,
  ) {
    // Row 0 is never an account, so that a handle is its row.
    this.hot.append();
    this.cold.append();
  }

  get count(): number {
    return this.hot.rows - 1;
  }

  /** The handle of the account with this name, or 0. */
  findName(bytes: Uint8Array, start: number, length: number): number {
    const hash = hashBytes(bytes, start, length, this.seed);
    const slots = this.names.slotsOf(hash);
    const mask = (slots.length >>> 1) - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const handle = (slots[slot * 2 + 1] as number) >>> 0;
      if (handle === 0) return 0;
      if (slots[slot * 2] === hash && this.arena.equals(this.nameRef(handle), bytes, start, length)) return handle;
    }
  }

  /** The handle if it names an account, else 0. */
  findHandle(low: number, high: number): number {
    return high === 0 && low <= this.count ? low : 0;
  }

  open(account: NewAccount): number {
    const handle = this.hot.append();
    invariant(this.cold.append() === handle, 'The two parts of the account table must have the same rows.');
    const hot = this.hot.writablePageOf(handle);
    const hotAt = this.hot.startOf(handle);
    hot[hotAt + Hot.LEDGER] = account.ledger;
    hot[hotAt + Hot.LIMITS] = account.limits;
    hot[hotAt + Hot.IMPORTED_AT] = lowWord(account.importedAt);
    hot[hotAt + Hot.IMPORTED_AT + 1] = highWord(account.importedAt);
    const cold = this.cold.writablePageOf(handle);
    const at = this.cold.startOf(handle);
    cold[at + Cold.USER_DATA] = account.userDataLow;
    cold[at + Cold.USER_DATA + 1] = account.userDataHigh;
    cold[at + Cold.OPENED_AT] = lowWord(account.openedAt);
    cold[at + Cold.OPENED_AT + 1] = highWord(account.openedAt);
    cold[at + Cold.OFFSET] = lowWord(account.offset);
    cold[at + Cold.OFFSET + 1] = highWord(account.offset);
    cold[at + Cold.NAME] = account.name;
    cold[at + Cold.METADATA] = account.metadata;
    this.indexName(handle);
    return handle;
  }

  ledgerOf(handle: number): number {
    return word(this.hot.pageOf(handle), this.hot.startOf(handle) + Hot.LEDGER);
  }

  limitsOf(handle: number): number {
    return word(this.hot.pageOf(handle), this.hot.startOf(handle) + Hot.LIMITS);
  }

  isClosed(handle: number): boolean {
    return (word(this.hot.pageOf(handle), this.hot.startOf(handle) + Hot.FLAGS) & ACCOUNT_CLOSED) !== 0;
  }

  setClosed(handle: number, closed: boolean): void {
    const page = this.hot.writablePageOf(handle);
    const at = this.hot.startOf(handle) + Hot.FLAGS;
    page[at] = closed ? word(page, at) | ACCOUNT_CLOSED : word(page, at) & ~ACCOUNT_CLOSED;
  }

  setLimits(handle: number, limits: number): void {
    this.hot.writablePageOf(handle)[this.hot.startOf(handle) + Hot.LIMITS] = limits;
  }

  hasHolds(handle: number): boolean {
    return (word(this.hot.pageOf(handle), this.hot.startOf(handle) + Hot.FLAGS) & ACCOUNT_HAS_HOLDS) !== 0;
  }

  /** Microseconds since the Unix epoch; 0: it was not imported. */
  importedAt(handle: number): number {
    const page = this.hot.pageOf(handle);
    const at = this.hot.startOf(handle) + Hot.IMPORTED_AT;
    return joinWords(word(page, at), word(page, at + 1));
  }

  version(handle: number): number {
    const page = this.hot.pageOf(handle);
    const at = this.hot.startOf(handle);
    return joinWords(word(page, at + Hot.VERSION), word(page, at + Hot.VERSION_HIGH));
  }

  debitsPosted(handle: number): bigint {
    return toBigInt128(this.hot.pageOf(handle), this.hot.startOf(handle) + Hot.DEBITS_POSTED);
  }

  creditsPosted(handle: number): bigint {
    return toBigInt128(this.hot.pageOf(handle), this.hot.startOf(handle) + Hot.CREDITS_POSTED);
  }

  debitsPending(handle: number): bigint {
    return toBigInt128(this.cold.pageOf(handle), this.cold.startOf(handle) + Cold.DEBITS_PENDING);
  }

  creditsPending(handle: number): bigint {
    return toBigInt128(this.cold.pageOf(handle), this.cold.startOf(handle) + Cold.CREDITS_PENDING);
  }

  userData(handle: number): bigint {
    return toBigInt64(this.coldWord(handle, Cold.USER_DATA), this.coldWord(handle, Cold.USER_DATA + 1));
  }

  openedAt(handle: number): number {
    return joinWords(this.coldWord(handle, Cold.OPENED_AT), this.coldWord(handle, Cold.OPENED_AT + 1));
  }

  /** Of the record that opened it; -1: none. */
  offset(handle: number): number {
    return joinSigned(this.coldWord(handle, Cold.OFFSET), this.coldWord(handle, Cold.OFFSET + 1));
  }

  nameRef(handle: number): number {
    return this.coldWord(handle, Cold.NAME);
  }

  /** 0: none. */
  metadataRef(handle: number): number {
    return this.coldWord(handle, Cold.METADATA);
  }

  name(handle: number): string {
    return this.arena.copyOf(this.nameRef(handle)).toString('utf8');
  }

  /** Makes the index anew over rows that were restored. */
  indexAll(): void {
    for (let handle = 1; handle <= this.count; handle++) this.indexName(handle);
  }

  /** Drops the accounts with a handle above `count`: those that a failed group of transfers opened. */
  truncate(count: number): void {
    for (let handle = this.count; handle > count; handle--) this.names.remove(this.hashOfName(handle), handle);
    this.hot.truncate(count + 1);
    this.cold.truncate(count + 1);
  }

  private indexName(handle: number): void {
    this.names.insert(this.hashOfName(handle), handle);
  }

  private hashOfName(handle: number): number {
    const ref = this.nameRef(handle);
    return hashBytes(this.arena.pageOf(ref), this.arena.startOf(ref), this.arena.lengthOf(ref), this.seed);
  }

  private coldWord(handle: number, at: number): number {
    return word(this.cold.pageOf(handle), this.cold.startOf(handle) + at);
  }
}
