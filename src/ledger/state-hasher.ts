import { createHash, type Hash } from 'node:crypto';
import { type PagedRows } from './paged-rows';
import { encodeHead, encodeLedger } from './snapshot-format';
import { type Tables } from './tables';

/**
 * The hash of the whole state: SHA-256 over everything that a snapshot holds. Pages that are full and never change again
 * (ids, texts) are taken in once and their running hash is kept, so a later call costs what was added, all accounts and all
 * holds.
 */
export class StateHasher {
  private readonly arena = new RunningHash();
  private readonly groups = new RunningHash();

  constructor(private readonly tables: Tables) {}

  hash(): string {
    const { accounts, arena, groups, holds, ledgers, limits, reversals, transfers } = this.tables;
    const texts = arena.capture();
    const total = createHash('sha256').update(encodeHead(this.tables));
    for (const ledger of ledgers.all()) total.update(encodeLedger(ledger));
    updateRows(total, limits.rows);
    updateRows(total, accounts.hot);
    updateRows(total, accounts.cold);
    total.update(this.arena.digest(texts.pages, texts.lastUsed));
    total.update(transfers.chain.digest());
    updateRows(total, holds.rows);
    updateRows(total, reversals.rows);
    total.update(this.groups.digest(groups.rows.pages, bytesInLastPage(groups.rows)));
    return total.digest('hex');
  }
}

/** SHA-256 over pages, of which all but the last are final. */
class RunningHash {
  private readonly complete: Hash = createHash('sha256');
  private pages = 0;

  digest(pages: readonly (Uint8Array | Uint32Array)[], lastBytes: number): Buffer {
    for (; this.pages < pages.length - 1; this.pages++) {
      this.complete.update(bytesOf(pages[this.pages] as Uint8Array | Uint32Array));
    }
    const total = this.complete.copy();
    const last = pages.at(-1);
    if (last !== undefined) total.update(bytesOf(last).subarray(0, lastBytes));
    return total.digest();
  }
}

function updateRows(hash: Hash, table: PagedRows): void {
  const last = table.pages.length - 1;
  table.pages.forEach((page, i) => {
    hash.update(i < last ? bytesOf(page) : bytesOf(page).subarray(0, bytesInLastPage(table)));
  });
}

function bytesInLastPage(table: PagedRows): number {
  const before = Math.max(0, table.pages.length - 1) << table.pageShift;
  return (table.rows - before) * table.wordsPerRow * 4;
}

function bytesOf(page: Uint8Array | Uint32Array): Uint8Array {
  return new Uint8Array(page.buffer, page.byteOffset, page.byteLength);
}
