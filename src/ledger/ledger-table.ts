import { sameBytes } from './byte-arena';
import { type LimitTable } from './limit-table';
import { type LedgerView } from './reader';

/** A ledger (an asset). Never changes once it is made. */
export interface LedgerEntry {
  /** 1, 2, 3 … */
  readonly number: number;
  readonly code: string;
  readonly codeBytes: Uint8Array;
  readonly scale: number;
  readonly autoOpen: boolean;
  readonly halfUp: boolean;
  /** Row of the limit table. */
  readonly defaultLimits: number;
  readonly createdAt: number;
  /** -1: made by the system. */
  readonly offset: number;
}

/** The ledgers by number and by code. There are few of them, so they are plain objects. */
export class LedgerTable {
  private readonly entries: LedgerEntry[] = [];
  private readonly byCode = new Map<string, LedgerEntry>();
  private lastFound: LedgerEntry | undefined;

  get count(): number {
    return this.entries.length;
  }

  add(entry: Omit<LedgerEntry, 'number' | 'codeBytes'>): LedgerEntry {
    const added = { ...entry, number: this.entries.length + 1, codeBytes: Buffer.from(entry.code, 'utf8') };
    this.entries.push(added);
    this.byCode.set(added.code, added);
    return added;
  }

  byNumber(number: number): LedgerEntry | undefined {
    return this.entries[number - 1];
  }

  find(code: string): LedgerEntry | undefined {
    return this.byCode.get(code);
  }

  /** By the bytes of its code in a record; most records name the same ledger as the one before. */
  findBytes(bytes: Uint8Array, start: number, length: number): LedgerEntry | undefined {
    const last = this.lastFound;
    if (last !== undefined && last.codeBytes.length === length && sameBytes(last.codeBytes, 0, bytes, start, length)) {
      return last;
    }
    // Codes are ASCII, so bytes beyond it cannot be mistaken for one.
    const found = this.byCode.get(Buffer.from(bytes.subarray(start, start + length)).toString('latin1'));
    if (found !== undefined) this.lastFound = found;
    return found;
  }

  all(): readonly LedgerEntry[] {
    return this.entries;
  }
}

export function ledgerView(entry: LedgerEntry, limits: LimitTable): LedgerView {
  return {
    number: entry.number,
    code: entry.code,
    scale: entry.scale,
    autoOpen: entry.autoOpen,
    rounding: entry.halfUp ? 'half_up' : 'reject',
    defaultMinBalance: limits.minimum(entry.defaultLimits),
    defaultMaxBalance: limits.maximum(entry.defaultLimits),
    createdAt: entry.createdAt,
    offset: entry.offset,
  };
}
