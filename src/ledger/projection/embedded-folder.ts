import { open, mkdir, readFile, readdir, realpath, rename, rm, stat, unlink, writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What the mark says; another layout of the folder would say something else, and be made again. */
const CLEAN = 'closed cleanly, layout 1\n';
const LOCK_ATTEMPTS = 3;

/**
 * The folder of the embedded Postgres, which itself neither locks it nor ever syncs a file:
 *
 * ```
 * lock     who has it open: process id, start of that process
 * clean    there only while nobody has it open and every file of `data` is on the disk
 * data/    Postgres' own
 * ```
 * Opening removes `clean` before anything in `data` is touched, closing syncs `data` before `clean` is there again. So a
 * folder without `clean` was left in the middle of something (a crash, a kill, a power loss) and is made again from the
 * log; one with it is whole. Every step is followed by a sync of the folder.
 */
export class EmbeddedFolder {
  /** The lock tells processes apart, this what one process has open. */
  private static readonly openHere = new Set<string>();

  /** @param onDisk what {@link statesBelow} said of `data` when everything in it was synced */
  private constructor(
    private readonly dir: string,
    private readonly onDisk: ReadonlyMap<string, string>,
  ) {}

  get dataDir(): string {
    return join(this.dir, 'data');
  }

  /** @returns whether {@link open} would find what was kept; else it starts with nothing */
  static async isClean(dir: string): Promise<boolean> {
    return (await textOf(join(dir, 'clean'))) === CLEAN;
  }

  /** Rejects when a living process has the folder. What is not whole is removed. */
  static async open(path: string): Promise<EmbeddedFolder> {
    await mkdir(path, { recursive: true });
    const dir = await realpath(path);
    if (EmbeddedFolder.openHere.has(dir)) throw inUse(dir, process.pid);
    EmbeddedFolder.openHere.add(dir);
    try {
      await lock(dir);
    } catch (error) {
      EmbeddedFolder.openHere.delete(dir);
      throw error;
    }
    const data = join(dir, 'data');
    let onDisk: ReadonlyMap<string, string> = new Map();
    if (await EmbeddedFolder.isClean(dir)) {
      onDisk = await statesBelow(data);
      await unlink(join(dir, 'clean'));
    } else {
      await rm(join(dir, 'clean'), { force: true });
      await rm(data, { recursive: true, force: true });
    }
    await syncPath(dir);
    return new EmbeddedFolder(dir, onDisk);
  }

  /** Only once Postgres has closed its files. */
  async closeCleanly(): Promise<void> {
    for (const [path, state] of await statesBelow(this.dataDir)) {
      if (this.onDisk.get(path) !== state) await syncPath(path);
    }
    const mark = join(this.dir, 'clean');
    await writeFile(`${mark}.new`, CLEAN, { flush: true });
    await rename(`${mark}.new`, mark);
    await syncPath(this.dir);
    await this.leaveDirty();
  }

  /** Gives the folder up as it is: unless it was closed cleanly before, the next one to open it starts with nothing. */
  async leaveDirty(): Promise<void> {
    await unlink(join(this.dir, 'lock'));
    EmbeddedFolder.openHere.delete(this.dir);
  }
}

async function lock(dir: string): Promise<void> {
  const path = join(dir, 'lock');
  for (let attempt = 1; attempt <= LOCK_ATTEMPTS; attempt++) {
    try {
      await writeFile(path, `${process.pid} ${startOf(process.pid)}\n`, { flag: 'wx' });
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const [pid, start] = ((await textOf(path)) ?? '').trim().split(' ');
    if (isAlive(Number(pid), start ?? '')) {
      throw inUse(dir, Number(pid));
    }
    // Left by a process that was killed.
    await rm(path, { force: true });
  }
  throw new Error(`The lock of ${dir} could not be taken: another process keeps taking it and letting it go.`);
}

function inUse(dir: string, pid: number): Error {
  return new Error(`The folder ${dir} is in use by process ${pid}; only one at a time may have it.`);
}

function isAlive(pid: number, start: string): boolean {
  // In a container that was started again, numbers come back: this very process may have the number of the one before it.
  if (!Number.isInteger(pid) || pid <= 0 || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  const now = startOf(pid);
  return start === '' || now === '' || now === start;
}

/** When the process was started, in ticks since the machine was (Linux, proc(5), field 22); empty where nobody says. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the program's name in parentheses and may contain anything.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'EACCES' || code === 'ESRCH') return '';
    throw error;
  }
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Size and time of change of a folder and all that is in it. Postgres has a thousand files, of which a session changes a
 * few; to sync the others again could take longer than a node has to stop.
 */
async function statesBelow(dir: string, states = new Map<string, string>()): Promise<Map<string, string>> {
  const state = async (path: string) => {
    const { size, mtimeNs, ino } = await stat(path, { bigint: true });
    states.set(path, `${ino} ${size} ${mtimeNs}`);
  };
  for (const entry of await readdir(dir, { withFileTypes: true })) {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) await statesBelow(path, states);
    else if (entry.isFile()) await state(path);
  }
  await state(dir);
  return states;
}

async function syncPath(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
