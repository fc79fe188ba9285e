import { dirname } from 'node:path';
import type { FileSystem, RandomAccessFile } from '../log/files';

export interface FilePart {
  readonly path: string;
  readonly bytes: number;
}

/** Splits a stream of bytes into files that stand in it one behind the other, wherever its pieces end. They are durable at the end. */
export async function writeInARow(
  files: FileSystem,
  parts: readonly FilePart[],
  stream: AsyncIterable<Buffer>,
  onBytes: (bytes: number) => void,
): Promise<void> {
  const row = new FilesInARow(files, parts);
  try {
    for await (const piece of stream) {
      await row.write(piece);
      onBytes(piece.length);
    }
    await row.finish();
  } finally {
    await row.close();
  }
}

class FilesInARow {
  private next = 0;
  private file: RandomAccessFile | undefined;
  private at = 0;

  constructor(
    private readonly files: FileSystem,
    private readonly parts: readonly FilePart[],
  ) {}

  async write(piece: Buffer): Promise<void> {
    for (let from = 0; from < piece.length;) {
      const part = await this.openPart();
      if (!part || !this.file)
        throw new Error(`${piece.length - from} bytes follow the last of ${this.parts.length} files.`);
      const taken = Math.min(piece.length - from, part.bytes - this.at);
      await this.file.write([piece.subarray(from, from + taken)], this.at);
      this.at += taken;
      from += taken;
      if (this.at === part.bytes) await this.endPart();
    }
  }

  async finish(): Promise<void> {
    if (this.next < this.parts.length || this.file) throw new Error('The bytes of the files end too early.');
    for (const directory of new Set(this.parts.map(({ path }) => dirname(path))))
      await this.files.syncDirectory(directory);
  }

  async close(): Promise<void> {
    await this.file?.close();
    this.file = undefined;
  }

  private async openPart(): Promise<FilePart | undefined> {
    const part = this.parts[this.next];
    if (!part || this.file) return part;
    await this.files.makeDirectory(dirname(part.path));
    this.file = await this.files.open(part.path, 'create');
    this.at = 0;
    return part;
  }

  private async endPart(): Promise<void> {
    await this.file?.sync();
    await this.close();
    this.next += 1;
  }
}
