/** Reads the outcomes beside a segment, as they are on the disk. */

import { isMissing, type FileSystem, type RandomAccessFile } from '../log/files';
import { OUTCOMES_SUFFIX } from '../log/segment-files';
import { OUTCOME_ROW_BYTES } from '../ledger/outcome-row';

export class OutcomeRows {
  private path = '';
  private firstOffset: number | undefined;
  private file: RandomAccessFile | undefined;

  constructor(private readonly files: FileSystem) {}

  /** Goes on with the outcomes of this segment. @param firstOffset of the segment; undefined where nobody knows it */
  async segment(path: string, firstOffset: number | undefined): Promise<void> {
    await this.close();
    this.path = path + OUTCOMES_SUFFIX;
    this.firstOffset = firstOffset;
    try {
      this.file = await this.files.open(this.path, 'read');
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }

  /** Where the row of an offset is. */
  placeOf(offset: number): { readonly file: string; readonly position: number } {
    return { file: this.path, position: (offset - (this.firstOffset ?? offset)) * OUTCOME_ROW_BYTES };
  }

  /** @returns `count` rows from `offset` on; zeros where the file has none. Undefined where it is not known which they are */
  async read(offset: number, count: number): Promise<Buffer | undefined> {
    if (this.firstOffset === undefined) return undefined;
    const rows = Buffer.alloc(count * OUTCOME_ROW_BYTES);
    await this.file?.read(rows, this.placeOf(offset).position);
    return rows;
  }

  async close(): Promise<void> {
    const { file } = this;
    this.file = undefined;
    await file?.close();
  }
}
