import { crc32 } from 'node:zlib';
import { FileSystemError, isDiskFull, type FileSystem } from '../../../src/log/files';
import { KeyValuesError, type Change, type KeyValues } from '../../../src/raft/stable/key-values';

const PATH = '/db/content';
const CHECKSUM_BYTES = 4;

/**
 * A database in one file that is replaced as a whole: durable and atomic, as `level` is, but on a file system that can
 * lose power in memory.
 */
export class FileKeyValues implements KeyValues {
  private constructor(
    private readonly files: FileSystem,
    private readonly content: Map<string, Buffer>,
  ) {}

  static async open(files: FileSystem): Promise<FileKeyValues> {
    await files.makeDirectory('/db');
    const content = new Map<string, Buffer>();
    if (await files.exists(PATH)) {
      // What was renamed and not synced can be read, and may get lost yet.
      await files.syncDirectory('/db');
      const file = await files.open(PATH, 'read');
      const bytes = Buffer.alloc(await file.size());
      await file.read(bytes, 0);
      await file.close();
      const text = bytes.subarray(CHECKSUM_BYTES).toString();
      if (bytes.length < CHECKSUM_BYTES || bytes.readUInt32LE(0) !== crc32(text)) {
        throw new KeyValuesError('damaged', `${PATH} is not what was written`, {});
      }
      for (const [key, hex] of JSON.parse(text) as [string, string][]) content.set(key, Buffer.from(hex, 'hex'));
    }
    return new FileKeyValues(files, content);
  }

  async entries(): Promise<readonly (readonly [string, Buffer])[]> {
    return [...this.content];
  }

  async write(changes: readonly Change[]): Promise<void> {
    for (const [key, value] of changes) {
      if (value === undefined) this.content.delete(key);
      else this.content.set(key, value);
    }
    const temporary = `${PATH}.tmp`;
    await this.files.unlink(temporary).catch((error: unknown) => {
      if (!(error instanceof FileSystemError)) throw error;
    });
    try {
      await this.writeTo(temporary);
    } catch (error) {
      // As LevelDB does: it says that the disk is full, and is good for nothing more until it is opened again.
      if (isDiskFull(error)) throw new KeyValuesError('full', 'No space left on device', { cause: error });
      throw error;
    }
    await this.files.rename(temporary, PATH);
    await this.files.syncDirectory('/db');
  }

  async close(): Promise<void> {}

  private async writeTo(path: string): Promise<void> {
    const file = await this.files.open(path, 'create');
    try {
      const json = JSON.stringify([...this.content].map(([key, value]) => [key, value.toString('hex')]));
      const checksum = Buffer.alloc(CHECKSUM_BYTES);
      checksum.writeUInt32LE(crc32(json), 0);
      await file.write([checksum, Buffer.from(json)], 0);
      await file.sync();
    } finally {
      await file.close();
    }
  }
}
