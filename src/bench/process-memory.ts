import { readFileSync } from 'node:fs';

export interface ProcessMemory {
  /** MiB in memory now. */
  readonly now: number;
  /** The most that it ever was. */
  readonly most: number;
}

/** As Linux tells it; zeros where the process is gone or the system does not say. */
export function memoryOf(pid: number | undefined): ProcessMemory {
  let status = '';
  try {
    status = readFileSync(`/proc/${pid}/status`, 'utf8');
  } catch {
    // No such process, or no /proc: nothing is known.
  }
  const mebibytes = (field: string): number =>
    Math.round(Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1] ?? 0) / 1024);
  return { now: mebibytes('VmRSS'), most: mebibytes('VmHWM') };
}
