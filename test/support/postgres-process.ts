import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import type { RunAs } from './postgres-binaries';

const READY = 'database system is ready to accept connections';
/** Milliseconds. Far more than it takes; a start after kill -9 replays the write-ahead log first. */
const START_DEADLINE = 60_000;
const STOP_DEADLINE = 20_000;
/** Characters of the server's log that are kept for an error message. */
const KEPT_LOG = 16_384;

/** The server process of one data folder: at most one at a time, in the foreground, its log read through a pipe. */
export class PostgresProcess {
  private child: ChildProcess | undefined;
  /** Settles when the server and all its backends are gone: each of them holds the pipe of the log open. */
  private gone: Promise<void> = Promise.resolve();
  private log = '';

  /**
   * @param home holds `data` (made by initdb) and `sockets`
   * @param runAs whom to run it as, or nothing for the user of this process
   */
  constructor(
    private readonly bin: string,
    private readonly home: string,
    private readonly runAs: RunAs | undefined,
  ) {}

  /** Resolves when the server accepts connections; rejects with the end of its log when it ends or hangs before that. */
  async start(port: number): Promise<void> {
    if (this.child) throw new Error('This Postgres is already running: stop it before it is started again.');
    this.log = '';
    const child = spawn(join(this.bin, 'postgres'), this.settings(port), {
      ...this.runAs,
      cwd: this.home,
      env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.child = child;
    this.gone = new Promise((resolve) => {
      child.once('close', () => {
        this.child = undefined;
        resolve();
      });
    });
    await this.untilReady(child);
  }

  /** Fast shutdown: sessions are ended, everything is flushed. Does nothing when it is not running. */
  async stop(): Promise<void> {
    if (!this.child) return;
    const late = setTimeout(() => this.child?.kill('SIGKILL'), STOP_DEADLINE);
    this.child.kill('SIGINT');
    await this.gone;
    clearTimeout(late);
  }

  async kill(): Promise<void> {
    this.child?.kill('SIGKILL');
    await this.gone;
  }

  private settings(port: number): string[] {
    const settings = {
      listen_addresses: '127.0.0.1',
      port,
      unix_socket_directories: join(this.home, 'sockets'),
      shared_buffers: '32MB',
      max_connections: 50,
      lc_messages: 'C',
      // What is killed here is the process, never the kernel that holds its writes.
      fsync: 'off',
    };
    return ['-D', join(this.home, 'data'), ...Object.entries(settings).flatMap(([k, v]) => ['-c', `${k}=${v}`])];
  }

  private untilReady(child: ChildProcess): Promise<void> {
    return new Promise((resolve, reject) => {
      const fail = (what: string) => {
        clearTimeout(late);
        reject(new Error(`Postgres ${what}. The end of its log:\n${this.log}`));
      };
      const late = setTimeout(() => {
        child.kill('SIGKILL');
        fail(`did not accept connections within ${START_DEADLINE / 1000} s`);
      }, START_DEADLINE);
      child.once('error', (error) => fail(`could not be started: ${error.message}`));
      child.once('close', (code, signal) => fail(`ended with ${code ?? signal} before it was ready`));
      child.stderr?.setEncoding('utf8').on('data', (text: string) => {
        this.log = (this.log + text).slice(-KEPT_LOG);
        if (this.log.includes(READY)) {
          clearTimeout(late);
          resolve();
        }
      });
    });
  }
}
