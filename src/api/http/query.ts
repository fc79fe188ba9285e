/** What the query of a read says. */
import { invalid } from '../errors';
import { type Consistency } from '../node-port';
import { atLeast } from '../reads';

/** Parameters of every read that states how new it must be. */
export const CONSISTENCY: readonly string[] = ['consistency', 'token', 'max_staleness_ms'];

/** The names that the query of a call may have. */
export interface QueryNames {
  readonly once: readonly string[];
  /** Those that may be given several times. */
  readonly lists?: readonly string[];
}

export const NO_PARAMETERS: QueryNames = { once: [] };
export const CONSISTENCY_ONLY: QueryNames = { once: CONSISTENCY };

/** A parameter that is misspelt, that belongs to another path, or that stands beside itself, must not pass for none. */
export function refuseUnknownParameters(query: URLSearchParams, { once, lists = [] }: QueryNames): void {
  for (const name of query.keys()) {
    if (lists.includes(name)) continue;
    if (!once.includes(name)) {
      const known = [...once, ...lists];
      const those = known.length === 0 ? '; this call takes none' : `, only ${known.join(', ')}`;
      throw invalid(name, 'QUERY_INVALID', `There is no parameter ${quoted(name)} here${those}.`);
    }
    if (query.getAll(name).length > 1) throw invalid(name, 'QUERY_INVALID', `${name} is given more than once.`);
  }
}

/** Longest part of a caller's own word that is given back: what there is instead is to fit behind it. */
const MAX_QUOTED = 64;

export function quoted(word: string): string {
  return JSON.stringify(word.length > MAX_QUOTED ? `${word.slice(0, MAX_QUOTED)}…` : word);
}

/** `?consistency=linearizable|at_least|stale&token=…&max_staleness_ms=…`; a token alone means at_least. */
export function consistencyOf(query: URLSearchParams): Consistency {
  const token = query.get('token') ?? '';
  const level = query.get('consistency') ?? (token === '' ? 'linearizable' : 'at_least');
  switch (level.toLowerCase()) {
    case 'linearizable':
      return { level: 'LINEARIZABLE' };
    case 'at_least':
      return atLeast(token);
    case 'stale':
      return { level: 'STALE', maxStalenessMs: wholeNumber(query, 'max_staleness_ms') };
    default: {
      const message = `consistency is linearizable, at_least or stale, not ${JSON.stringify(level)}.`;
      throw invalid('consistency', 'CONSISTENCY_INVALID', message);
    }
  }
}

/** A parameter that is a whole number of at most 15 digits; 0 where it is absent. */
export function wholeNumber(query: URLSearchParams, name: string): number {
  const value = query.get(name) ?? '0';
  if (!/^\d{1,15}$/.test(value)) {
    throw invalid(name, 'QUERY_INVALID', `${name} is a whole number, not ${JSON.stringify(value)}.`);
  }
  return Number(value);
}
