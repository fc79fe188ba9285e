import type { RandomAccessFile } from '../../log/files';
import { asSnapshotError, SnapshotError } from './snapshot-error';

const SYNC_EVERY_BYTES = 8 * 1024 * 1024;

/** What the store does with a file that is complete, or given up. */
export interface IncomingOutcome<T> {
  finish(): Promise<T>;
  abort(): Promise<void>;
}

/** A snapshot that is being received, as the bytes of the sender's file. What has arrived survives a restart. */
export class IncomingSnapshot<T> {
  private unsynced = 0;
  private busy = false;
  private ended = false;

  constructor(
    private readonly file: RandomAccessFile,
    private receivedBytes: number,
    /** Length of the whole file, as the sender says. */
    readonly totalBytes: number,
    private readonly outcome: IncomingOutcome<T>,
  ) {}

  /** Where to go on: bytes that are here already. */
  get received(): number {
    return this.receivedBytes;
  }

  get isComplete(): boolean {
    return this.receivedBytes === this.totalBytes;
  }

  /**
   * Takes the bytes at `offset`; those that are here already are skipped. Rejects with GAP where bytes in front of them are
   * missing, and with DISK_FULL.
   */
  async write(offset: number, bytes: Buffer): Promise<void> {
    await this.alone(async () => {
      if (offset > this.receivedBytes || offset + bytes.length > this.totalBytes) {
        const message = `bytes ${offset} to ${offset + bytes.length} of ${this.totalBytes} were sent; expected: from ${this.receivedBytes} on`;
        throw new SnapshotError('GAP', message);
      }
      const fresh = bytes.subarray(this.receivedBytes - offset);
      if (fresh.length === 0) return;
      await this.file.write([fresh], this.receivedBytes);
      this.receivedBytes += fresh.length;
      this.unsynced += fresh.length;
      if (this.unsynced < SYNC_EVERY_BYTES) return;
      await this.synced(() => this.file.datasync());
      this.unsynced = 0;
    });
  }

  /**
   * Verifies the whole file and makes it one of the store's, durably and in one step. Rejects with DAMAGED and the like
   * where it is not the snapshot that was announced, and with FAILED where it could not be synced; it is removed then, and has
   * to be sent again.
   */
  async finish(): Promise<T> {
    return this.alone(async () => {
      if (!this.isComplete) {
        throw new SnapshotError(
          'GAP',
          `${this.receivedBytes} of ${this.totalBytes} bytes have arrived; the rest is missing`,
        );
      }
      await this.synced(() => this.file.sync());
      this.ended = true;
      await this.file.close();
      return this.outcome.finish();
    });
  }

  /** Closes the file and leaves what has arrived for another attempt. */
  async suspend(): Promise<void> {
    if (this.ended) return;
    this.ended = true;
    await this.file.close();
  }

  /** Gives up and removes what has arrived. */
  async abort(): Promise<void> {
    if (this.ended) return;
    this.ended = true;
    await this.file.close();
    await this.outcome.abort();
  }

  /**
   * After a sync that failed, what has arrived can be read and may never get to the disk, and another sync would not tell
   * (fsyncgate): no later attempt may go on with it.
   */
  private async synced(sync: () => Promise<void>): Promise<void> {
    try {
      await sync();
    } catch (error) {
      await this.abort();
      throw error;
    }
  }

  /** Two writes at once would both start where the first one starts. */
  private async alone<R>(work: () => Promise<R>): Promise<R> {
    if (this.busy || this.ended) {
      throw new Error(`A snapshot was written to ${this.ended ? 'after its end' : 'twice at the same time'}.`);
    }
    this.busy = true;
    try {
      return await work();
    } catch (error) {
      throw asSnapshotError(error);
    } finally {
      this.busy = false;
    }
  }
}
