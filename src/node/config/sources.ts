import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { OPTIONS, environmentName, type OptionSpec } from './option-table';
import type { RawOptions } from './node-config';
import { OptionError } from './units';

const MAX_CONFIG_FILE_BYTES = 1 << 20;
const byName = new Map(OPTIONS.map((option) => [option.name, option]));

/**
 * Brings the sources of configuration together: flag, environment, configuration file, default, in that order of precedence.
 * Whatever is unknown, of the wrong type or not built yet is an `OptionError` that names where it stood.
 */
export function mergeSources(
  flags: RawOptions,
  environment: Readonly<Record<string, string | undefined>>,
  file: string | undefined,
): RawOptions {
  const merged: Record<string, string | boolean> = {};
  for (const option of OPTIONS) if (option.default !== undefined) merged[option.name] = option.default;
  if (file !== undefined) Object.assign(merged, readFile(file));
  Object.assign(merged, readEnvironment(environment));
  for (const [name, value] of Object.entries(flags)) {
    refuseUnbuilt(name, `--${name}`);
    merged[name] = value;
  }
  return merged;
}

function refuseUnbuilt(name: string, where: string): OptionSpec {
  const option = byName.get(name);
  if (!option) throw new OptionError(`${where}: unknown option; see ledger-node --help`);
  if (option.notBuilt !== undefined) throw new OptionError(`${where}: ${option.notBuilt}`);
  return option;
}

function readEnvironment(environment: Readonly<Record<string, string | undefined>>): RawOptions {
  const found: Record<string, string | boolean> = {};
  for (const option of OPTIONS) {
    const variable = environmentName(option.name);
    const text = environment[variable];
    if (text === undefined || text === '') continue;
    refuseUnbuilt(option.name, variable);
    found[option.name] = option.kind === 'switch' ? toBoolean(text, variable) : text;
  }
  const known = new Set([...OPTIONS.map((option) => environmentName(option.name)), environmentName('config-file')]);
  for (const variable of Object.keys(environment)) {
    if (variable.startsWith('LEDGER_NODE_') && !known.has(variable)) {
      throw new OptionError(`${variable}: unknown option in the environment; see ledger-node --help`);
    }
  }
  return found;
}

function toBoolean(text: string, where: string): boolean {
  if (/^(1|true|yes|on)$/i.test(text)) return true;
  if (/^(0|false|no|off)$/i.test(text)) return false;
  throw new OptionError(`${where}: "${text}" is neither true nor false`);
}

function readFile(file: string): RawOptions {
  let content: unknown;
  try {
    const text = readFileSync(file, 'utf8');
    if (text.length > MAX_CONFIG_FILE_BYTES) throw new Error('it is larger than 1 MiB');
    content = parse(text);
  } catch (error) {
    throw new OptionError(
      `--config-file ${file}: cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  if (content === null || content === undefined) return {};
  if (typeof content !== 'object' || Array.isArray(content)) {
    throw new OptionError(`--config-file ${file}: expected keys with values, such as "node-name: node-1"`);
  }
  const found: Record<string, string | boolean> = {};
  for (const [key, value] of Object.entries(content)) {
    const name = key.replaceAll('_', '-');
    const option = refuseUnbuilt(name, `${file}: ${key}`);
    found[name] = fileValue(option, value, `${file}: ${key}`);
  }
  return found;
}

function fileValue(option: OptionSpec, value: unknown, where: string): string | boolean {
  if (option.kind === 'switch') {
    if (typeof value === 'boolean') return value;
    throw new OptionError(`${where}: expected true or false`);
  }
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return String(value);
  // YAML 1.1 habits: an unquoted `off` may arrive as false.
  if (value === false) return 'off';
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value.join(',');
  throw new OptionError(`${where}: expected a text or a number`);
}
