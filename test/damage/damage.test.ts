import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCase } from './damage-case';
import { makeTemplate, type Template } from './template';

/** Some seconds each, most of it waiting; `./scripts/damage --cases 500` is for the nights. */
const SEEDS = [1, 2, 3, 4, 5];
/** Until one of them has hit a run that a snapshot names. */
const SEEDS_OF_RUNS = [8, 9, 10, 11, 12, 13];
const MINUTES = 60_000;

describe('one of three nodes, damaged at rest in one place', () => {
  let folder: string;
  const templates: Template[] = [];
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'ledger-damage-'));
    // The hardest of ./scripts/damage: what was written last is on two nodes, and one of them is damaged.
    templates.push(await makeTemplate(join(folder, 'template'), { stopped: true, lagging: true, trimmed: false }));
  }, 5 * MINUTES);
  afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));

  test.each(SEEDS)(
    'is whole again or refuses with file and byte, and nothing acknowledged is lost: seed %i',
    async (seed) => {
      const { outcome } = await runCase(templates, seed, folder, `npm test -- test/damage -t 'seed ${seed}'`);
      expect(['whole', 'new node', 'ended, then whole', 'refused']).toContain(outcome);
    },
    5 * MINUTES,
  );

  test(
    'in rows of ids, which are read only when somebody asks for them',
    async () => {
      const outcomes = new Set<string>();
      for (const seed of SEEDS_OF_RUNS) {
        const { damage, outcome } = await runCase(templates, seed, folder, 'npm test -- test/damage -t ids', 'run');
        expect(damage.kind).toBe('run');
        outcomes.add(outcome);
        if (outcome === 'ended, then whole') break;
        // One that was written after the last snapshot is not named by any, and is made again at the start.
        expect(outcome).toBe('whole');
      }
      expect(outcomes).toContain('ended, then whole');
    },
    5 * MINUTES,
  );
});
