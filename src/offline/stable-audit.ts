/**
 * Reads a directory's identity, votes and pointers. LevelDB cannot open a database without writing to it (it rolls its log,
 * and finishes what a crash cut short), so a copy of the few files is opened and the originals are left as they are.
 */

import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { FileSystem } from '../log/files';
import type { Configuration, LogPosition } from '../raft/core';
import {
  LevelStableStore,
  type NodeIdentity,
  type SnapshotPointer,
  StableStoreError,
  type VoteState,
} from '../raft/stable';
import { decodeSlot, SLOT_BYTES } from '../raft/stable/vote-slot';
import { NodeFiles } from '../log/node-files';
import type { OnFinding } from './finding';
import { auditLevelLogs } from './level-log-audit';

export interface StableRecords {
  readonly identity: NodeIdentity | undefined;
  readonly groups: readonly number[];
  readonly vote: VoteState | undefined;
  readonly pointer: SnapshotPointer | undefined;
  /** Entries up to there may have been acknowledged here and be lost. */
  readonly loss: LogPosition | undefined;
  /** Where the log ended when it was last closed. */
  readonly logEnd: LogPosition | undefined;
}

const NOTHING: StableRecords = {
  identity: undefined,
  groups: [],
  vote: undefined,
  pointer: undefined,
  loss: undefined,
  logEnd: undefined,
};
const STABLE = 'stable';
const LEVEL_LOCK = 'LOCK';

/** What is kept of one group; what cannot be read is reported and left out. */
export async function auditStable(
  files: FileSystem,
  dataDir: string,
  group: number,
  report: OnFinding,
): Promise<StableRecords> {
  await auditLevelLogs(files, join(dataDir, STABLE), report);
  const voteFile = join(dataDir, 'groups', String(group), 'vote');
  const copy = await mkdtemp(join(tmpdir(), 'ledger-stable-'));
  try {
    await copyStable(files, dataDir, copy, voteFile);
    const records = await readCopy(dataDir, copy, group, report);
    await auditVote(files, voteFile, records.vote, report);
    return records;
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
}

async function copyStable(files: FileSystem, dataDir: string, copy: string, voteFile: string): Promise<void> {
  const from = join(dataDir, STABLE);
  await mkdir(join(copy, STABLE));
  for (const name of (await files.exists(from)) ? await files.list(from) : []) {
    if (name !== LEVEL_LOCK) await copyFile(join(from, name), join(copy, STABLE, name));
  }
  const target = join(copy, voteFile.slice(dataDir.length));
  await mkdir(dirname(target), { recursive: true });
  if (await files.exists(voteFile)) await copyFile(voteFile, target);
}

async function readCopy(dataDir: string, copy: string, group: number, report: OnFinding): Promise<StableRecords> {
  const file = join(dataDir, STABLE);
  let store: LevelStableStore;
  try {
    store = await LevelStableStore.open({ dataDir: copy, files: new NodeFiles() });
  } catch (error) {
    if (!(error instanceof StableStoreError) || error.code === 'NEWER_FORMAT') throw error;
    report({ kind: 'damage', file, position: 0, what: error.message.replaceAll(copy, dataDir) });
    return NOTHING;
  }
  try {
    for (const what of store.damage) report({ kind: 'damage', file, position: 0, what: `Damaged: ${what}.` });
    const groups = store.groups();
    const here = groups.includes(group);
    return {
      identity: store.identity,
      groups,
      vote: here ? store.voteState(group) : undefined,
      pointer: store.snapshot(group),
      loss: store.lossMark(group),
      logEnd: store.logEnd(group),
    };
  } finally {
    await store.close();
  }
}

/** Votes that do not go together are damage; a slot that a crash explains is not. */
async function auditVote(
  files: FileSystem,
  path: string,
  vote: VoteState | undefined,
  report: OnFinding,
): Promise<void> {
  const position = await firstDamagedSlot(files, path);
  if (vote?.kind === 'doubtful') {
    const what = `This node does not know any more how it voted: ${vote.why}.`;
    report({ kind: 'damage', file: path, position: position ?? 0, what });
  } else if (position !== undefined && vote === undefined) {
    report({ kind: 'damage', file: path, position, what: 'A slot of the vote file is damaged.' });
  } else if (position !== undefined) {
    const what =
      'A slot of the vote file is torn; the database has the vote that was being written, and a start writes it again.';
    report({ kind: 'torn', file: path, position, what });
  }
}

async function firstDamagedSlot(files: FileSystem, path: string): Promise<number | undefined> {
  if (!(await files.exists(path))) return undefined;
  const file = await files.open(path, 'read');
  try {
    for (const position of [0, SLOT_BYTES]) {
      const bytes = Buffer.alloc(SLOT_BYTES);
      const slot = decodeSlot(bytes.subarray(0, await file.read(bytes, position)));
      if (slot.kind === 'damaged') return position;
    }
    return undefined;
  } finally {
    await file.close();
  }
}

/** The first configuration of a cluster, which no entry and no snapshot holds. */
export function firstConfiguration({ pointer }: StableRecords): Configuration | undefined {
  return pointer?.index === 0 ? pointer.configuration : undefined;
}
