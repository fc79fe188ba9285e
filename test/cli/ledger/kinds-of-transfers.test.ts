import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClusterOfDoors } from '../../client/cluster-of-doors';
import { anyNumber, anyText, type CommandOptions, type CommandResult, ledger, matching } from './run-command';

let cluster: ClusterOfDoors;
let folder: string;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ledger-command-'));
  cluster = await ClusterOfDoors.start(2);
  await run('account open funds --min-balance none');
  await run('account open Alice Bob --min-balance 0');
  await run('transfer funds Alice 10 --id seed');
});

afterEach(async () => {
  await cluster.close();
  rmSync(folder, { recursive: true });
  expect(cluster.unforeseen).toEqual([]);
});

const run = (args: string, options?: CommandOptions): Promise<CommandResult> =>
  ledger(['--addr', cluster.addresses.join(','), ...args.split(' ')], options);
const runJson = async (args: string, options?: CommandOptions): Promise<Record<string, unknown>> =>
  (await run(`--output json ${args}`, options)).json()[0]!;

describe('hold, post, void, lookup', () => {
  test('hold money and let part of it go through', async () => {
    const held = await run('hold Alice Bob 6 --id h --expires-in 7d');
    expect(held).toMatchObject({ exitCode: 0, stderr: '' });
    expect(held.stdout).toMatch(/moved +0\.00\nheld +6\.00\n/);
    expect((await run('post h 4 --id p')).stdout).toMatch(/moved +4\.00\n/);
    const shown = await run('lookup h');
    expect(shown.stdout).toMatch(/hold +posted\nheld +6\.00\nexpires at +20\S+Z\nresolved by +p\n/);
    expect((await run('lookup p')).stdout).toMatch(/of the hold +h\n/);
    expect(await runJson('lookup h')).toMatchObject({
      ...{ id: 'h', kind: 'pending', amount: '6.00', timeoutMs: 604_800_000, metadata: '', offset: anyNumber },
      hold: { amount: '6.00', status: 'posted', expiresAt: anyNumber, resolvedBy: 'p' },
    });
    expect(await runJson('lookup p')).toMatchObject({ hold: null, token: anyText });
    // Its own offset, and the one of the state that was looked at.
    const { offset, token } = await runJson('transfer funds Alice 1 --id later');
    expect(await runJson('lookup later')).toMatchObject({ offset, asOf: { offset, token } });
    expect(await runJson('lookup seed')).toMatchObject({
      offset: Number(offset) - 3,
      asOf: { offset, token },
      token,
    });
    expect(cluster.shared.posted('Alice')).toBe('7.00');
  });

  test('let go of it, once', async () => {
    await run('hold Alice Bob 6 --id h');
    expect(await run('void h')).toMatchObject({ exitCode: 0, stdout: matching(/result +ok\n/) });
    expect(await run('post h')).toMatchObject({
      exitCode: 1,
      stderr: matching(/^ledger: pending_transfer_already_voided/),
    });
    expect(await run('lookup nothing')).toMatchObject({ exitCode: 1, stderr: matching('transfer_not_found') });
  });
});

test('transfer takes what there is, and keeps what it is given', async () => {
  const kept =
    '--code 7 --user-data 8 --metadata why --effective-time 2023-05-31 --imported-time 2023-05-31T12:00:00.5+02:00';
  expect(await runJson(`transfer Alice Bob 99 --id t --balancing ${kept}`)).toMatchObject({ amountMoved: '10.00' });
  expect(await runJson('lookup t')).toMatchObject({
    ...{ amount: '99.00', balancing: true, code: 7, userData: '8', metadata: 'd2h5' },
    ...{ effectiveTime: Date.UTC(2023, 4, 31) * 1000, importedTime: Date.UTC(2023, 4, 31, 10) * 1000 + 500_000 },
  });
});

test('reverse sends it back, in parts', async () => {
  await run('transfer Alice Bob 5 --id t');
  expect((await run('reverse t 2 --id r')).stdout).toMatch(/moved +2\.00\n/);
  expect(await run('reverse t 4')).toMatchObject({
    exitCode: 1,
    stderr: matching('reversed_transfer_amount_exceeded'),
  });
  expect((await run('reverse t 3')).exitCode).toBe(0);
  expect((await run('lookup t')).stdout).toMatch(/reversed by +r, /);
});

