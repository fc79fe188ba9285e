import { OPTIONS, environmentName } from '../../src/node/config/option-table';
import { NodeMetrics } from '../../src/node/metrics';
import { read } from './documents';

const CONFIGURATION = read('docs/configuration.md');

/** The cells of the table row in `text` that is about this flag. */
function rowOf(flag: string, text: string): string[] | undefined {
  const rows = text.split('\n').map((line) => line.split('|').map((cell) => cell.trim()));
  return rows.find((cells) => cells[1]?.includes(`\`--${flag}\``))?.slice(1);
}

describe('docs/configuration.md', () => {
  test.each(OPTIONS.map((option) => [option.name, option] as const))('says what --%s is', (name, option) => {
    const row = rowOf(name, CONFIGURATION);
    if (!row) throw new Error(`docs/configuration.md has no row for --${name}.`);
    const [, second = ''] = row;
    if (option.default !== undefined) expect(second).toBe(`\`${option.default}\``);
    if (option.kind === 'switch') expect(second).toBe('off');
  });

  test('names a flag as refused when it is, and only then', () => {
    const refused = /^## Refused today$([\s\S]*?)^## /m.exec(CONFIGURATION)?.[1] ?? '';
    for (const { name, notBuilt } of OPTIONS) {
      expect([name, rowOf(name, refused) !== undefined]).toEqual([name, notBuilt !== undefined]);
    }
  });

  test('names no flag that does not exist', () => {
    const known = new Set([...OPTIONS.map((option) => option.name), 'config-file', 'help']);
    const named = [...CONFIGURATION.matchAll(/`--([a-z-]+)/g)].map(([, name]) => name ?? '');
    expect(named.filter((name) => !known.has(name))).toEqual([]);
  });

  test('explains how a variable is named', () => {
    expect(CONFIGURATION).toContain(environmentName('data-dir'));
  });
});

describe('docs/operations.md', () => {
  test('names every metric of the ledger, and none that does not exist', async () => {
    const metrics = new NodeMetrics({
      groups: () => [],
      transferResults: () => new Map(),
      accounts: () => 0,
      projectionLagRecords: () => 0,
      disk: () => ({ full: false, freeBytes: 0 }),
    });
    const exist = [...(await metrics.text()).matchAll(/^# HELP (ledger_\w+)/gm)].map(([, name]) => name ?? '');
    const named = [...read('docs/operations.md').matchAll(/`(ledger_[a-z_]+)/g)].map(([, name]) => name ?? '');
    expect([...new Set(named)].sort()).toEqual(exist.sort());
  });
});
