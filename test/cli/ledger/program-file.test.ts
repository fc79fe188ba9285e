/** The built command as a process of its own; needs `npm run build`. */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { resolve } from 'node:path';
import { ClusterOfDoors, eventually } from '../../client/cluster-of-doors';

const PROGRAM = resolve(__dirname, '../../../dist/cli/ledger.js');

let cluster: ClusterOfDoors;

beforeEach(async () => {
  cluster = await ClusterOfDoors.start(1);
});

afterEach(() => cluster.close());

interface Run {
  readonly child: ChildProcessWithoutNullStreams;
  readonly stdout: () => string;
  readonly stderr: () => string;
  readonly ended: Promise<number | null>;
}

function run(...args: string[]): Run {
  const child = spawn(process.execPath, [PROGRAM, '--addr', cluster.addresses.join(','), ...args]);
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (part: Buffer) => (stdout += part.toString()));
  child.stderr.on('data', (part: Buffer) => (stderr += part.toString()));
  const ended = new Promise<number | null>((done) => child.once('close', (code) => done(code)));
  return { child, stdout: () => stdout, stderr: () => stderr, ended };
}

test('says how it went by its exit status', async () => {
  const done = run('transfer', 'A', 'B', '1', '--ledger', 'USD');
  const refused = run('transfer', 'A', 'A', '1');
  const wrong = run('transfer', 'A');
  expect(await Promise.all([done.ended, refused.ended, wrong.ended])).toEqual([0, 1, 2]);
  expect(refused.stderr()).toMatch(/^ledger: accounts_must_be_different: /);
});

test('reads stdin to its end', async () => {
  const produce = run('produce', '-');
  produce.child.stdin.end('a\nb\n');
  expect(await produce.ended).toBe(0);
  expect(produce.stdout()).toBe('0\n1\n');
});

test('ends quietly when its reader has left', async () => {
  const follow = run('consume', '--from', '0', '--follow');
  const produce = run('produce', '-');
  produce.child.stdin.end('x'.repeat(1000).concat('\n').repeat(1000));
  expect(await produce.ended).toBe(0);
  await eventually('the first record', () => follow.stdout().length > 0);
  follow.child.stdout.destroy();
  const more = run('produce', '-');
  more.child.stdin.end('y\n'.repeat(100));
  await more.ended;
  expect(await follow.ended).toBe(0);
  expect(follow.stderr()).toBe('');
});

test('ends with 0 on Ctrl-C while it follows', async () => {
  const follow = run('consume', '--from', '0', '--follow');
  expect(await run('produce', 'seen').ended).toBe(0);
  await eventually('the record', () => follow.stdout() === 'seen\n');
  follow.child.kill('SIGINT');
  expect(await follow.ended).toBe(0);
});
