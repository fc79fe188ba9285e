/** Reads every snapshot that a group keeps, to its last byte, and finds out what state each of them holds. */

import { dirname, join } from 'node:path';
import type { FileSystem } from '../log/files';
import { SnapshotError, type SnapshotFileMeta, SnapshotReader } from '../raft/snapshot';
import { CHUNK_HEADER_BYTES } from '../raft/snapshot/snapshot-format';
import { InvariantViolation } from '../ledger/invariant';
import { SnapshotFormatError } from '../ledger/snapshot-format';
import { IdFileDamageError } from '../node/ids/run-format';
import type { Finding, OnFinding } from './finding';
import { scratchMachine } from './scratch-machine';

const COMPLETE = /^([0-9]+)-([0-9]+)\.snap$/;

export interface SnapshotPlace {
  readonly path: string;
  readonly index: number;
  readonly bytes: number;
}

/** A snapshot that is whole. */
export interface GoodSnapshot {
  readonly path: string;
  readonly meta: SnapshotFileMeta;
  /** Hash of the state that it holds. */
  readonly stateHash: string;
  /** Root of the tree over the log that made the state. */
  readonly historyRoot: string;
}

export interface SnapshotOwnerId {
  /** Undefined where the directory does not say whose it is. */
  readonly clusterId: string | undefined;
  readonly group: number;
}

/** The snapshots of a folder, ascending by index. */
export async function snapshotFolder(files: FileSystem, directory: string): Promise<SnapshotPlace[]> {
  const places: SnapshotPlace[] = [];
  const names = (await files.exists(directory)) ? await files.list(directory) : [];
  for (const name of names) {
    const index = COMPLETE.exec(name)?.[1];
    if (index === undefined) continue;
    const path = join(directory, name);
    const file = await files.open(path, 'read');
    places.push({ path, index: Number(index), bytes: await file.size() });
    await file.close();
  }
  return places.sort((a, b) => a.index - b.index);
}

/** @returns undefined where it is damaged or does not belong there: that is reported */
export async function auditSnapshot(
  files: FileSystem,
  { path }: SnapshotPlace,
  owner: SnapshotOwnerId,
  report: OnFinding,
): Promise<GoodSnapshot | undefined> {
  const walk = new SnapshotWalk(files, path);
  try {
    return { path, ...(await walk.stateIn(owner)) };
  } catch (error) {
    const finding = walk.findingFor(error);
    if (!finding) throw error;
    report(finding);
    return undefined;
  }
}

/** Remembers how far a snapshot was good, so that the fault has a place. */
class SnapshotWalk {
  private at = 0;

  constructor(
    private readonly files: FileSystem,
    private readonly path: string,
  ) {}

  async stateIn(owner: SnapshotOwnerId): Promise<Omit<GoodSnapshot, 'path'>> {
    const reader = await SnapshotReader.open(this.files, this.path);
    try {
      const { meta } = reader;
      this.assertBelongs(reader, owner);
      const machine = scratchMachine(this.files, dirname(this.path));
      try {
        await machine.restore(this.counted(reader), meta);
        machine.assertInvariants();
        return { meta, stateHash: machine.hash(), historyRoot: machine.historyRoot };
      } finally {
        await machine.close();
      }
    } finally {
      await reader.close();
    }
  }

  findingFor(error: unknown): Finding | undefined {
    if (error instanceof SnapshotError && error.cause instanceof IdFileDamageError) {
      const { file, position, message } = error.cause;
      return { kind: 'damage', file, position, what: `The snapshot ${this.path} leans on it, and ${message}` };
    }
    const known =
      (error instanceof SnapshotError && error.code !== 'FAILED') ||
      error instanceof SnapshotFormatError ||
      error instanceof InvariantViolation;
    if (!known) return undefined;
    return { kind: 'damage', file: this.path, position: this.at, what: error.message };
  }

  private assertBelongs({ owner, meta }: SnapshotReader, wanted: SnapshotOwnerId): void {
    const [, index, term] = COMPLETE.exec(this.path.split(/[/\\]/).at(-1)!)!;
    if (meta.index !== Number(index) || meta.term !== Number(term)) {
      throw new SnapshotError('DAMAGED', `The snapshot stands at ${meta.index}-${meta.term} inside.`);
    }
    if (owner.group === wanted.group && (wanted.clusterId ?? owner.clusterId) === owner.clusterId) return;
    throw new SnapshotError('FOREIGN', `The snapshot is of group ${owner.group} of cluster ${owner.clusterId}.`);
  }

  private async *counted(reader: SnapshotReader): AsyncGenerator<Buffer, void, undefined> {
    this.at = reader.headerBytes;
    for await (const chunk of reader.chunks()) {
      this.at += CHUNK_HEADER_BYTES + chunk.length;
      yield chunk;
    }
  }
}

/** Brings a state machine to what a snapshot holds, which was read whole before. */
export async function restoreFrom(
  files: FileSystem,
  snapshot: GoodSnapshot,
): Promise<ReturnType<typeof scratchMachine>> {
  const reader = await SnapshotReader.open(files, snapshot.path);
  try {
    const machine = scratchMachine(files, dirname(snapshot.path));
    await machine.restore(reader.chunks(), snapshot.meta);
    return machine;
  } finally {
    await reader.close();
  }
}
