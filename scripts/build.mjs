/**
 * `npm run build`: compiles src/ to dist/, removes from dist/ what no longer has a source, and makes the commands
 * executable. dist/ is never emptied first: a cluster started from it keeps running while it is built again.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(root, 'dist');
const COMPILED = /(\.d\.ts|\.js)(\.map)?$/;

function removeOrphans() {
  if (!existsSync(dist)) return;
  for (const entry of readdirSync(dist, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const base = relative(dist, path).replace(COMPILED, '');
    const source = join(root, 'src', base);
    if (entry.isFile() && COMPILED.test(entry.name) && !existsSync(`${source}.ts`)) rmSync(path);
  }
}

function markExecutable() {
  const { bin } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  for (const path of Object.values(bin)) {
    if (existsSync(join(root, path))) chmodSync(join(root, path), 0o755);
  }
}

removeOrphans();
const compiled = spawnSync(
  process.execPath,
  [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', join(root, 'tsconfig.json')],
  { stdio: 'inherit' },
);
markExecutable();
process.exit(compiled.status ?? 1);
