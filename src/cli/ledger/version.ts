import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Three levels up from src/cli/ledger and from dist/cli/ledger alike. */
const PACKAGE = join(__dirname, '..', '..', '..', 'package.json');

export function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(PACKAGE, 'utf8')) as { version: string };
  return version;
}
