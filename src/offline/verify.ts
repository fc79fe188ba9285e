/** Checks a data directory offline: every checksum, every link, and a replay. Changes nothing. */

import { join } from 'node:path';
import type { FileSystem } from '../log/files';
import { FIRST_GROUP } from '../node/data-directory';
import type { Finding, FindingKind, OnFinding, OnProgress } from './finding';
import { auditLog, logFolder, type SegmentPlace } from './log-audit';
import { OutcomeRows } from './outcome-rows';
import { ReadOnlyFiles } from './read-only-files';
import { Replay, type Replayed } from './replay';
import { auditSnapshot, type GoodSnapshot, snapshotFolder, type SnapshotPlace } from './snapshot-audit';
import { auditStable, type StableRecords } from './stable-audit';

export interface VerifyOptions {
  /** Nobody else may use it meanwhile: see withDirectory. */
  readonly dataDir: string;
  readonly files: FileSystem;
  readonly onFinding: OnFinding;
  readonly onProgress: OnProgress;
}

export interface VerifyReport {
  /** No damage was found; what a crash explains is none. */
  readonly clean: boolean;
  readonly damaged: number;
  readonly torn: number;
  readonly clusterId: string;
  readonly nodeName: string;
  readonly segments: number;
  readonly snapshots: number;
  readonly batches: number;
  readonly records: number;
  readonly firstIndex: number;
  readonly lastIndex: number;
  /** The entries up to here are known to be committed. */
  readonly committed: number;
  readonly replayed: Replayed;
}

/** @throws LogVersionError, StableStoreError where a newer program wrote the directory */
export async function verifyDirectory(options: VerifyOptions): Promise<VerifyReport> {
  return new Verification(options).run();
}

class Verification {
  private readonly files: FileSystem;
  private readonly counts: Record<FindingKind, number> = { damage: 0, torn: 0, note: 0 };
  private batches = 0;
  private records = 0;
  private firstIndex = 0;
  private lastIndex = 0;
  private doneBytes = 0;
  private totalBytes = 0;

  constructor(private readonly options: VerifyOptions) {
    this.files = new ReadOnlyFiles(options.files);
  }

  async run(): Promise<VerifyReport> {
    const { dataDir } = this.options;
    const folder = join(dataDir, 'groups', String(FIRST_GROUP));
    const stable = await auditStable(this.files, dataDir, FIRST_GROUP, (finding) => this.report(finding));
    const places = await snapshotFolder(this.files, join(folder, 'snapshots'));
    const { segments, findings } = await logFolder(this.files, join(folder, 'log'));
    for (const finding of findings) this.report(finding);
    this.totalBytes = [...places, ...segments].reduce((sum, { bytes }) => sum + bytes, 0);
    const snapshots = await this.snapshots(places, stable);
    this.checkPointer(stable, places, join(folder, 'snapshots'));
    if (segments.length === 0 && stable.groups.includes(FIRST_GROUP)) this.reportNoLog(join(folder, 'log'), stable);
    const committed = Math.max(snapshots.at(-1)?.meta.index ?? 0, await this.knownCommit(segments));
    const replayed = await this.log(segments, snapshots, committed);
    this.checkReach(snapshots, segments);
    this.checkEnd(join(folder, 'log'), stable, snapshots);
    return this.reportOn(stable, segments, snapshots, committed, replayed);
  }

  private reportOn(
    { identity }: StableRecords,
    segments: readonly SegmentPlace[],
    snapshots: readonly GoodSnapshot[],
    committed: number,
    replayed: Replayed,
  ): VerifyReport {
    const { counts, batches, records, firstIndex, lastIndex } = this;
    return {
      ...{ clean: counts.damage === 0, damaged: counts.damage, torn: counts.torn },
      ...{ clusterId: identity?.clusterId ?? '', nodeName: identity?.nodeName ?? '' },
      ...{ segments: segments.length, snapshots: snapshots.length, batches, records, firstIndex, lastIndex },
      ...{ committed, replayed },
    };
  }

  private report(finding: Finding): void {
    this.counts[finding.kind] += 1;
    this.options.onFinding(finding);
  }

  private advance(bytes: number, what: string): void {
    this.doneBytes += bytes;
    this.options.onProgress(Math.min(this.doneBytes, this.totalBytes), this.totalBytes, what);
  }

