import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

/** A process of its own runs what `npm run build` made of a source file of the projection. */
export function compiled(file: 'main' | 'process'): string {
  const path = resolve(__dirname, `../../../dist/ledger/projection/${file}.js`);
  if (!existsSync(path)) throw new Error(`${path} is not there: run npm run build first.`);
  return path;
}
