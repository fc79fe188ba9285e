/** What the house style says of one source file, beyond what ESLint can see. */

export const MAX_LINES = 300;

/** A name that says where something was put instead of what it is. */
const EMPTY_NAMES = new Set(['util', 'utils', 'utilities', 'helper', 'helpers', 'common', 'misc', 'shared']);

/** Spelled apart so that this file does not complain about itself. */
const UNFINISHED = new RegExp(`\\b(${['TO' + 'DO', 'FIX' + 'ME', 'HA' + 'CK', 'XX' + 'X'].join('|')})\\b`);
const SILENCED = new RegExp(
  ['eslint' + '-disable', '@ts' + '-ignore', '@ts' + '-nocheck', '@ts' + '-expect-error'].join('|'),
);
const NOT_RUN = /\b(it|test|describe)\.(skip|only|todo)\b|\bx(it|test|describe)\(|\bf(it|describe)\(/;

/**
 * @param path relative to the repository, with `/` between its parts
 * @param text the whole file
 * @returns one complaint a fault, each with the path, the line where there is one, and what to do
 */
export function complaintsAbout(path: string, text: string): string[] {
  return [...complaintsAboutName(path), ...complaintsAboutLength(path, text), ...complaintsAboutLines(path, text)];
}

function complaintsAboutName(path: string): string[] {
  return path
    .split('/')
    .filter((part) => part.split(/[^A-Za-z]/).some((word) => EMPTY_NAMES.has(word.toLowerCase())))
    .map((part) => `${path}: the name "${part}" does not say what is in it; name the idea.`);
}

function complaintsAboutLength(path: string, text: string): string[] {
  const lines = text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
  return lines <= MAX_LINES ? [] : [`${path}: ${lines} lines, at most ${MAX_LINES} are allowed; take one idea out.`];
}

function complaintsAboutLines(path: string, text: string): string[] {
  const rules: [RegExp, string][] = [
    [UNFINISHED, 'finish it or open an issue'],
    [SILENCED, 'mend what the checker found instead of silencing it'],
    [NOT_RUN, 'a test that is not run tests nothing'],
  ];
  return text.split('\n').flatMap((line, i) =>
    rules.flatMap(([pattern, advice]) => {
      const found = pattern.exec(line);
      return found ? [`${path}:${i + 1}: "${found[0]}": ${advice}.`] : [];
    }),
  );
}
