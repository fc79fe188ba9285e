import { join } from 'node:path';
import { firstMissingOutcome } from '../node/outcome-keeper';
import type { FileSystem } from '../log/files';
import { firstUnsoundOutcome, OUTCOME_ROW_BYTES } from '../ledger/outcome-row';
import type { Fetched, FetchedBatch, ProjectionSource } from '../ledger/projection/source';
import { FIRST_GROUP } from '../node/data-directory';
import { StartupError } from '../node/startup-error';
import type { OnProgress } from './finding';
import { auditLog, logFolder, type LogItem, type SegmentPlace } from './log-audit';
import { OutcomeRows } from './outcome-rows';
import { ReadOnlyFiles } from './read-only-files';

/** The log of a stopped node, with its outcomes, from its first entry to the last one that is known to be committed. */
export class ProjectionLog implements ProjectionSource {
  private readonly items: AsyncGenerator<LogItem, void, undefined>;
  private next = 1;
  private doneBytes = 0;
  private readonly totalBytes: number;

  private constructor(
    files: FileSystem,
    segments: readonly SegmentPlace[],
    private readonly committed: number,
    private readonly outcomes: OutcomeRows,
    private readonly onProgress: OnProgress,
  ) {
    this.totalBytes = segments.reduce((sum, { bytes }) => sum + bytes, 0);
    this.items = auditLog({ files, group: FIRST_GROUP, segments });
  }

  /** @throws StartupError where the log does not begin with its first entry */
  static async open(given: FileSystem, dataDir: string, onProgress: OnProgress): Promise<ProjectionLog> {
    const files = new ReadOnlyFiles(given);
    const folder = join(dataDir, 'groups', String(FIRST_GROUP), 'log');
    const { segments } = await logFolder(files, folder);
    const first = segments[0]?.firstIndex ?? 1;
    if (first !== 1) {
      throw new StartupError(
        `${folder} begins with entry ${first}: rows are made of the whole log. Use the directory of a node that has it from the first entry on`,
        1,
      );
    }
    const committed = await knownCommit(files, segments);
    return new ProjectionLog(files, segments, committed, new OutcomeRows(files), onProgress);
  }

  /** In order, each entry once. */
  async fetch(fromIndex: number, maxBytes: number): Promise<Fetched> {
    if (fromIndex !== this.next)
      throw new Error(`Entry ${fromIndex} was asked for; entry ${this.next} is the next one.`);
    const batches: FetchedBatch[] = [];
    for (let bytes = 0; bytes < maxBytes && this.next <= this.committed;) {
      const batch = await this.nextBatch();
      if (batch === undefined) break;
      batches.push(batch);
      bytes += batch.batch.length;
      this.next++;
    }
    return { batches, commitIndex: this.committed, nextOffset: 0 };
  }

  async close(): Promise<void> {
    await this.items.return();
    await this.outcomes.close();
  }

  private async nextBatch(): Promise<FetchedBatch | undefined> {
    for (;;) {
      const step = await this.items.next();
      if (step.done === true) return undefined;
      const item = step.value;
      if (item.kind === 'segment') await this.outcomes.segment(item.path, item.before?.nextOffset);
      else if (item.kind === 'damage') {
        throw new StartupError(`${item.file} is damaged at byte ${item.position}: ${item.what}`, 1);
      } else if (item.kind === 'batch') {
        const { baseOffset, count, length } = item.header;
        this.onProgress((this.doneBytes += length), this.totalBytes, 'log');
        const batch = Buffer.from(item.bytes);
        return { batch, outcomes: await this.rowsOf(batch, baseOffset, count) };
      }
    }
  }

  private async rowsOf(batch: Buffer, baseOffset: number, count: number): Promise<Buffer> {
    if (count === 0) return Buffer.alloc(0);
    const rows = (await this.outcomes.read(baseOffset, count)) ?? Buffer.alloc(count * OUTCOME_ROW_BYTES);
    const unsound = firstUnsoundOutcome(rows, baseOffset);
    const bad = unsound >= 0 ? unsound : firstMissingOutcome(batch, rows);
    if (bad < 0) return rows;
    const { file, position } = this.outcomes.placeOf(baseOffset + bad);
    throw new StartupError(
      `${file}: the outcome of the record at offset ${baseOffset + bad} (byte ${position}) is missing or damaged. Start the node and stop it once, then it is written again`,
      1,
    );
  }
}

/** What the newest entry says of how far the log was committed; it is in the last segment that has any. */
async function knownCommit(files: FileSystem, segments: readonly SegmentPlace[]): Promise<number> {
  for (let i = segments.length - 1; i >= 0; i--) {
    let commit: number | undefined;
    for await (const item of auditLog({ files, group: FIRST_GROUP, segments: [segments[i]!] })) {
      if (item.kind === 'batch') commit = Math.max(commit ?? 0, item.header.commitIndex);
    }
    if (commit !== undefined) return commit;
  }
  return 0;
}
