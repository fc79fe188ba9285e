import { takeOldHolds } from './old-holds';
import { type PagedRows } from './paged-rows';
import { type RowArchive } from './row-archive';
import {
  decodeHead,
  decodeLedger,
  FRAME_HEADER_BYTES,
  FrameKind,
  frameOrder,
  MAX_FRAME_BYTES,
  SnapshotFormatError,
  type SnapshotCounts,
} from './snapshot-format';
import { Tables } from './tables';

const FIRST_FRAME_BYTES = 64 << 10;

/**
 * Rebuilds the tables from a snapshot, given piece by piece; pieces need not be frames. For a stream:
 * `for await (const chunk of chunks) reader.push(chunk)`, then `new LedgerState(reader.finish())`.
 */
export class SnapshotReader {
  private readonly tables: Tables;
  private counts: SnapshotCounts | undefined;
  /** The frame that is being put together. Not of Node's pool: its body has to lie on words. */
  private frame = Buffer.allocUnsafeSlow(FIRST_FRAME_BYTES);
  private filled = 0;
  private lastKind = 0;

  /**
   * @param hashSeed see Tables
   * @param archive the rows that the snapshot leaves out
   */
  constructor(
    hashSeed: number,
    private readonly archive?: RowArchive,
  ) {
    this.tables = new Tables(hashSeed, archive);
    this.tables.transfers.beginBehindArchive();
    this.tables.accounts.hot.clear();
    this.tables.accounts.cold.clear();
  }

  push(chunk: Buffer): void {
    for (let at = 0; at < chunk.length;) {
      const wanted = this.filled < FRAME_HEADER_BYTES ? FRAME_HEADER_BYTES : this.frameBytes();
      const taken = chunk.copy(this.frame, this.filled, at, at + wanted - this.filled);
      at += taken;
      this.filled += taken;
      if (this.filled < FRAME_HEADER_BYTES || this.filled < this.frameBytes()) continue;
      this.takeFrame(this.frame.readUInt32LE(0), this.frame.subarray(FRAME_HEADER_BYTES, this.filled));
      this.filled = 0;
    }
  }

  /** Length of the frame whose header is here, with room made for it. */
  private frameBytes(): number {
    const length = this.frame.readUInt32LE(4);
    if (length > MAX_FRAME_BYTES) throw new SnapshotFormatError(`A frame of ${length} bytes is longer than any page.`);
    if (this.frame.length < FRAME_HEADER_BYTES + length) {
      const larger = Buffer.allocUnsafeSlow(FRAME_HEADER_BYTES + MAX_FRAME_BYTES);
      this.frame.copy(larger, 0, 0, this.filled);
      this.frame = larger;
    }
    return FRAME_HEADER_BYTES + length;
  }

  /** The tables, once the whole snapshot was pushed. */
  finish(): Tables {
    const { tables, counts } = this;
    const { accounts, arena, groups, holds, ledgers, limits, reversals, transfers } = tables;
    if (this.lastKind !== FrameKind.END || this.filled > 0 || counts === undefined) {
      throw new SnapshotFormatError('The snapshot is not complete: it stops before its end.');
    }
    const complete =
      ledgers.count === counts.ledgers &&
      limits.rows.rows === counts.limits &&
      accounts.hot.rows === counts.accounts &&
      accounts.cold.rows === counts.accounts &&
      transfers.count === counts.transfers &&
      transfers.extras.isComplete &&
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

  private checkArchive(expected: number): void {
    const found = this.archive?.rows ?? 0;
    if (expected !== found) throw wrongArchive(expected, found);
  }

  private takeFrame(kind: number, body: Buffer): void {
    const { tables } = this;
    if (
      frameOrder(kind) < frameOrder(this.lastKind) ||
      (this.lastKind === 0) !== (kind === FrameKind.HEAD) ||
      this.lastKind === FrameKind.END
    ) {
      throw new SnapshotFormatError(`A frame of kind ${kind} must not follow one of kind ${this.lastKind}.`);
    }
    this.lastKind = kind;
    switch (kind) {
      case FrameKind.HEAD:
        this.counts = decodeHead(body, tables);
        this.checkArchive(this.counts.archived);
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
      case FrameKind.EXTRAS:
        if (!tables.transfers.extras.restore(body)) throw badPage(body.length);
        return;
      case FrameKind.HOLDS:
        if (this.counts?.version !== 2) return takeRows(tables.holds.rows, body);
        return takeRows(tables.holds.rows, takeOldHolds(body, tables.transfers));
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

function wrongArchive(expected: number, found: number): SnapshotFormatError {
  return new SnapshotFormatError(
    `The snapshot leaves out the first ${expected} rows of transfers, and ${found} are kept beside it.`,
  );
}

function takeRows(table: PagedRows, body: Buffer): void {
  const words = new Uint32Array(body.buffer, body.byteOffset, Math.floor(body.length / 4));
  if (body.length % 4 !== 0 || !table.restorePage(words)) throw badPage(body.length);
}

function badPage(length: number): SnapshotFormatError {
  return new SnapshotFormatError(`A page of ${length} bytes in the snapshot is not a page of its table.`);
}
