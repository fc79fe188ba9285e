import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { BATCH_MAGIC, readHeader } from '../../src/log/batch';
import { NodeFiles } from '../../src/log/node-files';
import { type DumpedEntry, type DumpedRecord, type DumpItem, dumpLog } from '../../src/offline/dump';
import { decodeLedgerRecord } from '../../src/client';
import { runCommand } from '../cli/node-command';
import { flipBit, readAt, WrittenDirectory } from './written-directory';

let written: WrittenDirectory;

beforeAll(async () => {
  written = await WrittenDirectory.make();
}, 120_000);

afterAll(() => written?.remove());

async function dump(dataDir: string, from = 0): Promise<DumpItem[]> {
  const items = [];
  for await (const item of dumpLog({ dataDir, from, files: new NodeFiles() })) items.push(item);
  return items;
}

const entries = (items: readonly DumpItem[]): DumpedEntry[] => items.filter((item) => item.kind === 'entry');
const records = (items: readonly DumpItem[]): DumpedRecord[] =>
  items.filter((item) => item.kind === 'record').filter(({ offset }) => offset !== undefined);

describe('dump', () => {
  test('gives every entry and every record once, in order, with what was decided', async () => {
    const items = await dump(written.dataDir);
    expect(entries(items).map(({ header }) => header.index)).toEqual(entries(items).map((_, i) => i + 1));
    expect(records(items).map(({ offset }) => offset)).toEqual(Array.from({ length: 2 + 60 * 21 }, (_, i) => i));
    expect(records(items)[5]).toMatchObject({ type: 0 });
    expect(records(items)[5]!.value.toString()).toMatch(/^0-3 0-3 /);
    const transfer = decodeLedgerRecord(records(items)[22]!.value);
    expect(transfer).toMatchObject({
      command: 'transfer',
      fields: { debit_account: 'funding', credit_account: 'Alice', amount: '1' },
      outcome: { result: 'ok', amount_moved: '1.00', ledger: 'USD', offset: '22' },
    });
    const configurations = entries(items).flatMap(({ configuration }) => configuration ?? []);
    expect(configurations.every(({ voters }) => voters.length === 1)).toBe(true);
  });

  test('where an entry is said to be, there it is', async () => {
    for (const { header, file, position } of entries(await dump(written.dataDir))) {
      const bytes = readAt(file, position, 160);
      expect(bytes.readUInt32LE(0)).toBe(BATCH_MAGIC);
      expect(readHeader(bytes).index).toBe(header.index);
    }
  });

  test('begins at any offset', async () => {
    for (const from of [1, 700, 1261]) {
      const [first, ...others] = records(await dump(written.dataDir, from));
      expect(first!.offset).toBe(from);
      expect(others).toHaveLength(1261 - from);
    }
    // The code of a ledger is known although the record that made it is not read.
    const [last] = records(await dump(written.dataDir, 1261));
    expect(decodeLedgerRecord(last!.value).outcome).toMatchObject({ ledger: 'USD' });
  });

  test('what is damaged is named and passed over', async () => {
    const dataDir = written.copy();
    const whole = entries(await dump(dataDir));
    const { file, position, header } = whole[20]!;
    flipBit(file, position + 200);
    const items = await dump(dataDir);
    expect(entries(items).map((entry) => entry.header.index)).toEqual(
      whole.map((entry) => entry.header.index).filter((index) => index !== header.index),
    );
    expect(items.filter((item) => item.kind === 'damage')).toMatchObject([
      { file, position, fromIndex: header.index, toIndex: header.index },
    ]);
  });
});

test('an outcome that is damaged is named, and not shown', async () => {
  const dataDir = written.copy();
  const [first] = entries(await dump(dataDir));
  flipBit(`${first!.file}.outcomes`, 22 * 64 + 33);
  const items = await dump(dataDir);
  expect(items.filter((item) => item.kind === 'damage')).toMatchObject([
    { file: `${first!.file}.outcomes`, position: 22 * 64 },
  ]);
  const { command, outcome } = decodeLedgerRecord(records(items)[22]!.value);
  expect([command, outcome]).toEqual(['transfer', undefined]);
});

describe('the commands', () => {
  test('verify: exit 0 where all is well, 1 where it is not, 2 where there is nothing to look at', async () => {
    const clean = await runCommand(['verify', '--data-dir', written.dataDir]);
    expect(clean).toMatchObject({ code: 0, stderr: '' });
    expect(clean.stdout).toMatch(/\nclean\n$/);
    const dataDir = written.copy();
    const log = join(dataDir, 'groups', '0', 'log');
    const segment = join(log, readdirSync(log)[0]!);
    flipBit(segment, 700);
    const damaged = await runCommand(['verify', '--data-dir', dataDir, '--json']);
    expect(damaged.code).toBe(1);
    const documents = damaged.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(documents[0]).toMatchObject({ type: 'damage', file: segment });
    expect(documents.at(-1)).toMatchObject({ type: 'summary', clean: false });
    for (const args of [['verify'], ['verify', '--data-dir', join(dataDir, 'nothing')], ['dump', '--data-dir', log]]) {
      const { code, stdout, stderr } = await runCommand(args);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toMatch(/^ledger-node: [^\n]{10,}\n$/);
    }
  });

  test('dump: a line for each, or a document', async () => {
    const text = await runCommand(['dump', '--data-dir', written.dataDir, '--from', '1261']);
    expect(text).toMatchObject({ code: 0, stderr: '' });
    expect(text.stdout).toMatch(
      /1261 {2}transfer id="[^"]+" debit_account="funding" .* result="ok" amount_moved="1.00"/,
    );
    const json = await runCommand(['dump', '--data-dir', written.dataDir, '--from', '1261', '--json']);
    const documents = json.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(documents.map(({ type }) => type)).toEqual(['segment', 'entry', 'record']);
    expect(documents[2]).toMatchObject({ offset: 1261, recordType: 1, record: { outcome: { result: 'ok' } } });
    expect((await runCommand(['dump', '--data-dir', written.dataDir, '--from', 'here'])).code).toBe(2);
  });
});
