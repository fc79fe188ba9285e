import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { transformSync } from '@swc/core';
import { ALL_MUTATIONS, mutationNamed } from './all-mutations';
import { edited, EditError, editorFor, type Mutation } from './mutation';

const root = resolve(__dirname, '../../..');

/** Every source that the mutation changes, as the loader compiles it. */
function compiled(mutation: Mutation): string[] {
  const edit = editorFor(mutation, root);
  const files = new Set(mutation.edits.map(({ file }) => join(root, file)));
  return [...files].map((path) => {
    const text = readFileSync(path, 'utf8');
    const changed = edit(path, text);
    expect(changed).not.toBe(text);
    return transformSync(changed, { filename: path, jsc: { target: 'es2022', parser: { syntax: 'typescript' } } }).code;
  });
}

describe('the list of mutations', () => {
  test.each(ALL_MUTATIONS.map((mutation) => [mutation.name, mutation] as const))(
    '%s fits the sources and compiles',
    (_name, mutation) => {
      expect(mutation.edits.every(({ file }) => file.startsWith('src/') && existsSync(join(root, file)))).toBe(true);
      for (const code of compiled(mutation)) expect(code).not.toBe('');
    },
  );

  test('has a name, a source and a sentence for each, and no name twice', () => {
    expect(new Set(ALL_MUTATIONS.map(({ name }) => name)).size).toBe(ALL_MUTATIONS.length);
    for (const { name, source, breaks } of ALL_MUTATIONS) {
      expect(name).toMatch(/^[a-z]+(-[a-z]+)*$/);
      expect(source).not.toBe('');
      expect(breaks).toMatch(/^[A-Z].*\.$/);
    }
  });

  test('is told apart from what is not in it', () => {
    expect(mutationNamed(ALL_MUTATIONS[0]!.name)).toBe(ALL_MUTATIONS[0]);
    expect(() => mutationNamed('no-such-bug')).toThrow('There is no mutation "no-such-bug"');
  });
});

describe('an edit', () => {
  const edit = { file: 'src/a.ts', original: 'a + b', replacement: 'a - b' };

  test('is made where its fragment is, once', () => {
    expect(edited('return a + b;', edit)).toBe('return a - b;');
    const editor = editorFor({ name: 'x', source: 'x', breaks: 'X.', edits: [edit] }, '/root');
    expect(editor('/root/src/a.ts', 'return a + b;')).toBe('return a - b;');
    expect(editor('/root/src/b.ts', 'return a + b;')).toBe('return a + b;');
  });

  test('is refused where the source has moved on', () => {
    expect(() => edited('return b + a;', edit)).toThrow(EditError);
    expect(() => edited('a + b; a + b;', edit)).toThrow('holds this fragment 2 times');
  });
});
