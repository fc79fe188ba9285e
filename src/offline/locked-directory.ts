import { NodeFiles } from '../log/node-files';
import { join } from 'node:path';
import { StartupError } from '../node/startup-error';
import { DataDirInUseError, DataDirLock } from '../raft/stable';

const WRONGLY_ASKED = 2;

/**
 * Runs `work` while no node can run on the directory.
 * @throws StartupError where it is no data directory, or a node runs on it
 */
export async function withDirectory<T>(dataDir: string, work: () => Promise<T>): Promise<T> {
  const files = new NodeFiles();
  if (!(await files.exists(join(dataDir, 'stable'))) && !(await files.exists(join(dataDir, 'groups')))) {
    const what = `${dataDir} is not the data directory of a node: it has neither "stable" nor "groups" in it`;
    throw new StartupError(what, WRONGLY_ASKED);
  }
  const lock = locked(dataDir);
  try {
    return await work();
  } finally {
    lock?.release();
  }
}

/** Undefined on a file system that nobody can write to: no node can run on it. */
function locked(dataDir: string): DataDirLock | undefined {
  try {
    return DataDirLock.acquire(dataDir);
  } catch (error) {
    if (error instanceof DataDirInUseError) throw new StartupError(error.message, WRONGLY_ASKED);
    if ((error as NodeJS.ErrnoException).code === 'EROFS') return undefined;
    throw error;
  }
}
