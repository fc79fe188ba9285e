import { join } from 'node:path';
import { FAULT_KINDS } from './fault-plan';
import { main } from './main';
import { Simulation } from './simulation';

const SEEDS = 15;
const SECONDS = 8;

/** SIMULATE_SEED=N starts elsewhere; `./scripts/simulate` runs many more. */
const first = Number(process.env.SIMULATE_SEED ?? 1);

const run = (seed: number, seconds: number) => new Simulation({ seed, nodes: seed % 2 === 1 ? 3 : 5, seconds }).run();

describe('a simulated cluster', () => {
  test.each(Array.from({ length: SEEDS }, (_, at) => first + at))('keeps its promises with seed %i', async (seed) => {
    const output: string[] = [];
    const status = await main(['--seed', String(seed), '--seconds', String(SECONDS)], (text) => output.push(text));
    expect(status === 0 ? '' : output.join('')).toBe('');
  });

  test('does the same again with the same seed, and something else with another', async () => {
    const one = await run(first, 6);
    const again = await run(first, 6);
    const other = await run(first + 2, 6);
    expect(again.hash).toBe(one.hash);
    expect(again.events).toBe(one.events);
    expect(other.hash).not.toBe(one.hash);
  });

  test('is hurt in many ways, and gets something done', async () => {
    const { faults, history, elections } = await run(first, 20);
    expect(faults.entries().length).toBeGreaterThan(5);
    expect(elections).toBeGreaterThan(1);
    expect(history.acknowledged).toBeGreaterThan(20);
    expect(history.reads).toBeGreaterThan(0);
  });
});

describe('the command', () => {
  const script = join(__dirname, '../../scripts/simulate.cjs');
  const output = async (...argv: string[]) => {
    const printed: string[] = [];
    const status = await main(argv, (text) => printed.push(text), script);
    return { status, text: printed.join('') };
  };

  test('says how it is used where it is used otherwise', async () => {
    expect(await output('--nodes', '4')).toEqual({
      status: 2,
      text: expect.stringContaining('3 or 5 nodes') as string,
    });
    expect(await output('--seed', 'x')).toMatchObject({ status: 2 });
    expect((await output('--what')).text).toContain('usage: ./scripts/simulate');
  });

  test('prints the same, however many processes work for it', async () => {
    const alone = await output('--seed', '2', '--seeds', '3', '--seconds', '1');
    expect(await output('--seed', '2', '--seeds', '3', '--seconds', '1', '--jobs', '2')).toEqual(alone);
    expect(alone.text).toContain('  3 seeds\n');
  });

  test('leaves out the kinds of faults that it is told to', async () => {
    const { faults } = await new Simulation({ seed: first, nodes: 3, seconds: 8, without: FAULT_KINDS }).run();
    // A simulated cluster begins under the first rules, and its members know newer ones: that is no fault.
    const usual = ['snapshot installed', 'rules switched on'];
    expect(faults.entries().filter(([kind]) => !usual.includes(kind))).toEqual([]);
    expect(await output('--without', 'rain')).toMatchObject({ status: 2 });
  });

  test('prints the digest of one run', async () => {
    const { status, text } = await output('--seed', '3', '--seconds', '1');
    expect(status).toBe(0);
    expect(text).toMatch(/^seed 3, 3 nodes: trace [0-9a-f]{64}\nclean/);
  });
});
