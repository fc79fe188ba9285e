/** A backup of what a stopped node's directory holds. Changes nothing there. */

import { join } from 'node:path';
import { BatchKind, type BatchHeader, payloadOf } from '../log/batch';
import { NOTHING_BEFORE } from '../log/continuity';
import type { FileSystem } from '../log/files';
import type { LogBoundary } from '../log/log-store';
import { OUTCOME_ROW_BYTES } from '../ledger/outcome-row';
import { FIRST_GROUP } from '../node/data-directory';
import { IDS } from '../node/ids/id-store';
import { StartupError } from '../node/startup-error';
import { snapshotBytes, type BackedUpEntries, type BackupHeader, type BackupSource } from '../raft/backup';
import { type Configuration, decodeConfiguration, EMPTY_CONFIGURATION } from '../raft/core';
import { systemClock } from '../raft/replica/environment';
import type { NodeIdentity } from '../raft/stable';
import type { Finding, OnFinding } from './finding';
import { auditLog, logFolder, type SegmentPlace } from './log-audit';
import { OutcomeRows } from './outcome-rows';
import { ReadOnlyFiles } from './read-only-files';
import { auditSnapshot, type GoodSnapshot, snapshotFolder } from './snapshot-audit';
import { auditStable, firstConfiguration, type StableRecords } from './stable-audit';

/** So many bytes of the log travel together. */
const PART_BYTES = 1024 * 1024;

interface LogSurvey {
  readonly before: LogBoundary;
  readonly last: LogBoundary;
  readonly commitIndex: number;
  /** In force at the end, where an entry of the log says so. */
  readonly configuration: Configuration | undefined;
}

export class DirectorySource implements BackupSource {
  private constructor(
    private readonly files: FileSystem,
    private readonly folder: string,
    private readonly segments: readonly SegmentPlace[],
    private readonly newest: GoodSnapshot | undefined,
    readonly header: BackupHeader,
  ) {}

  /**
   * Reads all of the log and the snapshots once. Entries at its end that are not known to be committed belong to it: one of them
   * may have been acknowledged.
   * @param report is told what was found beside: torn tails, damage that does not matter
   * @throws StartupError where damage is in the way
   */
  static async open(given: FileSystem, dataDir: string, report: OnFinding): Promise<DirectorySource> {
    const files = new ReadOnlyFiles(given);
    const folder = join(dataDir, 'groups', String(FIRST_GROUP));
    const stable = await auditStable(files, dataDir, FIRST_GROUP, report);
    const { identity } = stable;
    if (!identity || identity.clusterId === '') {
      throw new StartupError(`${dataDir} does not say which cluster it belongs to: there is nothing to be saved`, 1);
    }
    const snapshot = await newestSnapshot(files, join(folder, 'snapshots'), identity, report);
    const { segments, findings } = await logFolder(files, join(folder, 'log'));
    for (const finding of findings) report(finding);
    const survey = await surveyOf(files, segments, report);
    const behind = snapshot && snapshot.meta.index > survey.last.index;
    const log = behind ? emptyBehind(snapshot) : survey;
    assertReaches(dataDir, log.before, snapshot);
    const header = headerOf(identity, stable, log, snapshot, await bytesOf(files, snapshot));
    return new DirectorySource(files, folder, behind ? [] : segments, snapshot, header);
  }

  /** About how many bytes the backup will have. */
  get expectedBytes(): number {
    return this.segments.reduce((sum, { bytes }) => sum + bytes, snapshotBytes(this.header));
  }

  async *snapshot(): AsyncGenerator<Buffer, void, undefined> {
    if (!this.newest) return;
    yield* this.bytesIn(this.newest.path);
    for (const { name } of this.header.snapshot?.attachments ?? []) yield* this.bytesIn(join(this.folder, IDS, name));
  }

  private async *bytesIn(path: string): AsyncGenerator<Buffer, void, undefined> {
    const file = await this.files.open(path, 'read');
    try {
      for (let at = 0, size = await file.size(); at < size; at += PART_BYTES) {
        const piece = Buffer.allocUnsafe(Math.min(PART_BYTES, size - at));
        yield piece.subarray(0, await file.read(piece, at));
      }
    } finally {
      await file.close();
    }
  }

  async *entries(): AsyncGenerator<BackedUpEntries, void, undefined> {
    const outcomes = new OutcomeRows(this.files);
    const part = new Part();
    try {
      for await (const item of auditLog({ files: this.files, group: FIRST_GROUP, segments: this.segments })) {
        if (item.kind === 'segment') await outcomes.segment(item.path, item.before?.nextOffset);
        if (item.kind === 'damage') throw inTheWay(item);
        if (item.kind !== 'batch') continue;
        const { baseOffset, count } = item.header;
        const rows = count === 0 ? undefined : await outcomes.read(baseOffset, count);
        part.add(item.bytes, rows ?? Buffer.alloc(count * OUTCOME_ROW_BYTES));
        if (part.bytes >= PART_BYTES) yield part.take();
      }
      if (part.bytes > 0) yield part.take();
    } finally {
      await outcomes.close();
    }
  }
}

