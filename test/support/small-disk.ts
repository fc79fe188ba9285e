import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A real file system of its own, in memory, that fills up like any other. */
export interface SmallDisk {
  readonly path: string;
  /** Changes its size. */
  resize(bytes: number): void;
  /** Takes it away with everything on it. */
  unmount(): void;
}

/**
 * Mounts a disk of so many bytes, where this process may: on Linux, as root, with `mount` at hand.
 * @param at the folder that it becomes, made if it is missing; a temporary one where nothing is said
 * @returns the disk, or why there is none
 */
export function mountSmallDisk(bytes: number, at?: string): SmallDisk | string {
  if (process.platform !== 'linux') return `a small disk can be mounted on Linux only, and this is ${process.platform}`;
  if (process.getuid?.() !== 0) return 'a small disk can be mounted by root only';
  const path = at ?? mkdtempSync(join(tmpdir(), 'small-disk-'));
  mkdirSync(path, { recursive: true });
  const refused = run('mount', '-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', path);
  if (refused !== undefined) {
    rmdirSync(path);
    return `a small disk could not be mounted: ${refused}`;
  }
  return {
    path,
    resize: (size) => demand(run('mount', '-o', `remount,size=${size}`, path)),
    unmount: () => {
      demand(run('umount', path));
      rmdirSync(path);
    },
  };
}

/** Tests on a disk that could not be had are not there; this says so where whoever runs the others sees it. */
export function sayNotRun(what: string, why: string): void {
  process.stderr.write(`NOT RUN: ${what}: ${why}\n`);
}

/** @returns what it complained about; undefined where it did what was asked */
function run(command: string, ...args: string[]): string | undefined {
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (status === 0) return undefined;
  return error?.message ?? stderr.trim();
}

function demand(complaint: string | undefined): void {
  if (complaint !== undefined) throw new Error(`The small disk did not do what was asked: ${complaint}`);
}
