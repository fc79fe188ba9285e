/** A proof by way of the commands, against a real node: made, kept in files, checked without the node. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ledger } from '../cli/ledger/run-command';
import { DevNode } from './dev-node';

const PATIENCE = 120_000;
let node: DevNode;
let folder: string;

beforeAll(async () => {
  node = await DevNode.start();
  folder = mkdtempSync(join(tmpdir(), 'ledger-proofs-'));
}, PATIENCE);

afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  expect(node.complaints()).toEqual([]);
  expect(await node.stop()).toBe(0);
}, PATIENCE);

const run = (...args: string[]) => ledger(['--addr', `127.0.0.1:${node.rpcPort}`, ...args]);
const file = (name: string): string => join(folder, name);

test(
  'a transfer is proven, also when the log has gone on, and what was changed is not',
  async () => {
    await run('transfer', 'Carol', 'Dave', '0.50', '--ledger', 'USD', '--id', 'order-1');
    for (let i = 0; i < 150; i++) await node.pay();
    const keys = await run('keys');
    writeFileSync(file('keys.json'), keys.stdout);
    const proof = await run('proof', 'transfer', 'order-1');
    expect(proof).toMatchObject({ exitCode: 0, stderr: '' });
    writeFileSync(file('proof.json'), proof.stdout);
    // Nobody is asked: there is no such address.
    const offline = (...args: string[]) => ledger(['--addr', 'nowhere:1', '--output', 'json', 'verify-proof', ...args]);
    const verified = await offline(file('proof.json'), '--keys', file('keys.json'));
    expect(verified.exitCode).toBe(0);
    const [facts] = verified.json();
    expect(facts).toMatchObject({ valid: true, id: 'order-1', result: 'ok', amount: '0.50', offset: 0 });
    expect(facts!['size']).toBeGreaterThan(150);

    const changed = JSON.parse(readFileSync(file('proof.json'), 'utf8')) as { outcomes: string };
    const outcomes = Buffer.from(changed.outcomes, 'base64');
    outcomes[32]! ^= 1;
    writeFileSync(file('changed.json'), JSON.stringify({ ...changed, outcomes: outcomes.toString('base64') }));
    const refused = await offline(file('changed.json'), '--keys', file('keys.json'));
    expect(refused).toMatchObject({ exitCode: 1, stdout: '' });
    expect(refused.stderr).toMatch(/^ledger: proof_invalid: .*not under the root/);
    expect(await offline(file('missing.json'), '--keys', file('keys.json'))).toMatchObject({ exitCode: 2 });
    expect(await offline(file('proof.json'))).toMatchObject({ exitCode: 2 });
  },
  PATIENCE,
);

test('a proof is asked for at a consistency; a head is the word of the node that is asked', async () => {
  const paid = await run('transfer', 'Carol', 'Dave', '1', '--ledger', 'USD', '--id', 'order-2', '--output', 'json');
  const token = String(paid.json()[0]!['token']);
  const from = ['proof', 'transfer', 'order-2', '--consistency'];
  expect(await run(...from, 'at-least', '--token', token)).toMatchObject({ exitCode: 0, stderr: '' });
  expect(await run(...from, 'stale')).toMatchObject({ exitCode: 0, stderr: '' });
  expect(await run(...from, 'at-least', '--token', 'none')).toMatchObject({ exitCode: 1, stdout: '' });

  const [key] = (await run('keys')).json()[0]!['keys'] as { node: string; name: string; publicKey: string }[];
  const [head] = (await run('proof', 'head')).json() as { node: string; publicKey: string; offset: number }[];
  expect(head).toMatchObject({ node: key!.node, publicKey: key!.publicKey });
  expect(head!.offset).toBe(Number(paid.json()[0]!['offset']) + 1);
  expect((await run('proof', 'head', '--node', key!.name)).json()[0]).toMatchObject({ offset: head!.offset });
  expect(await run('proof', 'head', '--node', 'nobody')).toMatchObject({
    exitCode: 1,
    stderr: expect.stringMatching(/^ledger: member_not_found/) as string,
  });
});

test('over HTTP it is the same document, under the key that the node publishes', async () => {
  const answer = await node.http('GET', '/api/v1/transfers/order-1/proof');
  expect(answer.status).toBe(200);
  const cluster = JSON.parse((await node.http('GET', '/api/v1/cluster')).body) as { node: { public_key: string } };
  const proof = JSON.parse(answer.body) as { head: { publicKey: string } };
  expect(proof.head.publicKey).toBe(cluster.node.public_key);
  writeFileSync(file('http.json'), answer.body);
  const verified = await ledger(['verify-proof', file('http.json'), '--keys', file('keys.json')]);
  expect(verified).toMatchObject({ exitCode: 0, stderr: '' });
  const head = JSON.parse((await node.http('GET', '/api/v1/head')).body) as { size: number; publicKey: string };
  expect(head).toMatchObject({ publicKey: cluster.node.public_key });
  expect((await node.http('GET', '/api/v1/transfers/nothing/proof')).status).toBe(404);
});
