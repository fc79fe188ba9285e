import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DataDirInUseError, DataDirLock, systemProcesses, type ProcessTable } from '../../../src/raft/stable';
import { scratchFolder } from './scratch-folder';

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

/** A process that lives until it is killed. */
function someProcess(): ChildProcess & { pid: number } {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
  children.push(child);
  if (child.pid === undefined) throw new Error('The process did not start.');
  return child as ChildProcess & { pid: number };
}

async function killed(child: ChildProcess): Promise<void> {
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
}

function lockedBy(dataDir: string, pid: number, start = systemProcesses.startOf(pid)): void {
  writeFileSync(join(dataDir, 'lock'), JSON.stringify({ pid, start }));
}

describe('the lock of a data directory', () => {
  test('is taken, refuses a second holder with words, and is given back', () => {
    const dataDir = join(scratchFolder(), 'new');
    const lock = DataDirLock.acquire(dataDir);
    expect(() => DataDirLock.acquire(dataDir)).toThrow(DataDirInUseError);
    expect(() => DataDirLock.acquire(dataDir)).toThrow(`is in use by process ${process.pid}`);
    lock.release();
    expect(readdirSync(dataDir)).toEqual([]);
    DataDirLock.acquire(dataDir).release();
  });

  test('of a living process holds, and of a killed one is taken over', async () => {
    const dataDir = scratchFolder();
    const child = someProcess();
    lockedBy(dataDir, child.pid);
    expect(() => DataDirLock.acquire(dataDir)).toThrow(`process ${child.pid}`);
    await killed(child);
    const lock = DataDirLock.acquire(dataDir);
    expect(JSON.parse(readFileSync(join(dataDir, 'lock'), 'utf8'))).toMatchObject({ pid: process.pid });
    lock.release();
  });

  test('of a process whose number another one has now is taken over', () => {
    const dataDir = scratchFolder();
    lockedBy(dataDir, someProcess().pid, 'another boot/17');
    DataDirLock.acquire(dataDir).release();
  });

  test('where the system does not say when a process started, its number decides', () => {
    const dataDir = scratchFolder();
    const silent: ProcessTable = { ownPid: 4711, isAlive: (pid) => pid === 4711, startOf: () => undefined };
    const lock = DataDirLock.acquire(dataDir, silent);
    expect(() => DataDirLock.acquire(dataDir, { ...silent, ownPid: 4712 })).toThrow('process 4711');
    lock.release();
    expect(existsSync(join(dataDir, 'lock'))).toBe(false);
  });

  test.each(['', 'junk', '{"pid":-1}', '{"pid":"1"}', 'null'])(
    'that is no lock of ours (%j) is taken over',
    (content) => {
      const dataDir = scratchFolder();
      writeFileSync(join(dataDir, 'lock'), content);
      DataDirLock.acquire(dataDir).release();
    },
  );

  test('is not given back by somebody who does not hold it any more', () => {
    const dataDir = scratchFolder();
    const lock = DataDirLock.acquire(dataDir);
    lockedBy(dataDir, 1);
    lock.release();
    expect(existsSync(join(dataDir, 'lock'))).toBe(true);
  });
});

test('a process is told from another one by when it started', async () => {
  const child = someProcess();
  const start = systemProcesses.startOf(child.pid);
  expect(start).toBeDefined();
  expect(systemProcesses.startOf(child.pid)).toBe(start);
  expect(systemProcesses.startOf(process.pid)).not.toBe(start);
  await killed(child);
  expect(systemProcesses.isAlive(child.pid)).toBe(false);
  expect(systemProcesses.startOf(child.pid)).toBeUndefined();
});
