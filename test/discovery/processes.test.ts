import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { eventually } from './nodes';

interface Report {
  readonly gossipAddr: string;
  readonly states: Readonly<Record<string, string>>;
}

/** A gossiping node in a process of its own, with the intervals of production. */
class NodeProcess {
  /** Every state that it ever reported, as `name state`. */
  readonly history = new Set<string>();
  last: Report | undefined;
  private errors = '';

  private constructor(private readonly child: ChildProcess) {
    createInterface({ input: child.stdout! }).on('line', (line) => this.heard(JSON.parse(line) as Report));
    child.stderr!.on('data', (chunk: Buffer) => (this.errors += chunk.toString()));
  }

  private heard(report: Report): void {
    this.last = report;
    for (const [name, state] of Object.entries(report.states)) this.history.add(`${name} ${state}`);
  }

  static async start(name: string, bindAddr: string, joinAddrs: readonly string[]): Promise<NodeProcess> {
    const given = { name, nodeId: randomBytes(8).toString('hex'), bindAddr, joinAddrs, key: KEY };
    const node = new NodeProcess(
      spawn(process.execPath, [join(__dirname, 'gossip-process.cjs'), JSON.stringify(given)], { stdio: 'pipe' }),
    );
    running.push(node);
    await eventually(
      () => node.last !== undefined,
      `${name} is bound`,
      () => node.errors,
    );
    return node;
  }

  get address(): string {
    return this.last!.gossipAddr;
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, 'exit');
    this.child.kill(signal);
    await ended;
  }

  pause(): void {
    this.child.kill('SIGSTOP');
  }

  goOn(): void {
    this.child.kill('SIGCONT');
  }
}

const KEY = randomBytes(32).toString('base64');
const running: NodeProcess[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((node) => node.end('SIGKILL')));
});

function see(nodes: readonly NodeProcess[], expected: Readonly<Record<string, string>>): Promise<void> {
  const seen = () => nodes.map((node) => node.last?.states);
  return eventually(
    () => seen().every((states) => Object.entries(expected).every(([name, state]) => states?.[name] === state)),
    JSON.stringify(expected),
    () => JSON.stringify(seen()),
  );
}

test('processes that are killed are seen as failed, down to the last one, and alive again when restarted', async () => {
  const a = await NodeProcess.start('a', '127.0.0.1:0', []);
  const b = await NodeProcess.start('b', '127.0.0.1:0', [a.address]);
  const c = await NodeProcess.start('c', '127.0.0.1:0', [a.address]);
  await see([a, b, c], { a: 'alive', b: 'alive', c: 'alive' });
  await c.end('SIGKILL');
  await see([a, b], { a: 'alive', b: 'alive', c: 'failed' });
  await b.end('SIGKILL');
  await see([a], { a: 'alive', b: 'failed', c: 'failed' });
  const again = await NodeProcess.start('c', c.address, [a.address]);
  await see([a, again], { a: 'alive', b: 'failed', c: 'alive' });
  await again.end('SIGTERM');
  await see([a], { a: 'alive', b: 'failed', c: 'failed' });
});

test('a process that stood still does not take the others for failed, and is taken back by them', async () => {
  const a = await NodeProcess.start('a', '127.0.0.1:0', []);
  const b = await NodeProcess.start('b', '127.0.0.1:0', [a.address]);
  const c = await NodeProcess.start('c', '127.0.0.1:0', [a.address]);
  await see([a, b, c], { a: 'alive', b: 'alive', c: 'alive' });
  c.pause();
  await see([a, b], { a: 'alive', b: 'alive', c: 'failed' });
  c.goOn();
  await see([a, b, c], { a: 'alive', b: 'alive', c: 'alive' });
  expect([...c.history].filter((line) => line.endsWith('failed'))).toEqual([]);
});
