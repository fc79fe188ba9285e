import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClusterOfDoors } from '../../../client/cluster-of-doors';
import { type CommandOptions, type CommandResult, ledger, matching } from '../run-command';

let cluster: ClusterOfDoors;
let folder: string;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ledger-import-'));
  cluster = await ClusterOfDoors.start(1);
  await run('account open funds --min-balance none');
  await run('account open Alice Bob --min-balance 0');
  await run('transfer funds Alice 1000 --id seed');
});

afterEach(async () => {
  await cluster.close();
  rmSync(folder, { recursive: true });
  expect(cluster.unforeseen).toEqual([]);
});

const run = (args: string, options?: CommandOptions): Promise<CommandResult> =>
  ledger(['--addr', cluster.addresses.join(','), ...args.split(' ')], options);
const at = (name: string): string => join(folder, name);
const hash = (): string => cluster.shared.status({ stateHash: true }).groups[0]!.stateHash!;

function file(name: string, ...lines: string[]): string {
  writeFileSync(at(name), lines.map((line) => `${line}\n`).join(''));
  return at(name);
}

const uuid = (n: number): string => `a0eebc99-9c0b-4ef8-bb6d-${n.toString(16).padStart(12, '0')}`;

describe('what a file can say', () => {
  test('accounts, with every column', async () => {
    const path = file(
      'accounts.csv',
      'name,ledger,min_balance,max_balance,user_data,metadata,imported_time',
      '"Doe, Jane",USD,none,,18446744073709551615,dmlw,2020-01-02',
      'Carol,,-5,100,7,,',
      'Dora,EUR,,,,,',
      'Eve,,,,,,',
    );
    const done = await run(`import ${path}`);
    expect(done).toMatchObject({ exitCode: 1, stderr: matching(/rows_refused: 1 of 4 rows/) });
    expect(done.stdout).toMatch(/ok +3\nledger_not_found +1\nall +4\n/);
    expect((await run('--output json account get Carol')).json()[0]).toMatchObject({
      account: { minBalance: '-5.00', maxBalance: '100.00', userData: '7', ledger: 'USD' },
    });
    const jane = cluster.shared.ledger.account('Doe, Jane')!;
    expect(jane).toMatchObject({ minBalance: undefined, userData: 2n ** 64n - 1n, metadata: Buffer.from('vip') });
    expect(jane.importedTime).toBe(Date.UTC(2020, 0, 2) * 1000);
    expect(readFileSync(`${path}.refused`, 'utf8')).toBe(
      'line,result,message,name,ledger,min_balance,max_balance,user_data,metadata,imported_time\n' +
        '4,ledger_not_found,"The ledger does not exist.",Dora,EUR,,,,,\n',
    );
    expect(existsSync(`${path}.import-state`)).toBe(false);
  });

  test('transfers of every kind, as documents, in their order', async () => {
    const path = file(
      'all.ndjson',
      '{"id": "p", "from": "Alice", "to": "Bob", "amount": "1.5", "code": 7, "user_data": "8", "metadata": "dmlw"}',
      '{"id": "h", "from": "Alice", "to": "Bob", "amount": "6", "kind": "pending", "timeout_ms": 60000}',
      '{"id": "post", "kind": "post", "pending_id": "h", "amount": "2"}',
      '{"id": "h2", "from": "Alice", "to": "Bob", "amount": "6", "kind": "pending"}',
      '{"id": "void", "kind": "void", "pending_id": "h2"}',
      '{"id": "back", "reverses": "p", "amount": "0.5", "metadata_text": "sorry"}',
      '{"id": "all", "from": "Bob", "to": "funds", "amount": "99", "balancing": true, "ledger": "USD"}',
      '{"request_id": "old", "from": "funds", "to": "Bob", "amount": "4", "imported_time": "2020-01-02T03:04:05Z", "effective_time": 5}',
      '',
      '{"id": "g1", "from": "Alice", "to": "Carol", "amount": "1", "ledger": "USD", "transaction": "g"}',
      '{"id": "g2", "from": "Carol", "to": "Bob", "amount": "1", "transaction": "g"}',
    );
    const done = await run(`import ${path}`);
    expect(done).toMatchObject({ exitCode: 0, stderr: '' });
    expect(done.stdout).toMatch(/ok +10\nall +10\n/);
    const look = async (id: string): Promise<unknown> => (await run(`--output json lookup ${id}`)).json()[0];
    expect(await look('p')).toMatchObject({ amount: '1.50', code: 7, userData: '8', metadata: 'dmlw' });
    expect(await look('h')).toMatchObject({ timeoutMs: 60_000, hold: { status: 'posted', resolvedBy: 'post' } });
    expect(await look('h2')).toMatchObject({ hold: { status: 'voided', resolvedBy: 'void' } });
    expect(await look('back')).toMatchObject({ amount: '0.50', metadata: 'c29ycnk=', reverses: 'p' });
    expect(await look('all')).toMatchObject({ balancing: true, amountMoved: '3.00' });
    expect(await look('old')).toMatchObject({ importedTime: Date.UTC(2020, 0, 2, 3, 4, 5) * 1000, effectiveTime: 5 });
    expect(await look('g2')).toMatchObject({ transaction: 'g', amountMoved: '1.00' });
  });

  test('rows that cannot be read are refused, each with its line and why; the others are done', async () => {
    const path = file(
      'rows.csv',
      'id,from,to,amount,code,balancing,metadata',
      'a,Alice,Bob,1,,,',
      'b,Alice,Bob,1,x,,',
      ',Alice,Bob,1,,,',
      'd,Alice,Bob',
      'e,Alice,"Bob,1,,,',
      'f,Alice,Bob,1,,yes,',
      'g,Alice,Bob,1,,,?',
      'h,Alice,Bob,1e3,,,',
      'i,Alice,Bob,1,,,',
    );
    // The quote of line 6 takes in all that follows: no row ends before the end of the input.
    const done = await run(`import ${path}`);
    expect(done.stdout).toMatch(/malformed_row +4\nok +1\n/);
    expect(readFileSync(`${path}.refused`, 'utf8').split('\n').slice(1, 5)).toEqual([
      '3,malformed_row,"code must be a whole number",b,Alice,Bob,1,x,,',
      '4,malformed_row,"id is missing; --derive-ids makes ids of the line numbers",,Alice,Bob,1,,,',
      '5,malformed_row,"the row has 3 fields, the header 7",d,Alice,Bob',
      '6,malformed_row,"the row has a quote that is not closed",e,Alice,"Bob,1,,,',
    ]);
    expect(cluster.shared.posted('Bob')).toBe('1.00');
    writeFileSync(path, readFileSync(path, 'utf8').replace('"Bob', 'Bob'));
    rmSync(`${path}.refused`);
    const again = await run(`import ${path}`);
    expect(again.stdout).toMatch(/malformed_row +5\nok +3\namount_invalid +1\n/);
    expect(again.stderr).toMatch(/1 of them had been answered before/);
  });

  test('amounts of JSON that are numbers are no money, and what is no JSON is no row', async () => {
    const path = file(
      'n.ndjson',
      '{"id": "a", "from": "Alice", "to": "Bob", "amount": 1.5}',
      '{',
      '["a"]',
      '{"id": 5}',
    );
    expect((await run(`import ${path}`)).stdout).toMatch(/malformed_row +4\nall +4/);
    const lines = readFileSync(`${path}.refused`, 'utf8').split('\n').slice(0, 4);
    expect(lines.map((line) => (JSON.parse(line) as { message: string }).message)).toEqual([
      ...['amount must be a text', 'the row is not JSON', 'the row is no JSON object', 'id must be a text'],
    ]);
  });

  test('of a transaction with a row that cannot be read nothing is done', async () => {
    const path = file(
      't.ndjson',
      '{"id": "a", "from": "Alice", "to": "Bob", "amount": "1", "transaction": "one"}',
      '{"id": "b", "from": "Alice", "to": "Bob", "amount": 1, "transaction": "one"}',
      '{"id": "c", "from": "Alice", "to": "Bob", "amount": "1", "transaction": "two"}',
      'torn',
      '{"id": "d", "from": "Alice", "to": "Bob", "amount": "1", "transaction": "two"}',
      '{"id": "e", "from": "Alice", "to": "Bob", "amount": "1", "transaction": "three"}',
      '{"id": "f", "from": "Alice", "to": "Bob", "amount": "5000", "transaction": "three"}',
      '{"id": "g", "from": "Alice", "to": "Bob", "amount": "1"}',
    );
    const done = await run(`import ${path}`);
    expect(done.stdout).toMatch(/linked_transfer_failed +4\nmalformed_row +2\ninsufficient_funds +1\nok +1\n/);
    expect(cluster.shared.posted('Bob')).toBe('1.00');
  });
});

