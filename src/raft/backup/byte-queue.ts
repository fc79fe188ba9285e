/** Takes so many bytes at a time from pieces of any size. */
export class ByteQueue {
  private readonly pieces: AsyncIterator<Buffer>;
  private rest: Buffer = Buffer.alloc(0);
  /** How many bytes were taken. */
  position = 0;

  constructor(pieces: AsyncIterable<Buffer>) {
    this.pieces = pieces[Symbol.asyncIterator]();
  }

  /** @returns memory that nothing else uses; fewer bytes than asked for only at the end */
  async take(length: number): Promise<Buffer> {
    const taken = Buffer.allocUnsafe(length);
    let filled = 0;
    while (filled < length && (await this.fill())) {
      const part = this.rest.subarray(0, length - filled);
      filled += part.copy(taken, filled);
      this.rest = this.rest.subarray(part.length);
    }
    this.position += filled;
    return taken.subarray(0, filled);
  }

  async isEmpty(): Promise<boolean> {
    return !(await this.fill());
  }

  /** @returns whether there are bytes */
  private async fill(): Promise<boolean> {
    while (this.rest.length === 0) {
      const next = await this.pieces.next();
      if (next.done === true) return false;
      this.rest = next.value;
    }
    return true;
  }
}
