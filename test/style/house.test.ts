import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import { complaintsAbout, MAX_LINES } from './house-style';

const root = resolve(__dirname, '../..');

function sourcesBelow(folder: string): string[] {
  const top = join(root, folder);
  if (!existsSync(top)) return [];
  return readdirSync(top, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.[cm]?[jt]sx?$/.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'));
}

describe('the house style', () => {
  test.each(['src', 'test', 'scripts', 'examples', 'vendor'])('%s/ keeps it', (folder) => {
    const complaints = sourcesBelow(folder)
      .filter((path) => !path.startsWith('test/style/'))
      .flatMap((path) => complaintsAbout(path, readFileSync(join(root, path), 'utf8')));
    expect(complaints).toEqual([]);
  });
});

describe('the checker of the house style', () => {
  test('says nothing about a good file', () => {
    expect(complaintsAbout('src/log/segment.ts', 'export const commonPrefix = 1;\n'.repeat(MAX_LINES))).toEqual([]);
  });

  test('counts lines', () => {
    expect(complaintsAbout('src/log/segment.ts', 'x\n'.repeat(MAX_LINES + 1))).toEqual([
      'src/log/segment.ts: 301 lines, at most 300 are allowed; take one idea out.',
    ]);
    expect(complaintsAbout('src/log/segment.ts', 'x\n'.repeat(MAX_LINES) + 'x')).toHaveLength(1);
  });

  test.each(['src/utils/a.ts', 'src/log/log-helpers.ts', 'src/common.ts', 'src/log/Util.ts'])('refuses %s', (path) => {
    expect(complaintsAbout(path, '')).toEqual([expect.stringContaining('name the idea')]);
  });

  test.each([
    ['// TODO: later', 'open an issue'],
    ['/* FIXME */', 'open an issue'],
    ['// eslint-disable-next-line', 'silencing'],
    ['// @ts-ignore', 'silencing'],
    ['// @ts-expect-error', 'silencing'],
    ['test.skip("x", () => {})', 'tests nothing'],
    ['describe.only("x", () => {})', 'tests nothing'],
    ['xit("x", () => {})', 'tests nothing'],
  ])('refuses %j and names the line', (line, advice) => {
    const complaints = complaintsAbout('src/log/segment.ts', `fine\n${line}\n`);
    expect(complaints).toEqual([expect.stringContaining(advice)]);
    expect(complaints[0]).toContain('src/log/segment.ts:2: ');
  });
});
