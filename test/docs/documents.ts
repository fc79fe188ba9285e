import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';

export const ROOT = resolve(__dirname, '..', '..');

/** Every document that belongs to the product, by its path from the root. */
export function documents(): string[] {
  const top = readdirSync(ROOT).filter((name) => name.endsWith('.md'));
  const below = ['docs', 'examples', 'proto'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.md'))
      .map((name) =>
        relative(ROOT, join(ROOT, folder, name))
          .split(sep)
          .join('/'),
      ),
  );
  return [...top, ...below].sort();
}

export function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

export interface Fence {
  /** What stands behind the three backticks: `sh run`. */
  readonly info: string;
  readonly text: string;
  /** Of the opening backticks, from 1. */
  readonly line: number;
}

export function fences(markdown: string): Fence[] {
  const found: Fence[] = [];
  let open: { info: string; lines: string[]; line: number } | undefined;
  for (const [at, line] of markdown.split('\n').entries()) {
    const mark = /^```(.*)$/.exec(line);
    if (!mark) open?.lines.push(line);
    else if (open) {
      found.push({ info: open.info, text: open.lines.join('\n'), line: open.line });
      open = undefined;
    } else open = { info: (mark[1] ?? '').trim(), lines: [], line: at + 1 };
  }
  if (open) throw new Error(`The block that begins in line ${open.line} has no end.`);
  return found;
}

/** The document without its blocks of code: what looks like a link there is none. */
export function prose(markdown: string): string {
  return markdown.replace(/^```[\s\S]*?^```$/gm, '').replace(/`[^`\n]*`/g, '');
}

/** The anchors that its headings give, as GitHub makes them. */
export function anchors(markdown: string): Set<string> {
  const found = new Set<string>();
  for (const [, heading = ''] of markdown.replace(/^```[\s\S]*?^```$/gm, '').matchAll(/^#{1,6} (.+)$/gm)) {
    const name = heading
      .trim()
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replace(/\s/g, '-');
    let anchor = name;
    for (let n = 1; found.has(anchor); n++) anchor = `${name}-${n}`;
    found.add(anchor);
  }
  return found;
}
