import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { DamageFailure, runCase } from './damage-case';
import { makeTemplate, type Template, type TemplateKind } from './template';

const HELP = `Damages one file of one of three nodes at rest, starts all of them, and checks that nothing acknowledged is lost.

  --cases N   how many damages (default 20)
  --seed N    the first of them (default 1); with --cases 1 it repeats one
  --kind K    only files of one kind: segment, outcomes, spare, snapshot, vote, database, run, index, other
`;

export const TEMPLATES: readonly TemplateKind[] = [
  { stopped: true, lagging: true, trimmed: false },
  { stopped: false, lagging: false, trimmed: false },
  { stopped: true, lagging: false, trimmed: true },
  { stopped: false, lagging: true, trimmed: true },
];

/** @returns the exit status */
export async function main(argv: readonly string[], print: (text: string) => void): Promise<number> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      cases: { type: 'string' },
      seed: { type: 'string' },
      kind: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) {
    print(HELP);
    return 0;
  }
  const [cases, first] = [Number(values.cases ?? 20), Number(values.seed ?? 1)];
  if (!Number.isSafeInteger(cases) || cases < 1 || !Number.isSafeInteger(first) || first < 0) {
    print(HELP);
    return 2;
  }
  const folder = mkdtempSync(join(tmpdir(), 'ledger-damage-'));
  try {
    return await runCases(folder, { first, cases, kind: values.kind }, print);
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

interface Cases {
  readonly first: number;
  readonly cases: number;
  readonly kind: string | undefined;
}

async function runCases(folder: string, { first, cases, kind }: Cases, print: (text: string) => void): Promise<number> {
  const templates: Template[] = [];
  for (const [at, kind] of TEMPLATES.entries())
    templates.push(await makeTemplate(join(folder, `template-${at}`), kind));
  const counts = new Map<string, number>();
  let failures = 0;
  for (let seed = first; seed < first + cases; seed++) {
    const again = `./scripts/damage --seed ${seed} --cases 1${kind === undefined ? '' : ` --kind ${kind}`}`;
    try {
      const { damage, outcome, template, victim } = await runCase(templates, seed, folder, again, kind);
      print(`seed ${seed} (${template}): node-${victim + 1} ${damage.file} ${damage.what}: ${outcome}\n`);
      const key = `${damage.kind}: ${outcome}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    } catch (error) {
      if (!(error instanceof DamageFailure)) throw error;
      failures += 1;
      print(`FAILED ${error.message}\n`);
    }
  }
  for (const [key, count] of [...counts].sort()) print(`${String(count).padStart(6)}  ${key}\n`);
  print(`${cases} damages, ${failures} broken promises\n`);
  return failures === 0 ? 0 : 1;
}
