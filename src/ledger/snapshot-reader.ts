import { type PagedRows } from './paged-rows';
import {
  decodeHead,
  decodeLedger,
  FRAME_HEADER_BYTES,
  FrameKind,
  MAX_FRAME_BYTES,
  SnapshotFormatError,
  type SnapshotCounts,
} from './snapshot-format';
import { Tables } from './tables';

/**
 * Rebuilds the tables from a snapshot, given piece by piece; pieces need not be frames. For a stream:
 * `for await (const chunk of chunks) reader.push(chunk)`, then `new LedgerState(reader.finish())`.
 */
export class SnapshotReader {
  private readonly tables: Tables;
  private counts: SnapshotCounts | undefined;
  private pending: Buffer = Buffer.alloc(0);
  private lastKind = 0;

  /** @param hashSeed see Tables */
  constructor(hashSeed: number) {
    this.tables = new Tables(hashSeed);
    this.tables.accounts.hot.clear();
    this.tables.accounts.cold.clear();
  }

  push(chunk: Buffer): void {
    this.pending = this.pending.length === 0 ? chunk : Buffer.concat([this.pending, chunk]);
    let at = 0;
    for (;;) {
      if (this.pending.length - at < FRAME_HEADER_BYTES) break;
      const length = this.pending.readUInt32LE(at + 4);
      if (length > MAX_FRAME_BYTES)
        throw new SnapshotFormatError(`A frame of ${length} bytes is longer than any page.`);
      const end = at + FRAME_HEADER_BYTES + length;
      if (end > this.pending.length) break;
      this.takeFrame(this.pending.readUInt32LE(at), this.pending.subarray(at + FRAME_HEADER_BYTES, end));
      at = end;
    }
    // A copy, because the caller may use its buffer again.
    this.pending = Buffer.from(this.pending.subarray(at));
  }

  /** The tables, once the whole snapshot was pushed. */
  finish(): Tables {
    const { tables, counts, pending } = this;
    const { accounts, arena, groups, holds, ledgers, limits, reversals, transfers } = tables;
    if (this.lastKind !== FrameKind.END || pending.length > 0 || counts === undefined) {
      throw new SnapshotFormatError('The snapshot is not complete: it stops before its end.');
    }
    const complete =
      ledgers.count === counts.ledgers &&
      limits.rows.rows === counts.limits &&
      accounts.hot.rows === counts.accounts &&
      accounts.cold.rows === counts.accounts &&
      transfers.count === counts.transfers &&
      arena.bytes === counts.arenaBytes &&
      holds.count === counts.holds &&
      reversals.count === counts.reversals &&
      groups.count === counts.groups &&
      counts.accounts > 0;
    if (!complete) throw new SnapshotFormatError('The snapshot does not have as many rows as its head says.');
    accounts.indexAll();
    transfers.indexAll();
    reversals.indexAll();
    groups.indexAll();
    tables.expiries.fill();
    return tables;
  }

  private takeFrame(kind: number, body: Buffer): void {
    const { tables } = this;
    if (
      kind < this.lastKind ||
      (this.lastKind === 0) !== (kind === FrameKind.HEAD) ||
      this.lastKind === FrameKind.END
    ) {
      throw new SnapshotFormatError(`A frame of kind ${kind} must not follow one of kind ${this.lastKind}.`);
    }
    this.lastKind = kind;
    switch (kind) {
      case FrameKind.HEAD:
        this.counts = decodeHead(body, tables);
        return;
      case FrameKind.LEDGER:
        tables.ledgers.add(decodeLedger(body));
        return;
      case FrameKind.LIMITS:
        return takeRows(tables.limits.rows, body);
      case FrameKind.HOT:
        return takeRows(tables.accounts.hot, body);
      case FrameKind.COLD:
        return takeRows(tables.accounts.cold, body);
      case FrameKind.ARENA:
        if (!tables.arena.restorePage(body)) throw badPage(kind);
        return;
      case FrameKind.TRANSFERS:
        return takeRows(tables.transfers.rows, body);
      case FrameKind.HOLDS:
        return takeRows(tables.holds.rows, body);
      case FrameKind.REVERSALS:
        return takeRows(tables.reversals.rows, body);
      case FrameKind.GROUPS:
        return takeRows(tables.groups.rows, body);
      case FrameKind.END:
        return;
      default:
        throw new SnapshotFormatError(`A frame of kind ${kind} is not known to this version.`);
    }
  }
}

function takeRows(table: PagedRows, body: Buffer): void {
  // Words can be read in place only where they lie on words; the table copies them.
  const bytes = body.byteOffset % 4 === 0 ? body : Buffer.from(new Uint8Array(body).buffer);
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, Math.floor(body.length / 4));
  if (body.length % 4 !== 0 || !table.restorePage(words)) throw badPage(body.length);
}

function badPage(length: number): SnapshotFormatError {
  return new SnapshotFormatError(`A page of ${length} bytes in the snapshot is not a page of its table.`);
}
