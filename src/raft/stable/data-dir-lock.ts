import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemProcesses, type ProcessTable } from './process-table';

const LOCK_FILE = 'lock';
const ATTEMPTS = 5;

interface Holder {
  readonly pid: number;
  readonly start: string | undefined;
}

/** Another process holds the data directory. */
export class DataDirInUseError extends Error {
  override readonly name = 'DataDirInUseError';

  constructor(
    readonly dataDir: string,
    readonly pid: number,
  ) {
    super(
      `The data directory ${dataDir} is in use by process ${pid}.` +
        ' Stop that process, or give this node another directory with --data-dir.',
    );
  }
}

/**
 * One process at a time on a data directory. The lock is a file that names its holder by pid and start time, so that a
 * number that the system gave to another process since does not hold it. The lock of a dead process is taken over.
 *
 * It exists for its message. Processes that cannot see each other (containers) are kept apart by the lock that the kernel
 * holds on the database in `stable/`, and so are two that take over the same dead lock in the same instant.
 */
export class DataDirLock {
  private constructor(
    private readonly path: string,
    private readonly content: string,
  ) {}

  /** Makes the directory where there is none. Throws DataDirInUseError. */
  static acquire(dataDir: string, processes: ProcessTable = systemProcesses): DataDirLock {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    const path = join(dataDir, LOCK_FILE);
    const holder: Holder = { pid: processes.ownPid, start: processes.startOf(processes.ownPid) };
    const content = JSON.stringify(holder);
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      if (createWhole(path, content, processes.ownPid)) return new DataDirLock(path, content);
      const found = readIfThere(path);
      if (found === undefined) continue;
      const other = parseHolder(found);
      if (other && isHeldBy(other, processes)) throw new DataDirInUseError(dataDir, other.pid);
      removeStale(path, found, processes.ownPid);
    }
    throw new Error(`The lock ${path} could not be taken: it changed hands ${ATTEMPTS} times meanwhile. Try again.`);
  }

  /** Gives the directory free. Does nothing where the lock is no longer this one. */
  release(): void {
    if (readIfThere(this.path) === this.content) rmSync(this.path, { force: true });
  }
}

/** Creates the file with all its content in one step, so that nobody ever reads half of it. False where it exists. */
function createWhole(path: string, content: string, pid: number): boolean {
  const temporary = `${path}.${pid}`;
  writeFileSync(temporary, content, { mode: 0o600 });
  try {
    linkSync(temporary, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(temporary, { force: true });
  }
}

/** Moves the lock away and looks again at what was moved: another process may have replaced it in between. */
function removeStale(path: string, stale: string, pid: number): void {
  const aside = `${path}.stale.${pid}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  if (readFileSync(aside, 'utf8') === stale) rmSync(aside, { force: true });
  else renameSync(aside, path);
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Nothing for what no lock of ours holds; a lock is always whole, so this one is nobody's. */
function parseHolder(content: string): Holder | undefined {
  try {
    const { pid, start } = JSON.parse(content) as { pid?: unknown; start?: unknown };
    if (typeof pid !== 'number' || !Number.isInteger(pid) || pid <= 0) return undefined;
    return { pid, start: typeof start === 'string' ? start : undefined };
  } catch {
    return undefined;
  }
}

/** Where the system does not say when a process started, the pid alone decides. */
function isHeldBy(holder: Holder, processes: ProcessTable): boolean {
  if (!processes.isAlive(holder.pid)) return false;
  const start = processes.startOf(holder.pid);
  return start === undefined || holder.start === undefined || start === holder.start;
}
