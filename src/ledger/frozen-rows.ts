import { invariant } from './invariant';

/** Rows of a table as they were at one moment. */
export interface CapturedRows {
  readonly rows: number;
  readonly pageCount: number;
  /** The words of a page; behind the last row of the last page they may be anything. Not to be written to. */
  page(number: number): Uint32Array;
}

/** Before-images are kept in pieces of so many rows, so that none of them takes long to make. */
const PIECE_ROWS = 4_096;

/**
 * Rows that go on changing while somebody reads them as they were. The first write to a row after the freeze keeps the row
 * as it was; a write to a row whose page has been read keeps nothing. So the price of a freeze is paid row by row by those
 * that change, and never for a page or a table at a stroke.
 */
export class FrozenRows implements CapturedRows {
  /** For each page with a changed row: where the row's image is, counted from 1; 0: unchanged. */
  private readonly images: (Uint32Array | undefined)[];
  private readonly read: boolean[];
  private readonly pieces: Uint32Array[] = [];
  private kept = 0;

  constructor(
    private readonly pages: readonly Uint32Array[],
    readonly rows: number,
    private readonly wordsPerRow: number,
    private readonly pageShift: number,
  ) {
    this.images = new Array<Uint32Array | undefined>(pages.length).fill(undefined);
    this.read = new Array<boolean>(pages.length).fill(false);
  }

  get pageCount(): number {
    return this.pages.length;
  }

  /** `row` is about to be written to. */
  keep(row: number): void {
    const number = row >>> this.pageShift;
    if (row >= this.rows || this.read[number] === true) return;
    const inPage = row & ((1 << this.pageShift) - 1);
    const images = (this.images[number] ??= new Uint32Array(1 << this.pageShift));
    if (images[inPage] !== 0) return;
    const at = this.kept % PIECE_ROWS;
    if (at === 0) this.pieces.push(new Uint32Array(PIECE_ROWS * this.wordsPerRow));
    const piece = this.pieces[this.pieces.length - 1] as Uint32Array;
    const page = this.pages[number] as Uint32Array;
    const [from, to] = [inPage * this.wordsPerRow, at * this.wordsPerRow];
    for (let i = 0; i < this.wordsPerRow; i++) piece[to + i] = page[from + i] as number;
    this.kept += 1;
    images[inPage] = this.kept;
  }

  /** A copy of the page as it was; each page can be had once, since nothing of it is kept afterwards. */
  page(number: number): Uint32Array {
    invariant(this.read[number] === false, 'A page of frozen rows is read twice, or is not there.');
    this.read[number] = true;
    const page = (this.pages[number] as Uint32Array).slice();
    const images = this.images[number];
    this.images[number] = undefined;
    if (!images) return page;
    for (let inPage = 0; inPage < images.length; inPage++) {
      const image = images[inPage] as number;
      if (image === 0) continue;
      const from = ((image - 1) % PIECE_ROWS) * this.wordsPerRow;
      const piece = this.pieces[Math.floor((image - 1) / PIECE_ROWS)] as Uint32Array;
      page.set(piece.subarray(from, from + this.wordsPerRow), inPage * this.wordsPerRow);
    }
    return page;
  }
}