describe('packed rows', () => {
  test('are used where all fits, and say the same as messages', async () => {
    const rows = Array.from({ length: 50 }, (_, i) => `${uuid(i + 1)},Alice,Bob,0.0${1 + (i % 9)},${i}`);
    const path = file('packed.csv', 'id,from,to,amount,code', ...rows);
    expect(await run(`import ${path}`)).toMatchObject({ exitCode: 0, stdout: matching(/ok +50\n/) });
    const chunk = cluster.shared.submitted.at(-1)!;
    expect(chunk.count).toBe(50);
    // 64 bytes a row, and the frame of the chunk.
    expect(chunk.chunk.length).toBeLessThan(50 * 64 + 64);
    // The same as messages: a column that fits no row.
    const slow = file('slow.csv', 'id,from,to,amount,code,effective_time', ...rows.map((row) => `${row},`));
    const before = cluster.shared.posted('Bob');
    writeFileSync(slow, `${readFileSync(slow, 'utf8')}x,Alice,Bob,0.01,,7\n`);
    const done = await run(`import ${slow}`);
    expect(done).toMatchObject({ exitCode: 0, stderr: matching(/50 of them had been answered before/) });
    expect(cluster.shared.submitted.at(-1)!.count).toBe(51);
    expect(Number(cluster.shared.posted('Bob'))).toBeCloseTo(Number(before) + 0.01, 10);
  });

  test('refuse with line and reason, too', async () => {
    const path = file('r.csv', 'id,from,to,amount', `${uuid(1)},Alice,Bob,1`, `${uuid(2)},Bob,Alice,5000`);
    expect(await run(`import ${path}`)).toMatchObject({ exitCode: 1 });
    expect(readFileSync(`${path}.refused`, 'utf8')).toMatch(/\n3,insufficient_funds,".+",a0eebc99/);
  });
});

