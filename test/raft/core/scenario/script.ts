import { COMMANDS, type Words } from './scenario-commands';
import { ScenarioCluster } from './scenario-cluster';

const WORD = /([a-z-]+)=\(([^)]*)\)|([a-z-]+)=(\S+)|(\S+)/g;
/** What the last run printed stands behind this, one line for one line. */
const OUTPUT = '  | ';

function wordsOf(line: string): { readonly name: string; readonly words: Words } {
  const plain: string[] = [];
  const named = new Map<string, string>();
  for (const [, list, values, key, value, word] of line.matchAll(WORD)) {
    if (list !== undefined) named.set(list, values ?? '');
    else if (key !== undefined) named.set(key, value ?? '');
    else plain.push(word as string);
  }
  return { name: plain.shift() ?? '', words: { plain, named } };
}

/** The script with what comes of each of its commands; what it had there before is left out. Throws at a fault of the script. */
export function played(text: string): string {
  const cluster = new ScenarioCluster();
  const lines: string[] = [];
  for (const [at, line] of text.split('\n').entries()) {
    if (line.startsWith(OUTPUT.trimEnd())) continue;
    lines.push(line);
    if (line.trim() === '' || line.startsWith('#')) continue;
    const { name, words } = wordsOf(line);
    const command = COMMANDS[name];
    if (!command) throw new Error(`line ${at + 1}: "${name}" is no command of a scenario`);
    try {
      lines.push(...command(cluster, words).map((output) => `${OUTPUT}${output}`.trimEnd()));
    } catch (error) {
      throw new Error(`line ${at + 1}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
  }
  return lines.join('\n');
}