describe('transaction', () => {
  const members = [
    { request_id: 'a', from: 'Alice', to: 'Bob', amount: '10', code: 7, user_data: '9', metadata: 'bQ==' },
    { request_id: 'b', from: 'Bob', to: 'Alice', amount: '1', kind: 'pending', timeout_ms: 60_000, pending_id: null },
  ];

  test('does what a file says, once', async () => {
    const file = join(folder, 'sale.json');
    writeFileSync(file, JSON.stringify({ id: 'sale', transfers: members }, undefined, 2));
    const done = await run(`transaction ${file}`);
    expect(done).toMatchObject({ exitCode: 0, stderr: 'transaction sale: all done\n' });
    expect(done.stdout).toMatch(/a +ok +10\.00 +- +4\n/);
    expect(done.stdout).toMatch(/b +ok +0\.00 +1\.00 +5\n/);
    expect(await run(`transaction ${file}`)).toMatchObject({
      exitCode: 0,
      stderr: 'transaction sale, a repeat: all done\n',
    });
    expect(await runJson('lookup a')).toMatchObject({ transaction: 'sale', code: 7, userData: '9', metadata: 'bQ==' });
  });

  test('reads a transfer a line from stdin', async () => {
    const stdin = members.map((member) => JSON.stringify(member)).join('\n');
    expect(await runJson('transaction --id sale', { stdin })).toMatchObject({ id: 'sale', failed: null });
    const one = await runJson('transaction -', { stdin: '{"from":"Bob","to":"Alice","amount":"2"}' });
    expect(one).toMatchObject({ result: 'ok', transfers: [{ amountMoved: '2.00' }] });
  });

  test('only tries what the document asks to be tried', async () => {
    const stdin = JSON.stringify({ id: 'sale', dry_run: true, transfers: members });
    expect(await runJson('transaction', { stdin })).toMatchObject({
      dryRun: true,
      transfers: [{ amountMoved: '10.00' }, {}],
    });
    expect(cluster.shared.posted('Alice')).toBe('10.00');
    await run('transaction', { stdin: JSON.stringify({ id: 'sale', dry_run: false, transfers: members }) });
    expect(cluster.shared.posted('Alice')).toBe('0.00');
  });

  test('is not done one by one where its id is empty', async () => {
    const transfers = [members[0], { from: 'Alice', to: 'Bob', amount: '1' }];
    const stdin = transfers.map((member) => JSON.stringify(member)).join('\n');
    const refusals = [
      await ledger(['--addr', cluster.addresses.join(','), 'transaction', '--id', ''], { stdin }),
      await run('transaction', { stdin: JSON.stringify({ id: '', transfers }) }),
      await run('transaction --dry-run', { stdin: JSON.stringify({ id: '', transfers }) }),
    ];
    for (const refused of refusals) expect(refused).toMatchObject({ exitCode: 2, stderr: matching('id') });
    expect(cluster.shared.posted('Alice')).toBe('10.00');
  });

  test('exits 1 and says which one failed it', async () => {
    const stdin = JSON.stringify({ transfers: [members[0], { from: 'Alice', to: 'Bob', amount: '1' }] });
    const refused = await run('transaction', { stdin });
    expect(refused).toMatchObject({ exitCode: 1, stderr: matching(/^ledger: insufficient_funds: /) });
    expect(refused.stdout).toMatch(/a +linked_transfer_failed +-/);
  });

  test.each([
    ['nonsense', 'line 1 is no JSON object'],
    ['{"from":"A"}\n[]', 'line 2 is no JSON object'],
    ['{"id":5,"transfers":[]}', '"id" is not a text'],
    ['{"transfers":[5]}', 'transfer 1 is no JSON object'],
    ['{"amount":5}', '"amount" is not a text'],
    ['{"code":"5"}', '"code" is not a number'],
    ['{"pending":true}', '"pending" is no field'],
    ['{"kind":"other"}', '"kind" is no field'],
    ['{"user_data":"-1"}', '"user_data" is no field'],
    ['{"toString":"x"}', '"toString" is no field'],
    ['{"metadata":"!!!"}', '"metadata" is no field'],
    ['{"reverses":""}', '"reverses" is empty'],
    ['{"pending_id":""}', '"pending_id" is empty'],
    ['{"transfers":[],"dryrun":true}', '"dryrun" is no field of it'],
    ['{"transfers":[],"dry_run":"true"}', '"dry_run" is not true or false'],
  ])('refuses %s as wrong usage', async (stdin, line) => {
    expect(await run('transaction', { stdin })).toMatchObject({
      exitCode: 2,
      stderr: matching(line.replaceAll('"', '.')),
    });
  });
});

describe('account close, reopen, limits', () => {
  test('change accounts', async () => {
    expect(await run('account close Alice Bob')).toMatchObject({
      exitCode: 0,
      stdout: matching(/Alice +ok\nBob +ok\n/),
    });
    expect(await run('transfer Alice funds 1')).toMatchObject({
      exitCode: 1,
      stderr: matching('debit_account_closed'),
    });
    expect(await runJson('account reopen Alice')).toMatchObject({ results: [{ name: 'Alice', result: 'ok' }] });
    await run('account limits Alice --min-balance=-5 --max-balance 20');
    const limits = (await run('account get Alice')).stdout;
    expect(limits).toMatch(/lower limit +-5\.00\nupper limit +20\.00\nclosed +no\n/);
    await run('account limits Alice --min-balance none --max-balance none');
    expect((await run('account get Alice')).stdout).toMatch(/lower limit +none\nupper limit +none\n/);
    expect(await run('account limits Alice Bob nobody --max-balance 5')).toMatchObject({
      exitCode: 1,
      stdout: matching(/Alice +limit_violated\nBob +ok\nnobody +account_not_found\n/),
      stderr: matching(/^ledger: limit_violated: Alice: /),
    });
  });
});
