/** A new cluster from a backup, or from what is left of an old one. */

import { rename, rm, rmdir } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { isMissing, type FileSystem } from '../log/files';
import { StartupError } from '../node/startup-error';
import type { BackupSource } from '../raft/backup';
import type { Finding, OnProgress } from './finding';
import { makeDirectory, type NewDirectory } from './new-directory';
import { verifyDirectory, type VerifyReport } from './verify';

export interface RestoreOptions {
  readonly source: BackupSource;
  /** Not there, or empty. */
  readonly dataDir: string;
  readonly nodeName: string;
  readonly files: FileSystem;
  readonly onProgress: OnProgress;
  /** About how many bytes the source has; 0 where nobody knows. */
  readonly expectedBytes: number;
}

export interface Restored extends NewDirectory {
  readonly nodeName: string;
  readonly verified: VerifyReport;
}

const BEING_MADE = '.restoring';

/**
 * The directory is made beside its place, verified with a replay, and takes its name only then: a restore that fails leaves
 * nothing that could be started.
 * @throws StartupError, BackupError
 */
export async function restore(options: RestoreOptions): Promise<Restored> {
  const { dataDir, files } = options;
  if (!(await isFree(files, dataDir))) {
    throw new StartupError(`${dataDir} is there already and is not empty: restore into another directory`, 2);
  }
  const place = resolve(dataDir);
  const restored = await makeBeside(options, place + BEING_MADE);
  if (await files.exists(place)) await rmdir(place);
  await files.makeDirectory(dirname(place));
  await rename(place + BEING_MADE, place);
  await files.syncDirectory(dirname(place));
  return restored;
}

/** Makes and verifies the directory at `place`, where an earlier attempt may have left something. */
export async function makeBeside(options: RestoreOptions, place: string): Promise<Restored> {
  const { source, files, nodeName, onProgress, expectedBytes } = options;
  await rm(place, { recursive: true, force: true });
  let bytes = 0;
  try {
    const made = await makeDirectory({
      ...{ source, dataDir: place, nodeName, files },
      onBytes: (more) => {
        bytes += more;
        onProgress(bytes, expectedBytes, 'copying');
      },
    });
    const verified = await verifiedReport(place, files, onProgress);
    return { ...made, nodeName, verified };
  } catch (error) {
    await rm(place, { recursive: true, force: true });
    throw error;
  }
}

async function verifiedReport(dataDir: string, files: FileSystem, onProgress: OnProgress): Promise<VerifyReport> {
  const damage: Finding[] = [];
  const report = await verifyDirectory({
    ...{ dataDir, files },
    onFinding: (finding) => {
      if (finding.kind === 'damage') damage.push(finding);
    },
    onProgress: (done, total) => onProgress(done, total, 'verifying'),
  });
  const [first] = damage;
  if (!first) return report;
  const { file, position, what } = first;
  throw new StartupError(
    `what was restored does not hold: ${file} at byte ${position}: ${what} Nothing was left behind`,
    1,
  );
}

async function isFree(files: FileSystem, dataDir: string): Promise<boolean> {
  try {
    return (await files.list(dataDir)).length === 0;
  } catch (error) {
    if (isMissing(error)) return true;
    throw error;
  }
}
