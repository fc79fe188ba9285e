import { MAX_BATCH_BYTES } from './batch';
import type { RandomAccessFile } from './files';

const WINDOW_BYTES = 1024 * 1024;

/**
 * A view of a file that moves forward in steps of 1 MiB, and is larger only while a batch needs it. A window that is `fresh`
 * takes new memory for each step, so that views of the old one stay good; otherwise the memory is used again.
 */
export class SegmentWindow {
  private buffer: Buffer = Buffer.alloc(0);
  private start = 0;
  private filled = 0;

  constructor(
    private readonly file: Pick<RandomAccessFile, 'read'>,
    /** Where the file ends, in bytes. */
    readonly size: number,
    private readonly fresh: boolean,
    private readonly stepBytes = WINDOW_BYTES,
  ) {}

  /**
   * @returns exactly the bytes from `position` to `position + length`, a view good until the next call (for ever in a fresh
   *   window); undefined where the file ends before
   */
  async view(position: number, length: number): Promise<Buffer | undefined> {
    const bytes = await this.upTo(position, length);
    return bytes.length === length ? bytes : undefined;
  }

  /** As {@link view}, but fewer bytes where the file ends before. */
  async upTo(position: number, length: number): Promise<Buffer> {
    if (length > MAX_BATCH_BYTES + WINDOW_BYTES)
      throw new RangeError(`A view of ${length} bytes is too large for a window.`);
    const bytes = Math.max(0, Math.min(length, this.size - position));
    if (bytes > 0 && !this.holds(position, bytes)) await this.move(position, bytes);
    const at = position - this.start;
    return this.buffer.subarray(at, Math.min(at + bytes, Math.max(at, this.filled)));
  }

  private holds(position: number, length: number): boolean {
    return position >= this.start && position + length <= this.start + this.filled;
  }

  private async move(position: number, length: number): Promise<void> {
    const bytes = Math.min(Math.max(length, this.stepBytes), this.size - position);
    if (this.fresh || this.buffer.length < bytes) this.buffer = Buffer.allocUnsafeSlow(bytes);
    this.start = position;
    this.filled = 0;
    this.filled = await this.file.read(this.buffer.subarray(0, bytes), position);
  }
}
