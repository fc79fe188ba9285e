/** The findings of a look at the files of the LevelDB database in `stable/`: see raft/stable/level-audit.ts. */

import type { FileSystem } from '../log/files';
import { auditLevel } from '../raft/stable/level-audit';
import type { OnFinding } from './finding';

export async function auditLevelLogs(files: FileSystem, directory: string, report: OnFinding): Promise<void> {
  for (const { kind, file, position, what } of await auditLevel(files, directory)) {
    if (kind === 'damage') report({ kind: 'damage', file, position, what: `${what} It is a file of the database.` });
    else report({ kind: 'torn', file, position, what: `${what} Where no crash has cut it off, it is damaged.` });
  }
}
