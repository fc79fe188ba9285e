/** `ledger import --dry-run` of a large file at a real node says what the import right after it does. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BalanceView, LedgerClient } from '../../../src/client';
import { Rules } from '../../../src/ledger/rules-versions';
import type { IdStore } from '../../../src/node/ids/id-store';
import { type CommandResult, ledger } from '../../cli/ledger/run-command';
import { REHEARSAL_THREAD } from '../../support/single-node-port';
import { SeededRandom } from '../../support/seeded-random';
import { NodesInProcess } from '../node-in-process';

const PATIENCE = 600_000;
const ACCOUNTS = 60;

/** Which only a test reaches into. */
interface Insides {
  readonly group: { readonly machine: { readonly ids: IdStore } };
}

let folder: string;
let nodes: NodesInProcess;
let client: LedgerClient;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ledger-dry-run-'));
  nodes = new NodesInProcess();
});

afterEach(async () => {
  await client.close();
  await nodes.close();
  rmSync(folder, { recursive: true });
}, PATIENCE);

const run = (args: string): Promise<CommandResult> => ledger(['--addr', nodes.address('a'), ...args.split(' ')]);

/** Rows of every kind: most are done, and each way of being refused that a file has is among them. */
class Rows {
  private readonly ids: string[] = [];
  private readonly holds: string[] = [];
  /** Whole rows that may come again. */
  private readonly plain: string[] = [];
  private next = 0;

  constructor(private readonly random: SeededRandom) {}

  file(name: string, count: number): string {
    const lines = ['id,from,to,amount,kind,pending_id,transaction,balancing,reverses,metadata_text'];
    while (lines.length <= count) lines.push(...this.some());
    const path = join(folder, name);
    writeFileSync(path, lines.map((line) => `${line}\n`).join(''));
    return path;
  }

  private some(): string[] {
    const chance = this.random.below(100);
    const [from, to] = this.pair();
    if (chance < 8) return this.transaction();
    if (chance < 10) return [`${this.pick(this.ids)},bank,${to},1,,,,,,`];
    if (chance < 12) return [this.pick(this.plain)];
    if (chance < 13) return [`${this.pick(this.plain)} of another day`];
    const id = this.id();
    if (chance < 45) {
      this.plain.push(`${id},bank,${to},${this.amount(4000)},,,,,,${this.note()}`);
      return this.plain.slice(-1);
    }
    if (chance < 75) return [`${id},${from},${to},${this.amount(20_000)},,,,,,`];
    if (chance < 82) {
      this.holds.push(id);
      return [`${id},${from},${to},${this.amount(3000)},pending,,,,,${this.note()}`];
    }
    if (chance < 88) return [`${id},,,,${chance < 86 ? 'post' : 'void'},${this.pick(this.holds)},,,,`];
    if (chance < 91) return [`${id},${from},${to},50,,,,true,,`];
    if (chance < 95) return [`${id},,,,,,,,${this.pick(this.ids)},`];
    if (chance < 96) return [`${id},${from},nobody,1,,,,,,`];
    if (chance < 97) return [`${id},${from},${to},1.005,,,,,,`];
    return [`${id},${from},${to}`];
  }

  private transaction(): string[] {
    const name = `t${this.next}`;
    return Array.from({ length: 2 + this.random.below(4) }, () => {
      const [from, to] = this.pair();
      return `${this.id()},${from},${to},${this.amount(400)},,,${name},,,`;
    });
  }

  private id(): string {
    const uuid = `a0eebc99-9c0b-4ef8-bb6d-${(this.next++).toString(16).padStart(12, '0')}`;
    const id = this.random.below(3) === 0 ? `order ${this.next}` : uuid;
    this.ids.push(id);
    return id;
  }

  /** Of every other row. */
  private note(): string {
    return this.random.below(2) === 0 ? '' : `note ${'x'.repeat(this.random.below(60))}`;
  }

  private pick(list: readonly string[]): string {
    return list.length === 0 ? 'none' : (list[this.random.below(list.length)] as string);
  }

  private pair(): [string, string] {
    const from = this.random.below(ACCOUNTS);
    return [`acct:${from}`, `acct:${(from + 1 + this.random.below(ACCOUNTS - 1)) % ACCOUNTS}`];
  }

  private amount(most: number): string {
    return ((1 + this.random.below(most)) / 100).toFixed(2);
  }
}

async function allBalances(): Promise<{ readonly account: string }[]> {
  const { accounts } = await client.listAccounts({ pageSize: 1000 });
  return accounts.map(({ balance }) => ({ ...balance, available: balance.available ?? null }));
}

const hash = async (): Promise<string> => (await nodes.status('a')).stateHash ?? 'none';
const byName = (one: { readonly account: string }, other: { readonly account: string }): number =>
  one.account < other.account ? -1 : 1;

describe.each([
  ['with all rows in memory', undefined],
  ['with the older rows in runs on the disk', { runRows: 1024, keptRows: 0, runExtras: 8192, keptExtras: 0 }],
])('%s', (_where, ids) => {
  test(
    'a dry run has the results and the balances of the import, row by row',
    async () => {
      const seed = Number(process.env['LEDGER_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
      const count = ids ? 30_000 : 10_000;
      await nodes.start('a', new Rules(), { rehearsals: { entry: REHEARSAL_THREAD }, ...(ids && { ids }) });
      client = await nodes.client('a');
      const names = Array.from({ length: ACCOUNTS }, (_, i) => `acct:${i}`);
      await client.openAccounts([
        { name: 'bank', ledger: 'USD', minBalance: null },
        ...names.map((name, i) => ({ name, ledger: 'USD', ...(i % 9 === 0 && { maxBalance: '3000' }) })),
      ]);
      const rows = new Rows(new SeededRandom(seed));
      expect((await run(`import ${rows.file('before.csv', 5000)}`)).exitCode).toBe(1);
      const path = rows.file('file.csv', count);
      const before = await hash();

      const { machine } = (nodes.node('a') as unknown as Insides).group;
      const foundBefore = machine.ids.archive.counts.found;
      const said = await run(`--output json import ${path} --dry-run --refused ${path}.dry`);
      const looked = machine.ids.archive.counts.found - foundBefore;
      expect([said.exitCode, said.stderr]).toEqual([1, expect.stringMatching(/^ledger: rows_refused: /) as string]);
      expect(await hash()).toBe(before);
      expect(existsSync(`${path}.refused`)).toBe(false);
      // Posts, reversals and repeats of what had left memory.
      if (ids) expect(looked).toBeGreaterThan(300);

      const done = await run(`--output json import ${path}`);
      const [trial, real] = [said.json().at(-1)!, done.json().at(-1)!];
      const { results, repeats, rows: all, refused } = real;
      const repeat = `LEDGER_SEED=${seed} npm test -- test/node/rehearsal`;
      expect({ repeat, ...trial }).toMatchObject({ repeat, dryRun: true, results, repeats, rows: all, refused });
      expect(results).toHaveProperty('exists_with_different_metadata');
      expect(Object.keys(results as object).length).toBeGreaterThan(12);
      expect(repeats).toBeGreaterThan(100);
      expect(readFileSync(`${path}.dry`, 'utf8')).toBe(readFileSync(`${path}.refused`, 'utf8'));
      expect((trial['balances'] as BalanceView[]).toSorted(byName)).toEqual((await allBalances()).toSorted(byName));
    },
    PATIENCE,
  );
});
