/** Applies the log of a stopped node anew, up to the entry that its rows reflect, for whoever looks at each batch. */
import { join } from 'node:path';
import { type BatchHeader, readHeader } from '../log/batch';
import type { FileSystem } from '../log/files';
import { FIRST_GROUP } from '../node/data-directory';
import type { OnProgress } from './finding';
import { auditLog, logFolder, type SegmentPlace } from './log-audit';
import { ReadOnlyFiles } from './read-only-files';
import { scratchMachine } from './scratch-machine';
import { auditSnapshot, restoreFrom, snapshotFolder } from './snapshot-audit';

type Machine = ReturnType<typeof scratchMachine>;

/**
 * What the replay begins with. `oldest`: nothing, where the log has its first entry, else the oldest snapshot that the log goes on
 * from; so it goes through all of the log. `newest`: the last snapshot before the end.
 */
export type ReplayBegin = 'oldest' | 'newest';

/** @param apply decides the batch, and gives 64 bytes for each of its records */
export type OnBatch = (batch: Buffer, header: BatchHeader, apply: () => Promise<Buffer>) => Promise<void>;

export interface ProjectionReplayOptions {
  readonly dataDir: string;
  readonly files: FileSystem;
  readonly onProgress: OnProgress;
}

export class ProjectionReplay {
  private constructor(
    private readonly files: FileSystem,
    private readonly segments: readonly SegmentPlace[],
    private readonly until: number,
    private readonly onProgress: OnProgress,
    readonly machine: Machine,
    /** The last entry that the machine has applied. */
    public at: number,
  ) {}

  static async open(options: ProjectionReplayOptions, until: number, begin: ReplayBegin): Promise<ProjectionReplay> {
    const files = new ReadOnlyFiles(options.files);
    const folder = join(options.dataDir, 'groups', String(FIRST_GROUP));
    const { segments } = await logFolder(files, join(folder, 'log'));
    const first = segments[0]?.firstIndex ?? 1;
    const snapshots = join(folder, 'snapshots');
    const places = first === 1 && begin === 'oldest' ? [] : await snapshotFolder(files, snapshots);
    const usable = places.filter(({ index }) => index <= until && (begin === 'newest' || index >= first - 1));
    for (const place of begin === 'newest' ? usable.reverse() : usable) {
      const owner = { clusterId: undefined, group: FIRST_GROUP };
      const snapshot = await auditSnapshot(files, place, owner, () => undefined);
      if (!snapshot) continue;
      const machine = await restoreFrom(files, snapshot);
      return new ProjectionReplay(files, segments, until, options.onProgress, machine, snapshot.meta.index);
    }
    return new ProjectionReplay(files, segments, until, options.onProgress, scratchMachine(files, snapshots), 0);
  }

  /** Up to the end, or to the first entry that is damaged or missing: `at` says how far. */
  async run(onBatch: OnBatch): Promise<void> {
    const { machine, segments, until } = this;
    if (this.at >= until) return;
    for await (const item of auditLog({ files: this.files, group: FIRST_GROUP, segments })) {
      if (item.kind !== 'batch' || item.header.index <= this.at) continue;
      if (item.header.index !== this.at + 1) return;
      const header = readHeader(item.bytes);
      await onBatch(item.bytes, header, async () => {
        await machine.prepare(item.bytes, header);
        return machine.apply(item.bytes, header);
      });
      this.at = header.index;
      this.onProgress(this.at, until, 'entries');
      if (this.at === until) return;
    }
  }

  close(): Promise<void> {
    return this.machine.close();
  }
}
