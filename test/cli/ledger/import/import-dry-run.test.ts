import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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

describe('a dry run', () => {
  test('of more than one call holds: parts see what came before them, and lists for people are short', async () => {
    const rows = Array.from({ length: 20_000 }, (_, i) => {
      const id = i % 100 === 99 ? uuid(i) : uuid(i + 1);
      return i === 12_000 ? `${uuid(i + 1)},Alice,Bob` : `${id},Alice,acct:${i % 150},0.06,USD`;
    });
    const path = file('l.csv', 'id,from,to,amount,ledger', ...rows);
    const before = hash();
    const { reads, writes } = cluster.door(0);
    const said = await run(`import ${path} --dry-run --refused ${at('dry')}`);
    expect(hash()).toBe(before);
    expect(cluster.door(0).writes).toBe(writes);
    expect(cluster.door(0).reads).toBe(reads);
    const shown = said.stdout.split('\n');
    expect(shown.filter((line) => /^line \d+: /.test(line))).toHaveLength(100);
    expect(said.stdout).toMatch(/\nand \d+ more; --refused FILE writes all of them\n/);
    expect(said.stdout).toMatch(/\nand 51 more accounts; --output json has all of them\n/);
    const json = await run(`--output json import ${path} --dry-run`);
    const document = json.json().at(-1)!;
    expect(document).toMatchObject({ dryRun: true, rows: 20_000, offset: 3 });
    expect(document['balances']).toHaveLength(151);
    expect(document['lines']).toHaveLength(Math.min(8190, document['refused'] as number));
    const real = (await run(`--output json import ${path}`)).json().at(-1)!;
    for (const field of ['results', 'repeats', 'rows', 'refused']) expect(document[field]).toEqual(real[field]);
    expect(readFileSync(at('dry'), 'utf8')).toBe(readFileSync(`${path}.refused`, 'utf8'));
  });

  test('a transaction that is named twice, or is larger than a call, comes to what the import makes of it', async () => {
    const long = 'x'.repeat(1000);
    const large = Array.from({ length: 1200 }, (_, i) => `b${i},Alice,Bob,0.01,big,${long}`);
    const path = file(
      'g.csv',
      'id,from,to,amount,transaction,metadata_text',
      ...[
        'a1,Alice,Bob,1,A0EEBC99-9c0b-4ef8-bb6d-000000000001,',
        'a2,Bob,Alice,1,A0EEBC99-9c0b-4ef8-bb6d-000000000001,',
      ],
      'a3,Alice,Bob,1,a0eebc99-9c0b-4ef8-bb6d-000000000001,',
      ...large,
      ...['c1,Alice,Bob,1,,', `c2,Alice,${'y'.repeat(5000)},1,,`],
    );
    const said = (await run(`--output json import ${path} --dry-run --refused ${at('dry')}`)).json().at(-1)!;
    const real = (await run(`--output json import ${path}`)).json().at(-1)!;
    for (const field of ['results', 'repeats', 'rows', 'refused']) expect(said[field]).toEqual(real[field]);
    expect(real['results']).toMatchObject({ ok: 3, malformed_row: 1201 });
    expect(readFileSync(at('dry'), 'utf8')).toBe(readFileSync(`${path}.refused`, 'utf8'));
  });

  test('has nothing to go on from, and writes over nothing', async () => {
    const path = file('d.csv', 'id,from,to,amount', 'a,Alice,Bob,1');
    expect(await run(`import ${path} --dry-run --resume`)).toMatchObject({ exitCode: 2, stderr: matching(/--resume/) });
    expect(await run(`import ${path} --dry-run --state s`)).toMatchObject({ exitCode: 2, stderr: matching(/--state/) });
    const refused = await run(`import ${path} --dry-run --refused ${path}`);
    expect(refused).toMatchObject({ exitCode: 2, stderr: matching(/from an import before/) });
  });
});
