/** A new cluster from the directory of one node, where the majority of the old one is lost. */

import { rename } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { FileSystem } from '../log/files';
import { StartupError } from '../node/startup-error';
import type { BackupHeader } from '../raft/backup';
import { DirectorySource } from './directory-source';
import type { OnFinding, OnProgress } from './finding';
import { withDirectory } from './locked-directory';
import { makeBeside, type Restored } from './restore';

export interface RecoverOptions {
  readonly dataDir: string;
  readonly files: FileSystem;
  readonly onFinding: OnFinding;
  readonly onProgress: OnProgress;
  /** Shown what there is before anything is done. @returns whether to go on */
  readonly confirm: (survivor: BackupHeader) => Promise<boolean>;
}

export interface Recovered extends Restored {
  readonly oldClusterId: string;
  /** Where the old directory is now. */
  readonly keptAs: string;
}

const BEING_MADE = '.recovering';
const KEPT = '.before-recovery';

/**
 * The old directory is only read, and kept under another name. A crash leaves it under its own name or under that one.
 * @returns undefined where it was not confirmed
 */
export async function recover(options: RecoverOptions): Promise<Recovered | undefined> {
  const { dataDir, files, onFinding, onProgress } = options;
  const place = resolve(dataDir);
  const keptAs = place + KEPT;
  if (!(await files.exists(place)) && (await files.exists(keptAs))) {
    const what = `an earlier recovery was cut short while it renamed: move ${keptAs} back to ${place} and try again`;
    throw new StartupError(what, 2);
  }
  if (await files.exists(keptAs)) {
    throw new StartupError(
      `${keptAs} is there from an earlier recovery: set it aside, and look at it before you go on`,
      2,
    );
  }
  return withDirectory(place, async () => {
    const source = await DirectorySource.open(files, place, onFinding);
    if (!(await options.confirm(source.header))) return undefined;
    const { nodeName, clusterId: oldClusterId } = source.header;
    const { expectedBytes } = source;
    const made = await makeBeside(
      { source, dataDir: place, nodeName, files, onProgress, expectedBytes },
      place + BEING_MADE,
    );
    await rename(place, keptAs);
    await rename(place + BEING_MADE, place);
    await files.syncDirectory(dirname(place));
    return { ...made, oldClusterId, keptAs };
  });
}
