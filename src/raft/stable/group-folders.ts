import { join } from 'node:path';
import type { FileSystem } from '../../log/files';

const GROUPS = 'groups';
const GROUP_NAME = /^(0|[1-9][0-9]{0,9})$/;

export function groupFolder(dataDir: string, group: number): string {
  return join(dataDir, GROUPS, String(group));
}

/** Numbers of the groups that have a folder. */
export async function groupFolders(files: FileSystem, dataDir: string): Promise<number[]> {
  const folder = join(dataDir, GROUPS);
  const names = (await files.exists(folder)) ? await files.list(folder) : [];
  return names.filter((name) => GROUP_NAME.test(name)).map(Number);
}
