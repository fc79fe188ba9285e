import { explain, explainedNames } from '../../src/cli/ledger/errors/explain';
import { read } from './documents';

/** The columns of the narrowest table that explains names: name, gRPC, meaning, advice. */
const COLUMNS = 4;

/** name → cells of its row, from every table of the document that explains names. */
function rows(): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const line of read('docs/errors.md').split('\n')) {
    const cells = line.split('|').map((cell) => cell.trim());
    if (cells.length < COLUMNS + 2) continue;
    const name = /^`([A-Za-z_]+)`$/.exec(cells[1] ?? '')?.[1];
    if (name === undefined) continue;
    if (found.has(name.toLowerCase())) throw new Error(`docs/errors.md has two rows for ${name}.`);
    found.set(name.toLowerCase(), cells.slice(2, -1));
  }
  return found;
}

const ROWS = rows();

describe('docs/errors.md', () => {
  test('has a row for every name there is, and for no other', () => {
    expect([...ROWS.keys()].sort()).toEqual(explainedNames().sort());
  });

  test.each(explainedNames())('says of %s what the program does', (name) => {
    const known = explain(name);
    if (!known) throw new Error(`${name} is listed and not explained.`);
    const [grpc, second] = ROWS.get(name) ?? [];
    expect(grpc).toBe(known.grpc === undefined || known.grpc === 'OK' ? (known.grpc ?? '–') : `\`${known.grpc}\``);
    if (known.http !== undefined) {
      expect(second).toBe(String(known.http));
      expect(ROWS.get(name)?.[2]).toBe(known.burnsId === true ? 'yes' : 'no');
    }
  });
});