describe('ids', () => {
  test('are derived from the namespace and the line, and nothing else', async () => {
    const path = file('ids.csv', 'from,to,amount', 'Alice,Bob,1', 'Alice,Bob,1');
    expect(await run(`import ${path} --derive-ids may`)).toMatchObject({ exitCode: 0 });
    expect(cluster.shared.posted('Bob')).toBe('2.00');
    const bytes = createHash('sha256').update('may\n3').digest().subarray(0, 16);
    const hex = bytes.toString('hex');
    const id = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}`;
    expect(
      (await run(`lookup ${id}-${((bytes[8]! & 0x3f) | 0x80).toString(16)}${hex.slice(18, 20)}-${hex.slice(20)}`))
        .exitCode,
    ).toBe(0);
    // Changed rows are refused, not paid again; another namespace is another import.
    writeFileSync(path, 'from,to,amount\nAlice,Bob,1\nAlice,Bob,2\n');
    expect((await run(`import ${path} --derive-ids may`)).stdout).toMatch(/exists_with_different_amount +1/);
    rmSync(`${path}.refused`);
    expect(await run(`import ${path} --derive-ids june`)).toMatchObject({ exitCode: 0 });
    expect(cluster.shared.posted('Bob')).toBe('5.00');
  });
});

describe('a dry run', () => {
  test('answers as the import right after it does, with the balances, and does nothing', async () => {
    const path = file(
      'dry.csv',
      'id,from,to,amount,transaction',
      'a,Alice,Bob,10,',
      'b,Bob,Alice,11,',
      'c,Bob,Alice,4,t',
      'd,Bob,Alice,7,t',
      'e,Bob,Alice,4',
      'f,Bob,Alice,4,',
    );
    const before = hash();
    const said = await run(`--output json import ${path} --dry-run`);
    expect(hash()).toBe(before);
    const [document] = said.json();
    expect(document).toMatchObject({ dryRun: true, rows: 6, refused: 4, offset: 3 });
    expect(document!['balances']).toMatchObject([
      { account: 'Alice', posted: '994.00' },
      { account: 'Bob', posted: '6.00' },
    ]);
    const real = await run(`--output json import ${path}`);
    expect(real.json().at(-1)!['results']).toEqual(document!['results']);
    expect([cluster.shared.posted('Alice'), cluster.shared.posted('Bob')]).toEqual(['994.00', '6.00']);
    expect((await run(`import ${path} --dry-run`)).stdout).toMatch(/line 3: insufficient_funds: /);
  });

  test('of accounts, too', async () => {
    const accounts = file('a.csv', 'name,ledger', 'Zoe,USD', 'Zoe,USD', 'Alice,');
    const said = await run(`import ${accounts} --dry-run`);
    expect(said).toMatchObject({ exitCode: 1, stdout: matching(/ok +2\nexists_with_different_limits +1\nall +3/) });
    expect(cluster.shared.posted('Zoe')).toBeUndefined();
  });
});

test('stdin, and wrong usage', async () => {
  const stdin = 'id,from,to,amount\na,Alice,Bob,1\n';
  expect(await run('import -', { stdin })).toMatchObject({ exitCode: 2, stderr: matching(/--format/) });
  expect(await run('import - --format csv', { stdin })).toMatchObject({ exitCode: 2, stderr: matching(/--refused/) });
  const refused = at('refused');
  expect(await run(`import - --format csv --refused ${refused}`, { stdin })).toMatchObject({ exitCode: 0 });
  expect(existsSync(refused)).toBe(false);
  expect(await run(`import ${at('missing')}`)).toMatchObject({ exitCode: 2, stderr: matching(/ENOENT/) });
  const strange = file('s.csv', 'id,from,to,amount,colour');
  expect(await run(`import ${strange}`)).toMatchObject({ exitCode: 2, stderr: matching(/"colour" in the header/) });
  const old = file('o.csv', 'id,from,to,amount', 'a,Alice,Bob,2');
  writeFileSync(`${old}.refused`, 'precious');
  expect(await run(`import ${old}`)).toMatchObject({ exitCode: 2, stderr: matching(/from an import before/) });
  expect(await run(`import ${old} --resume`)).toMatchObject({ exitCode: 2, stderr: matching(/no .*import-state/) });
});
