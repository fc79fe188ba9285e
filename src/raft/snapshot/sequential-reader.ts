import type { RandomAccessFile } from '../../log/files';

const BLOCK_BYTES = 1 << 20;

/**
 * Reads a file from some place to its end through two blocks by turns: while one is used, the other is filled. A snapshot of
 * gigabytes is read so without leaving gigabytes to the garbage collector.
 */
export class SequentialReader {
  private using: Buffer = Buffer.alloc(0);
  private spare: Buffer = Buffer.allocUnsafeSlow(BLOCK_BYTES);
  private filling: Promise<Buffer>;
  /** What does not lie in one block is put together here. */
  private joined = Buffer.alloc(0);

  constructor(
    private readonly file: Pick<RandomAccessFile, 'read'>,
    private position: number,
  ) {
    this.filling = this.fill(Buffer.allocUnsafeSlow(BLOCK_BYTES));
  }

  /** The next bytes: fewer than `length` only at the end of the file. They are good until the next call. */
  async next(length: number): Promise<Buffer> {
    if (this.using.length >= length) {
      const bytes = this.using.subarray(0, length);
      this.using = this.using.subarray(length);
      return bytes;
    }
    if (this.joined.length < length) this.joined = Buffer.allocUnsafeSlow(length);
    let filled = 0;
    while (filled < length) {
      if (this.using.length === 0) await this.turn();
      if (this.using.length === 0) break;
      const taken = this.using.copy(this.joined, filled, 0, length - filled);
      this.using = this.using.subarray(taken);
      filled += taken;
    }
    return this.joined.subarray(0, filled);
  }

  /** Resolves when nothing is being read any more: the file may be closed then. */
  async settled(): Promise<void> {
    await this.filling.catch(() => undefined);
  }

  private async turn(): Promise<void> {
    const filled = await this.filling;
    this.using = filled;
    this.filling = filled.length < BLOCK_BYTES ? Promise.resolve(Buffer.alloc(0)) : this.fill(this.spare);
    this.spare = filled;
  }

  private fill(block: Buffer): Promise<Buffer> {
    const { position } = this;
    this.position += BLOCK_BYTES;
    const filled = this.file.read(block, position).then((bytes) => block.subarray(0, bytes));
    // Whoever asks for the bytes is told; until then nobody listens.
    filled.catch(() => undefined);
    return filled;
  }
}
