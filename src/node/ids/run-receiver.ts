import { join } from 'node:path';
import { isMissing, type FileSystem } from '../../log/files';
import { IncomingSnapshot } from '../../raft/snapshot/incoming-snapshot';
import { asSnapshotError } from '../../raft/snapshot/snapshot-error';
import { type Attachment, type AttachmentStore, SnapshotError } from '../../raft/snapshot';
import { verifyRun } from './id-run';
import { IdFileDamageError, runBytes, runOf, type RunName } from './run-format';

const PARTIAL = '.part';
/** Of a file that turned out to be damaged. */
export const ASIDE = '.damaged';

/**
 * Runs as attachments of snapshots: given to others as they are, and taken from them under another name until they are whole.
 * One at a time, and one call after the other: one that comes late may begin another run, but not in the middle of a write.
 */
export class RunReceiver implements AttachmentStore {
  /** Undefined where the run that was begun is here already. */
  private incoming: IncomingSnapshot<void> | undefined;
  private whole = 0;
  /** Of the run that was begun last. */
  private begun = '';
  private turn: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly files: FileSystem,
    private readonly directory: string,
  ) {}

  beginReceive(attachment: Attachment): Promise<number> {
    return this.inTurn(() => this.begin(attachment));
  }

  write(offset: number, bytes: Buffer): Promise<number> {
    return this.inTurn(() => this.take(offset, bytes));
  }

  finishReceive(name: string | undefined): Promise<void> {
    return this.inTurn(() => this.finish(name));
  }

  async has(name: string): Promise<boolean> {
    try {
      return runOf(name) !== undefined && (await this.files.exists(this.pathOf(name)));
    } catch (error) {
      throw asSnapshotError(error);
    }
  }

  async read(name: string, position: number, length: number): Promise<Buffer> {
    if (!runOf(name)) throw new SnapshotError('MISSING', `There is no attachment ${name}.`);
    try {
      const file = await this.files.open(this.pathOf(name), 'read');
      try {
        const bytes = Buffer.allocUnsafe(length);
        return bytes.subarray(0, await file.read(bytes, position));
      } finally {
        await file.close();
      }
    } catch (error) {
      throw asSnapshotError(error);
    }
  }

  async check(name: string): Promise<void> {
    const run = runOf(name);
    if (!run) throw new SnapshotError('MISSING', `There is no attachment ${name}.`);
    try {
      await this.verify(this.pathOf(name), run);
    } catch (error) {
      throw asSnapshotError(error);
    }
  }

  async doubted(name: string): Promise<void> {
    const path = this.pathOf(name);
    try {
      await this.check(name);
    } catch (error) {
      const damage = error instanceof SnapshotError ? error.cause : undefined;
      if (!(damage instanceof IdFileDamageError)) throw error;
      await this.files.rename(path, path + ASIDE);
      await this.files.syncDirectory(this.directory);
      throw damage;
    }
  }

  private async begin({ name, bytes }: Attachment): Promise<number> {
    const run = runOf(name);
    if (!run || runBytes(run) !== bytes) {
      throw new SnapshotError('FOREIGN', `An attachment ${name} of ${bytes} bytes is no run of rows.`);
    }
    const before = this.incoming;
    this.incoming = undefined;
    this.begun = name;
    await before?.suspend();
    try {
      this.whole = (await this.files.exists(this.pathOf(name))) ? bytes : 0;
      if (this.whole > 0) return this.whole;
      await this.dropPartsBut(name + PARTIAL);
      const path = this.pathOf(name + PARTIAL);
      const file = await this.files.open(path, (await this.files.exists(path)) ? 'update' : 'create');
      const received = Math.min(await file.size(), bytes);
      this.incoming = new IncomingSnapshot<void>(file, received, bytes, {
        finish: () => this.publish(name, run),
        abort: () => this.removeIfThere(path),
      });
      return received;
    } catch (error) {
      throw asSnapshotError(error);
    }
  }

  private async take(offset: number, bytes: Buffer): Promise<number> {
    const { incoming } = this;
    if (!incoming) {
      if (this.whole > 0) return this.whole;
      throw new SnapshotError('GAP', 'Bytes of an attachment were sent that was not begun.');
    }
    await incoming.write(offset, bytes);
    return incoming.received;
  }

  private async finish(name = this.begun): Promise<void> {
    const { incoming, begun } = this;
    if (name !== begun) throw new SnapshotError('GAP', `The attachment ${name} was ended, and ${begun} was begun.`);
    this.incoming = undefined;
    if (incoming) return incoming.finish();
    if (this.whole === 0) throw new SnapshotError('GAP', 'An attachment was ended that was not begun.');
  }

  private async verify(path: string, run: RunName): Promise<void> {
    const file = await this.files.open(path, 'read');
    try {
      await verifyRun(file, run);
    } catch (error) {
      if (!(error instanceof IdFileDamageError)) throw error;
      throw new SnapshotError('DAMAGED', error.message, { cause: error });
    } finally {
      await file.close();
    }
  }

  private async publish(name: string, run: RunName): Promise<void> {
    const path = this.pathOf(name + PARTIAL);
    try {
      await this.verify(path, run);
    } catch (error) {
      await this.removeIfThere(path);
      throw error;
    }
    await this.files.rename(path, this.pathOf(name));
    await this.files.syncDirectory(this.directory);
  }

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.turn.then(work);
    // Whoever asked is told.
    this.turn = done.catch(() => undefined);
    return done;
  }

  private async dropPartsBut(kept: string): Promise<void> {
    for (const file of await this.files.list(this.directory)) {
      if (file.endsWith(PARTIAL) && file !== kept) await this.files.unlink(this.pathOf(file));
    }
  }

  private async removeIfThere(path: string): Promise<void> {
    try {
      await this.files.unlink(path);
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }

  private pathOf(file: string): string {
    return join(this.directory, file);
  }
}