  private async snapshots(places: readonly SnapshotPlace[], { identity }: StableRecords): Promise<GoodSnapshot[]> {
    const good: GoodSnapshot[] = [];
    const owner = { clusterId: identity?.clusterId, group: FIRST_GROUP };
    for (const place of places) {
      const snapshot = await auditSnapshot(this.files, place, owner, (finding) => this.report(finding));
      if (snapshot) good.push(snapshot);
      this.advance(place.bytes, 'snapshots');
    }
    return good;
  }

  private checkPointer({ pointer }: StableRecords, places: readonly SnapshotPlace[], directory: string): void {
    if (!pointer || pointer.index === 0 || places.some(({ index }) => index >= pointer.index)) return;
    const what = `The newest snapshot is ${pointer.file}, but there is no such file.`;
    this.report({ kind: 'damage', file: join(directory, pointer.file), position: 0, what });
  }

  /** A node that was stopped before its first start was over has no log yet; any other has. */
  private reportNoLog(file: string, { identity, pointer }: StableRecords): void {
    const fresh = identity?.clusterId === '' || pointer === undefined || pointer.index === 0;
    const what = 'There is no segment of a log.';
    this.report({ kind: fresh ? 'note' : 'damage', file, position: 0, what });
  }

  /** What the newest batch says of how far the log was committed when it was written; it is in the last segment that has any. */
  private async knownCommit(segments: readonly SegmentPlace[]): Promise<number> {
    for (let i = segments.length - 1; i >= 0; i--) {
      let commit: number | undefined;
      for await (const item of auditLog({ files: this.files, group: FIRST_GROUP, segments: [segments[i]!] })) {
        if (item.kind === 'batch') commit = Math.max(commit ?? 0, item.header.commitIndex);
      }
      if (commit !== undefined) return commit;
    }
    return 0;
  }

  private async log(
    segments: readonly SegmentPlace[],
    snapshots: readonly GoodSnapshot[],
    committed: number,
  ): Promise<Replayed> {
    const { files } = this;
    const outcomes = new OutcomeRows(files);
    const report: OnFinding = (finding) => this.report(finding);
    const directory = join(this.options.dataDir, 'groups', String(FIRST_GROUP), 'snapshots');
    const replay = new Replay({ files, directory, snapshots, committed, outcomes, report });
    try {
      for await (const item of auditLog({ files, group: FIRST_GROUP, segments })) {
        if (item.kind === 'segment') {
          await outcomes.segment(item.path, item.before?.nextOffset);
          await replay.segment(item.path, item.before?.index);
          // The file of a segment is as long as it may become: what it holds shows only as it is read.
          this.doneBytes = this.bytesBefore(segments, item.path);
        } else if (item.kind === 'batch') {
          this.note(item.header);
          this.advance(item.header.length, 'log');
          await replay.take(item);
        } else this.report(item);
      }
      return await replay.finish();
    } finally {
      await outcomes.close();
    }
  }

  private bytesBefore(segments: readonly SegmentPlace[], path: string): number {
    const place = segments.findIndex((segment) => segment.path === path);
    const left = segments.slice(place).reduce((sum, { bytes }) => sum + bytes, 0);
    return this.totalBytes - left;
  }

  private note({ index, count }: { readonly index: number; readonly count: number }): void {
    if (this.batches === 0) this.firstIndex = index;
    this.batches += 1;
    this.records += count;
    this.lastIndex = index;
  }

  /** Neither segments nor marks tell that the last entries are gone; where the log ended is also in the database. */
  private checkEnd(file: string, { logEnd, loss }: StableRecords, snapshots: readonly GoodSnapshot[]): void {
    const end = Math.max(this.lastIndex, snapshots.at(-1)?.meta.index ?? 0);
    if (logEnd && logEnd.index > end) {
      const what = `The log ended with entry ${logEnd.index} when it was closed, and ends with entry ${end} now.`;
      this.report({ kind: 'damage', file, position: 0, what, fromIndex: end + 1, toIndex: logEnd.index });
    }
    if (!loss) return;
    const what = `Entries up to ${loss.index} may have been acknowledged and lost here; no leader has settled it yet.`;
    this.report({ kind: 'note', file, position: 0, what });
  }

  /** A log whose beginning was dropped needs a snapshot that reaches it. */
  private checkReach(snapshots: readonly GoodSnapshot[], segments: readonly SegmentPlace[]): void {
    const first = segments[0];
    if (!first || first.firstIndex === 1) return;
    const newest = snapshots.at(-1)?.meta.index ?? 0;
    if (newest >= first.firstIndex - 1) return;
    const what = `The log begins with entry ${first.firstIndex}, and no snapshot that can be read reaches so far.`;
    this.report({ kind: 'damage', file: first.path, position: 0, what });
  }
}
