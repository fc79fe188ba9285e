import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { freePorts } from '../../src/bench/free-ports';
import { ROOT } from './documents';

const START_DEADLINE = 60_000;

/** `ledger-node --dev` on free ports; without its database, which no example asks. Build first (`npm run build`). */
export class DevNode {
  private constructor(
    private readonly child: ChildProcess,
    readonly rpc: string,
    readonly http: string,
  ) {}

  static async start(): Promise<DevNode> {
    const [rpc, gossip, http] = (await freePorts(3)).map((port) => `127.0.0.1:${port}`) as [string, string, string];
    const addresses = ['--rpc-addr', rpc, '--bind-addr', gossip, '--http-addr', http];
    const program = join(ROOT, 'dist', 'cli', 'ledger-node.js');
    const child = spawn(
      process.execPath,
      [program, '--dev', '--database-url', 'off', '--log-level', 'warn', ...addresses],
      {
        stdio: ['ignore', 'ignore', 'inherit'],
      },
    );
    const node = new DevNode(child, rpc, http);
    await node.untilReady();
    return node;
  }

  private async untilReady(): Promise<void> {
    const end = performance.now() + START_DEADLINE;
    for (;;) {
      if (this.child.exitCode !== null) throw new Error(`ledger-node --dev ended with status ${this.child.exitCode}.`);
      const ready = await fetch(`http://${this.http}/readyz`).then(
        (response) => response.ok,
        () => false,
      );
      if (ready) return;
      if (performance.now() > end) {
        this.child.kill('SIGKILL');
        throw new Error(`ledger-node --dev was not ready within ${START_DEADLINE} ms.`);
      }
      await pause(50);
    }
  }

  /** @returns the exit status */
  async stop(): Promise<number | null> {
    if (this.child.exitCode === null) {
      this.child.kill('SIGTERM');
      await once(this.child, 'exit');
    }
    return this.child.exitCode;
  }
}
