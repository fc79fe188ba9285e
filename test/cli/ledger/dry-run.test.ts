import { ClusterOfDoors } from '../../client/cluster-of-doors';
import { type CommandOptions, type CommandResult, ledger, matching } from './run-command';

let cluster: ClusterOfDoors;

beforeEach(async () => {
  cluster = await ClusterOfDoors.start(2);
  await run('account open funds --min-balance none');
  await run('account open Alice Bob --min-balance 0');
  await run('transfer funds Alice 10 --id seed');
});

afterEach(async () => {
  await cluster.close();
  expect(cluster.unforeseen).toEqual([]);
});

const run = (args: string, options?: CommandOptions): Promise<CommandResult> =>
  ledger(['--addr', cluster.addresses.join(','), ...args.split(' ')], options);
const hash = (): string => cluster.shared.status({ stateHash: true }).groups[0]!.stateHash!;

test.each([
  ['transfer Alice Bob 4 --id t', 't   ok +4\\.00 +-', '6.00', '4.00'],
  ['hold Alice Bob 4 --id h', 'h   ok +0\\.00 +4\\.00', '10.00', '0.00'],
  ['post held 2 --id p', 'p   ok +2\\.00 +-', '8.00', '2.00'],
  ['void held --id v', 'v   ok +0\\.00 +-', '10.00', '0.00'],
  ['reverse seed 1 --id r', 'r   ok +1\\.00 +-', '9.00', undefined],
])('%s --dry-run says what it would come to, and does nothing', async (command, result, alice, bob) => {
  await run('hold Alice Bob 3 --id held');
  const before = hash();
  const said = await run(`${command} --dry-run`);
  expect(said).toMatchObject({ exitCode: 0, stderr: matching(/a dry run on the state at offset 4: nothing was done/) });
  expect(said.stdout).toMatch(new RegExp(result));
  expect(said.stdout).toMatch(new RegExp(`Alice +USD +${alice.replace('.', '\\.')} `));
  if (bob !== undefined) expect(said.stdout).toMatch(new RegExp(`Bob +USD +${bob.replace('.', '\\.')} `));
  expect(hash()).toBe(before);
  await run(command);
  expect(cluster.shared.posted('Alice')).toBe(alice);
});

test('a refusal is a refusal', async () => {
  const said = await run('--output json transfer Alice Bob 11 --id t --dry-run');
  expect(said).toMatchObject({ exitCode: 1, stderr: matching(/^ledger: insufficient_funds/) });
  expect(said.json()[0]).toMatchObject({
    ...{ dryRun: true, offset: 3 },
    transfers: [{ id: 't', result: 'insufficient_funds', offset: -1, replayed: false }],
    balances: [{ account: 'Alice', posted: '10.00' }, { account: 'Bob' }],
  });
  // Its id is as free as before.
  expect(await run('transfer Alice Bob 1 --id t')).toMatchObject({ exitCode: 0 });
});

test('of a transaction, as a whole', async () => {
  const stdin = [
    '{"request_id": "a", "from": "Alice", "to": "Bob", "amount": "10"}',
    '{"request_id": "b", "from": "Bob", "to": "funds", "amount": "10.01"}',
  ].join('\n');
  const before = hash();
  const said = await run('transaction - --dry-run', { stdin });
  expect(said).toMatchObject({ exitCode: 1, stderr: matching(/insufficient_funds/) });
  expect(said.stdout).toMatch(/a +linked_transfer_failed[^]*b +insufficient_funds/);
  expect(hash()).toBe(before);
  const mended = await run('transaction - --dry-run', { stdin: stdin.replace('10.01', '9') });
  expect(mended.stdout).toMatch(/Bob +USD +1\.00/);
});
