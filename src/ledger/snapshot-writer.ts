import { ARENA_PAGE_BYTES } from './byte-arena';
import { type CapturedRows } from './frozen-rows';
import { type PagedRows } from './paged-rows';
import { encodeHead, encodeLedger, FRAME_HEADER_BYTES, FrameKind } from './snapshot-format';
import { type Tables } from './tables';

/**
 * The state at the moment of the call, as frames. Nothing is copied now: a row that changes later is kept by its first
 * change (FrozenRows), rows that never change are read where they lie. Read it to its end, or call `return()` on its
 * iterator, so that the rows are let go.
 */
export function writeSnapshot(tables: Tables): Iterable<Buffer> {
  const { accounts, limits, transfers, arena } = tables;
  const { holds, reversals, groups } = tables;
  const { archived } = transfers;
  const head = [frame(FrameKind.HEAD, encodeHead(tables, archived))];
  for (const ledger of tables.ledgers.all()) head.push(frame(FrameKind.LEDGER, encodeLedger(ledger)));
  const limitRows = limits.rows.capture();
  const hot = accounts.hot.freeze();
  const cold = accounts.cold.freeze();
  const transferRows = transfers.rows.capture();
  const extras = transfers.extras.table.capture(archived);
  const texts = arena.capture();
  const holdRows = holds.rows.freeze();
  const reversalRows = reversals.rows.freeze();
  const groupRows = groups.rows.capture();
  function* frames(): Generator<Buffer> {
    yield* head;
    yield* rowFrames(FrameKind.LIMITS, limitRows, limits.rows);
    yield* rowFrames(FrameKind.HOT, hot, accounts.hot);
    yield* rowFrames(FrameKind.COLD, cold, accounts.cold);
    for (const [i, page] of texts.pages.entries()) {
      const used = i + 1 === texts.pages.length ? texts.lastUsed : ARENA_PAGE_BYTES;
      yield* pageFrame(FrameKind.ARENA, page.buffer as ArrayBuffer, 0, used);
    }
    yield* rowFrames(FrameKind.TRANSFERS, transferRows, transfers.rows, archived);
    for (const page of extras)
      yield* pageFrame(FrameKind.EXTRAS, page.buffer as ArrayBuffer, page.byteOffset, page.length);
    yield* rowFrames(FrameKind.HOLDS, holdRows, holds.rows);
    yield* rowFrames(FrameKind.REVERSALS, reversalRows, reversals.rows);
    yield* rowFrames(FrameKind.GROUPS, groupRows, groups.rows);
    yield frame(FrameKind.END, Buffer.alloc(0));
  }
  return endingWith(frames(), () => {
    accounts.hot.thaw(hot);
    accounts.cold.thaw(cold);
    holds.rows.thaw(holdRows);
    reversals.rows.thaw(reversalRows);
  });
}

/**
 * The same pieces; `atEnd` is called once nobody reads them any more. A generator that is ended before its first piece skips its
 * `finally`: this one does not.
 */
export function endingWith(pieces: Generator<Buffer>, atEnd: () => void): Iterable<Buffer> {
  function* guarded(): Generator<Buffer> {
    try {
      yield NO_BYTES;
      yield* pieces;
    } finally {
      atEnd();
    }
  }
  const begun = guarded();
  begun.next();
  return begun;
}

const NO_BYTES = Buffer.alloc(0);

/** @param first row that it begins with */
function* rowFrames(kind: number, captured: CapturedRows, table: PagedRows, first = 0): Generator<Buffer> {
  const rowsPerPage = 1 << table.pageShift;
  const bytesPerRow = table.wordsPerRow * 4;
  for (let row = first; row < captured.rows;) {
    const inPage = row % rowsPerPage;
    const rows = Math.min(rowsPerPage - inPage, captured.rows - row);
    const page = captured.page(Math.floor(row / rowsPerPage)).buffer as ArrayBuffer;
    yield* pageFrame(kind, page, inPage * bytesPerRow, rows * bytesPerRow);
    row += rows;
  }
}

function frame(kind: number, body: Buffer): Buffer {
  return Buffer.concat([frameHeader(kind, body.length), body]);
}

/** The body is a view of the page, not a copy: rows are not written to once they are captured. */
function* pageFrame(kind: number, page: ArrayBuffer, from: number, bytes: number): Generator<Buffer> {
  yield frameHeader(kind, bytes);
  yield Buffer.from(page, from, bytes);
}

function frameHeader(kind: number, length: number): Buffer {
  const header = Buffer.alloc(FRAME_HEADER_BYTES);
  header.writeUInt32LE(kind, 0);
  header.writeUInt32LE(length, 4);
  return header;
}
