import { Chaos } from './chaos';

const RUNS = 300;
const UNITS = 250;
const only = process.env['RAFT_SEED'];

/** All of Raft's invariants are checked after each event; see invariants.ts. */
describe('random histories', () => {
  test('keep every invariant, and the cluster recovers from each', () => {
    const seeds = only === undefined ? Array.from({ length: RUNS }, (_, n) => n + 1) : [Number(only)];
    let confirmedReads = 0;
    let commits = 0;
    for (const seed of seeds) {
      try {
        const chaos = new Chaos(seed);
        chaos.run(UNITS);
        confirmedReads += chaos.confirmedReads;
        commits += chaos.cluster.invariants.commit;
      } catch (error) {
        throw new Error(`Repeat with: RAFT_SEED=${seed} npx jest test/raft/core/random`, { cause: error });
      }
    }
    if (only === undefined) {
      // Histories in which nothing happens would prove nothing.
      expect(commits).toBeGreaterThan(RUNS * 20);
      expect(confirmedReads).toBeGreaterThan(RUNS);
    }
  });
});