/** Entries that are collected. */
class Part {
  bytes = 0;
  private batches: Buffer[] = [];
  private rows: Buffer[] = [];

  /** @param batch a view that does not stay */
  add(batch: Buffer, rows: Buffer): void {
    this.batches.push(Buffer.from(batch));
    this.rows.push(rows);
    this.bytes += batch.length;
  }

  take(): BackedUpEntries {
    const taken = { batches: this.batches, outcomes: Buffer.concat(this.rows) };
    this.batches = [];
    this.rows = [];
    this.bytes = 0;
    return taken;
  }
}

async function newestSnapshot(
  files: FileSystem,
  directory: string,
  { clusterId }: NodeIdentity,
  report: OnFinding,
): Promise<GoodSnapshot | undefined> {
  for (const place of (await snapshotFolder(files, directory)).reverse()) {
    const snapshot = await auditSnapshot(files, place, { clusterId, group: FIRST_GROUP }, report);
    if (snapshot) return snapshot;
  }
  return undefined;
}

async function surveyOf(files: FileSystem, segments: readonly SegmentPlace[], report: OnFinding): Promise<LogSurvey> {
  let before: LogBoundary | undefined;
  let last: LogBoundary | undefined;
  let commitIndex = 0;
  let configuration: Configuration | undefined;
  for await (const item of auditLog({ files, group: FIRST_GROUP, segments })) {
    if (item.kind === 'segment') before ??= item.before;
    else if (item.kind === 'batch') {
      const { header } = item;
      last = boundaryAt(header);
      commitIndex = Math.max(commitIndex, header.commitIndex);
      if (header.kind === BatchKind.Configuration) configuration = decodeConfiguration(payloadOf(item.bytes));
    } else if (item.kind === 'damage') throw inTheWay(item);
    else report(item);
  }
  const beginning = before ?? NOTHING_BEFORE;
  return { before: beginning, last: last ?? beginning, commitIndex, configuration };
}

function boundaryAt({ index, term, baseOffset, count, time, hash }: BatchHeader): LogBoundary {
  return { index, term, nextOffset: baseOffset + count, time, hash: Buffer.from(hash) };
}

/** A crash between the installation of a snapshot and the new beginning of the log leaves a log that does not reach it. */
function emptyBehind({ meta }: GoodSnapshot): LogSurvey {
  return { before: meta, last: meta, commitIndex: meta.index, configuration: undefined };
}

function assertReaches(dataDir: string, before: LogBoundary, snapshot: GoodSnapshot | undefined): void {
  if (before.index === 0 || (snapshot && snapshot.meta.index >= before.index)) return;
  const what = `${dataDir}: the log begins with entry ${before.index + 1}, and no snapshot that can be read reaches so far`;
  throw new StartupError(what, 1);
}

async function bytesOf(files: FileSystem, snapshot: GoodSnapshot | undefined): Promise<number> {
  if (!snapshot) return 0;
  const file = await files.open(snapshot.path, 'read');
  const size = await file.size();
  await file.close();
  return size;
}

function headerOf(
  identity: NodeIdentity,
  stable: StableRecords,
  log: LogSurvey,
  snapshot: GoodSnapshot | undefined,
  bytes: number,
): BackupHeader {
  const { clusterId, nodeName, nodeId, partitions } = identity;
  const { before, last } = log;
  const known = log.configuration ?? snapshot?.meta.configuration ?? firstConfiguration(stable) ?? EMPTY_CONFIGURATION;
  return {
    ...{ clusterId, nodeName, nodeId, group: FIRST_GROUP, partitions: Math.max(1, partitions) },
    createdAt: systemClock.wallMicros(),
    before: { ...before },
    lastIndex: last.index,
    nextOffset: last.nextOffset,
    commitIndex: Math.max(log.commitIndex, snapshot?.meta.index ?? 0),
    configuration: known,
    snapshot: snapshot && backedUp(snapshot, bytes),
  };
}

function backedUp({ meta: { index, term, attachments } }: GoodSnapshot, bytes: number): BackupHeader['snapshot'] {
  return { index, term, bytes, attachments };
}

function inTheWay({ file, position, what }: Finding): StartupError {
  return new StartupError(
    `${file} is damaged at byte ${position}: ${what} Use the directory of another node, or see all of it with "ledger-node verify"`,
    1,
  );
}
