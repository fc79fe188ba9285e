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
const records = (): number => cluster.shared.position().offset + 1;

function file(name: string, ...lines: string[]): string {
  writeFileSync(at(name), lines.map((line) => `${line}\n`).join(''));
  return at(name);
}

const uuid = (n: number): string => `a0eebc99-9c0b-4ef8-bb6d-${n.toString(16).padStart(12, '0')}`;

describe('an import that stops', () => {
  const LINES = 20_000;
  const big = (): string =>
    file(
      'big.csv',
      'id,from,to,amount',
      ...Array.from({ length: LINES }, (_, i) => `${uuid(i + 1)},${i === 9_000 ? 'nobody' : 'Alice'},Bob,0.01`),
    );

  test('goes on where it was, with the same tally and the same refused rows as one that did not', async () => {
    const path = big();
    let writes = 0;
    cluster.door(0).beforeWrite = () => {
      if (++writes === 3) throw new Error('the third part is lost');
    };
    const stopped = await run(`--timeout 1s import ${path}`);
    expect(stopped.exitCode).not.toBe(0);
    cluster.unforeseen.splice(0);
    cluster.door(0).beforeWrite = () => undefined;
    const state = JSON.parse(readFileSync(`${path}.import-state`, 'utf8')) as { results: Record<string, number> };
    expect(state.results).toEqual({ ok: 8190 });
    // Without saying what is meant nothing is begun.
    expect(await run(`import ${path}`)).toMatchObject({ exitCode: 2, stderr: matching(/go on with --resume/) });
    const before = records();
    const resumed = await run(`--output json import ${path} --resume`);
    expect(resumed).toMatchObject({ exitCode: 1 });
    expect(records() - before).toBeLessThan(LINES);
    expect(resumed.json().at(-1)).toMatchObject({
      ...{ done: true, rows: LINES, refused: 1, results: { ok: LINES - 1, debit_account_not_found: 1 } },
    });
    expect(readFileSync(`${path}.refused`, 'utf8').split('\n')).toHaveLength(3);
    expect(cluster.shared.posted('Bob')).toBe(((LINES - 1) / 100).toFixed(2));
    expect(existsSync(`${path}.import-state`)).toBe(false);
  });

  test('is stopped by Ctrl-C after what is under way, and keeps the order all along', async () => {
    const path = big();
    const stop = new AbortController();
    let writes = 0;
    cluster.door(0).beforeWrite = () => {
      if (++writes === 2) stop.abort();
    };
    const stopped = await run(`import ${path}`, { signal: stop.signal });
    expect(stopped).toMatchObject({
      exitCode: 1,
      stderr: matching(/interrupted: stopped after \d+ rows; go on with --resume/),
    });
    expect(await run(`import ${path} --resume`)).toMatchObject({ exitCode: 1 });
    // Of lines on both sides of where it was stopped: nothing came between, and each stands where its line stood.
    const lines = [1, 2, 8_190, 8_191, 9_000, LINES - 1, LINES];
    const offsets: number[] = [];
    for (const n of lines) offsets.push(Number((await run(`--output json lookup ${uuid(n)}`)).json()[0]!['offset']));
    expect(offsets.map((offset) => offset - offsets[0]!)).toEqual(lines.map((n) => n - 1));
    expect(cluster.shared.posted('Bob')).toBe(((LINES - 1) / 100).toFixed(2));
  });

  test('does not go on with another input, another reading or another cluster', async () => {
    const path = big();
    const stop = new AbortController();
    cluster.door(0).beforeWrite = () => stop.abort();
    await run(`import ${path}`, { signal: stop.signal });
    cluster.door(0).beforeWrite = () => undefined;
    const text = readFileSync(path, 'utf8');
    writeFileSync(path, text.replace('0.01', '0.02'));
    const before = hash();
    expect(await run(`import ${path} --resume`)).toMatchObject({ exitCode: 2, stderr: matching(/not the one/) });
    writeFileSync(path, text.slice(0, 1000));
    expect(await run(`import ${path} --resume`)).toMatchObject({ exitCode: 2, stderr: matching(/not the one/) });
    writeFileSync(path, text);
    expect(await run(`import ${path} --resume --ledger USD`)).toMatchObject({
      exitCode: 2,
      stderr: matching(/as before/),
    });
    const state = readFileSync(`${path}.import-state`, 'utf8');
    writeFileSync(`${path}.import-state`, state.replace('"clusterId":"0', '"clusterId":"1'));
    expect(await run(`import ${path} --resume`)).toMatchObject({ exitCode: 2, stderr: matching(/another cluster/) });
    writeFileSync(`${path}.import-state`, '{}');
    expect(await run(`import ${path} --resume`)).toMatchObject({ exitCode: 2, stderr: matching(/not what an import/) });
    expect(hash()).toBe(before);
  });
});

test('a row whose refusal did not burn its id may be done when it is imported again, any other may not', async () => {
  const path = file('late.csv', 'id,kind,pending_id,from,to,amount', 'p,post,h,,,', 't,,,Bob,Alice,5');
  const refused = { pending_transfer_not_found: 1, insufficient_funds: 1 };
  expect((await run(`--output json import ${path}`)).json().at(-1)).toMatchObject({ results: refused });
  await run('hold Alice Bob 7 --id h');
  const again = (await run(`--output json import ${path} --refused ${at('second')}`)).json().at(-1);
  expect(again).toMatchObject({ results: { ok: 1, insufficient_funds: 1 }, repeats: 1, refused: 1 });
  expect(cluster.shared.posted('Bob')).toBe('7.00');
});
