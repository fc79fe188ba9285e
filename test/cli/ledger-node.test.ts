import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '../../src/bench/free-ports';
import { NodeCommand, runCommand } from './node-command';

const STOP_MILLIS = 10_000;

describe('a ledger-node in the foreground', () => {
  let folder: string;
  let http: string;
  let addresses: string[];
  const started: NodeCommand[] = [];

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'ledger-cli-'));
    http = `127.0.0.1:${(await freePorts(1))[0]}`;
    addresses = [
      '--rpc-addr',
      '127.0.0.1:0',
      '--bind-addr',
      '127.0.0.1:0',
      '--http-addr',
      http,
      '--database-url',
      'off',
    ];
  });
  afterEach(async () => {
    for (const node of started.splice(0)) {
      node.signal('SIGKILL');
      await node.ended;
    }
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  });

  const start = (...flags: string[]): NodeCommand => {
    const node = new NodeCommand([...addresses, ...flags], { cwd: folder, env: { TMPDIR: folder } });
    started.push(node);
    return node;
  };
  const stopped = async (node: NodeCommand, signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> => {
    const at = performance.now();
    node.signal(signal);
    const { code } = await node.ended;
    expect(performance.now() - at).toBeLessThan(STOP_MILLIS);
    return code;
  };

  test('SIGTERM and SIGINT stop it with status 0; --bootstrap on its own data is ignored with a line', async () => {
    const first = start('--bootstrap', '--node-name', 'n1');
    const { cluster } = await first.saying('a new cluster begins here');
    const serving = await first.saying('serving');
    expect(serving).toMatchObject({ cluster, http, dataDir: join(folder, 'data', 'n1') });
    expect(await stopped(first)).toBe(0);
    expect(first.lines().at(-1)).toMatchObject({ msg: 'stopped' });

    const second = start('--bootstrap', '--node-name', 'n1');
    expect(await second.saying('serving')).toMatchObject({ cluster, nodeId: serving['nodeId'] });
    const ignored = 'this data directory belongs to a cluster already: --bootstrap is ignored';
    expect(second.lines().map((line) => line['msg'])).toContain(ignored);
    expect(second.lines().map((line) => line['msg'])).not.toContain('a new cluster begins here');
    expect(await stopped(second, 'SIGINT')).toBe(0);

    const third = start('--node-name', 'n1');
    expect(await third.saying('serving')).toMatchObject({ cluster });
    expect(await stopped(third)).toBe(0);
  });

  test('one process at a time uses a data directory; after a kill the next may', async () => {
    const first = start('--bootstrap', '--node-name', 'n1');
    await first.saying('serving');
    const args = ['--node-name', 'n1', '--rpc-addr', '127.0.0.1:0', '--bind-addr', '127.0.0.1:0', '--http-addr', 'off'];
    const second = await runCommand(args, { cwd: folder });
    expect(second).toMatchObject({ code: 1, stdout: '' });
    expect(second.stderr).toMatch(/^ledger-node: [^\n]*data\/n1[^\n]*\n$/);
    first.signal('SIGKILL');
    await first.ended;
    const third = start('--node-name', 'n1');
    await third.saying('serving');
    expect(await stopped(third)).toBe(0);
  });

  test('a name is for ever: another one on the same data is refused', async () => {
    const first = start('--bootstrap', '--node-name', 'n1', '--data-dir', 'mine');
    await first.saying('serving');
    await stopped(first);
    const { code, stderr } = await start('--node-name', 'n2', '--data-dir', 'mine').ended;
    expect(code).toBe(2);
    expect(stderr).toContain('belongs to node "n1", this one is started as "n2"');
  });

  test('--dev leaves nothing behind, neither after a stop nor after a start that failed', async () => {
    const dev = start('--dev');
    const { dataDir } = await dev.saying('serving');
    expect(existsSync(dataDir as string)).toBe(true);
    const second = start('--dev');
    expect(await second.ended).toMatchObject({ code: 1 });
    const last = (await second.ended).stderr.trimEnd().split('\n').at(-1);
    expect(last).toMatch(/^ledger-node: --http-addr 127\.0\.0\.1:\d+ cannot be listened on: /);
    expect(await stopped(dev)).toBe(0);
    expect(readdirSync(folder)).toEqual([]);
  });

  test('a stop is heard while it starts, and while it looks for a cluster', async () => {
    const joining = start('--start-join-addrs', '127.0.0.1:9', '--node-name', 'n1');
    await joining.saying('looking for the cluster');
    const health = await fetch(`http://${http}/healthz`);
    expect([health.status, await health.json()]).toEqual([200, { status: 'ok' }]);
    expect((await fetch(`http://${http}/readyz`)).status).toBe(503);
    expect(await stopped(joining)).toBe(0);

    const early = start('--bootstrap', '--node-name', 'n2');
    await early.saying('a new cluster begins here');
    expect(await stopped(early)).toBe(0);
    const again = start('--bootstrap', '--node-name', 'n2');
    await again.saying('serving');
    expect(await stopped(again)).toBe(0);
  });

  test.each(['--rpc-addr', '--http-addr'])('a port that is taken is named by its option: %s', async (option) => {
    const holder = createServer().listen(0, '127.0.0.1');
    await new Promise((listening) => holder.once('listening', listening));
    const address = holder.address();
    if (address === null || typeof address === 'string') throw new Error('The port has no number.');
    const { code, stderr } = await start('--bootstrap', option, `127.0.0.1:${address.port}`).ended;
    holder.close();
    expect(code).toBe(1);
    expect(stderr.trimEnd().split('\n').at(-1)).toMatch(
      new RegExp(`^ledger-node: ${option} 127\\.0\\.0\\.1:${address.port} cannot be listened on: `),
    );
  });

  test('takes its options from a file and from the environment, the flag first', async () => {
    writeFileSync(
      join(folder, 'node.yaml'),
      'bootstrap: true\nnode_name: from-file\ndata-dir: in-file\nlog-level: debug\n',
    );
    const env = { LEDGER_NODE_CONFIG_FILE: 'node.yaml', LEDGER_NODE_NODE_NAME: 'from-environment' };
    const node = new NodeCommand([...addresses, '--data-dir', 'in-flag'], { cwd: folder, env });
    started.push(node);
    expect(await node.saying('serving')).toMatchObject({ node: 'from-environment', dataDir: join(folder, 'in-flag') });
    expect(await stopped(node)).toBe(0);
  });
});
