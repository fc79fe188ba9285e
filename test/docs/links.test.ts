import { existsSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { ROOT, anchors, documents, prose, read } from './documents';

function deadLinks(path: string): string[] {
  const dead: string[] = [];
  for (const [, target = ''] of prose(read(path)).matchAll(/\]\(([^)\s]+)\)/g)) {
    if (/^[a-z]+:/.test(target)) continue;
    const [file = '', anchor] = target.split('#');
    const linked = file === '' ? path : posix.normalize(posix.join(dirname(path), file));
    if (linked.startsWith('..') || !existsSync(join(ROOT, linked))) dead.push(`${target}: there is no such file`);
    else if (anchor !== undefined && linked.endsWith('.md') && !anchors(read(linked)).has(anchor)) {
      dead.push(`${target}: there is no such heading`);
    }
  }
  return dead;
}

describe('links', () => {
  test.each(documents())('of %s lead somewhere', (path) => {
    expect(deadLinks(path)).toEqual([]);
  });

  test('lead to every document in docs/ from its index', () => {
    const index = read('docs/README.md');
    const missing = documents()
      .filter((path) => path.startsWith('docs/') && path !== 'docs/README.md')
      .filter((path) => !index.includes(`](${path.slice('docs/'.length)})`));
    expect(missing).toEqual([]);
  });
});
