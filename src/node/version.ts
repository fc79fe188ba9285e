import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { types } from 'node:util';

/** The version in package.json, found above this file both in the sources and in what is built of them. */
export function programVersion(): string {
  for (let dir = __dirname; ; dir = dirname(dir)) {
    try {
      const content: unknown = JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8'));
      if (typeof content === 'object' && content !== null && 'version' in content) return String(content.version);
    } catch (error) {
      const missing = types.isNativeError(error) && 'code' in error && error.code === 'ENOENT';
      if (!missing || dirname(dir) === dir) throw error;
    }
  }
}
