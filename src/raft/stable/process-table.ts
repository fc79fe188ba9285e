import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** What is known of the processes of this machine. */
export interface ProcessTable {
  readonly ownPid: number;
  isAlive(pid: number): boolean;
  /** When a living process was started, in whatever form the system says it; undefined where it does not. */
  startOf(pid: number): string | undefined;
}

export const systemProcesses: ProcessTable = {
  ownPid: process.pid,
  isAlive: (pid) => {
    try {
      process.kill(pid, 0);
      return true;
    } catch (error) {
      // EPERM: alive, and somebody else's.
      return (error as NodeJS.ErrnoException).code === 'EPERM';
    }
  },
  startOf: (pid) => startOnLinux(pid) ?? startByPs(pid),
};

/** Ticks since boot, with the boot they count from: a pid and its ticks can come again after a restart of the machine. */
function startOnLinux(pid: number): string | undefined {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in parentheses may hold spaces; what follows it does not. The start is field 22, the state is field 3.
    const ticks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[22 - 3];
    return ticks === undefined ? undefined : `${boot}/${ticks}`;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ESRCH' || code === 'EACCES') return undefined;
    throw error;
  }
}

function startByPs(pid: number): string | undefined {
  const { status, stdout } = spawnSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' });
  return status === 0 && stdout.trim() !== '' ? stdout.trim() : undefined;
}
