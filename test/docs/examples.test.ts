import { spawn } from 'node:child_process';
import { DevNode } from './dev-node';
import { ROOT, fences, read, type Fence } from './documents';

const START_DEADLINE = 60_000;
const RUN_DEADLINE = 60_000;

interface Example {
  readonly block: Fence;
  /** What the block behind it says that it prints. */
  readonly output: string | undefined;
}

/** Blocks that are marked `sh run`, in order. */
function examples(path: string): Example[] {
  const all = fences(read(path));
  return all.flatMap((block, at) => {
    const next = all[at + 1];
    return block.info === 'sh run' ? [{ block, output: next?.info === 'output' ? next.text : undefined }] : [];
  });
}

/** `…` alone on a line stands for any lines, within a line for any characters. */
function pattern(output: string): RegExp {
  const lines = output.split('\n').map((line) => {
    if (line === '…') return '(?:.*\n)*?';
    return `${line.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll('…', '.*')}\n`;
  });
  return new RegExp(`^${lines.join('')}$`);
}

/**
 * What a reader has and a test does not: the commands by name, at the addresses of the test's own node. A machine without
 * curl is asked by way of Node.
 */
function preparation(rpc: string): string {
  return [
    'set -euo pipefail',
    `npx() { [ "$1" = ledger ] || return 2; shift; node dist/cli/ledger.js --addr ${rpc} "$@"; }`,
    'command -v curl > /dev/null || curl() { node test/docs/curl.mjs "$@"; }',
  ].join('\n');
}

function run(script: string): Promise<{ status: number | null; stdout: string; stderr: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn('bash', ['-c', script], {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: RUN_DEADLINE,
    });
    const output = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text: string) => (output[name] += text));
    }
    child.once('error', reject);
    child.once('close', (status) => resolve({ status, ...output }));
  });
}

describe.each(['README.md', 'docs/getting-started.md', 'examples/README.md'])('the examples of %s', (path) => {
  let node: DevNode;

  beforeAll(async () => {
    node = await DevNode.start();
  }, START_DEADLINE);

  afterAll(async () => {
    expect(await node.stop()).toBe(0);
  }, START_DEADLINE);

  // The blocks of a document build upon each other, so they are run in its order.
  test.each(examples(path).map((example) => [example.block.line, example] as const))(
    'line %d runs as written',
    async (_line, { block, output }) => {
      const { rpc, http } = node;
      const script = block.text.replaceAll('localhost:8300', rpc).replaceAll('localhost:8000', http);
      const { status, stdout, stderr } = await run(`${preparation(rpc)}\n${script}`);
      expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' });
      if (output !== undefined) expect(`${stdout.replaceAll('\r', '').trimEnd()}\n`).toMatch(pattern(output));
    },
    RUN_DEADLINE,
  );
});
