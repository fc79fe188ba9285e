import { KeyValuesError, type Change, type KeyValues } from './key-values';
import { StableStoreError } from './stable-store';

export type OpenKeyValues = () => Promise<KeyValues>;

/**
 * The database of a StableStore, one write after the other. A full disk is an outcome, not the end: LevelDB cannot go on
 * after a failed write (what follows it in its log may be lost with it), so the database is closed then and opened again
 * for the next write, which is when there may be space.
 */
export class StableDatabase {
  private last: Promise<unknown> = Promise.resolve();
  private failure: StableStoreError | undefined;

  private constructor(
    private readonly openKeyValues: OpenKeyValues,
    private current: KeyValues | undefined,
  ) {}

  static async open(openKeyValues: OpenKeyValues): Promise<{
    readonly database: StableDatabase;
    readonly entries: readonly (readonly [key: string, value: Buffer])[];
  }> {
    let current: KeyValues | undefined;
    try {
      current = await openKeyValues();
      return { database: new StableDatabase(openKeyValues, current), entries: await current.entries() };
    } catch (error) {
      await current?.close();
      throw openingFailed(error);
    }
  }

  /** Resolves when the changes are durable, or to `full` when they may or may not be. Rejects with FAILED, and then always. */
  write(changes: readonly Change[]): Promise<'durable' | 'full'> {
    const write = this.last.then(() => this.writeNow(changes));
    this.last = write.catch(() => undefined);
    return write;
  }

  async close(): Promise<void> {
    await this.last;
    await this.current?.close();
    this.current = undefined;
  }

  private async writeNow(changes: readonly Change[]): Promise<'durable' | 'full'> {
    if (this.failure) throw this.failure;
    try {
      this.current ??= await this.openKeyValues();
      await this.current.write(changes);
      return 'durable';
    } catch (error) {
      if (error instanceof KeyValuesError && error.fault === 'full') {
        await this.abandon();
        return 'full';
      }
      this.failure = failed(error);
      throw this.failure;
    }
  }

  private async abandon(): Promise<void> {
    const broken = this.current;
    this.current = undefined;
    await broken?.close();
  }
}

/** What a failed write or sync means to whoever holds the store. */
export function failed(cause: unknown): StableStoreError {
  const message = cause instanceof Error ? cause.message : String(cause);
  return new StableStoreError(
    'FAILED',
    `${message}. What the disk holds now is not known: end this process and start it again.`,
    { cause },
  );
}

function openingFailed(error: unknown): StableStoreError {
  if (error instanceof KeyValuesError && error.fault === 'locked') {
    return new StableStoreError('LOCKED', `${error.message}: another process is using this data directory.`, {
      cause: error,
    });
  }
  if (error instanceof KeyValuesError && error.fault === 'full') {
    return new StableStoreError('DISK_FULL', `${error.message}: make room on the disk, and start again.`, {
      cause: error,
    });
  }
  const message = error instanceof Error ? error.message : String(error);
  return new StableStoreError(
    'UNREADABLE',
    `${message}. If the disk is sound, restore the data directory from a backup; otherwise remove it, and this node comes back as a new one.`,
    { cause: error },
  );
}
