import { losePowerEverywhere, type Scenario } from './crash-kit';

const small = Buffer.alloc(40, 1);
const large = Buffer.alloc(1_100, 2);

const scenarios: Record<string, Scenario> = {
  'appending one by one': async (log) => {
    for (let i = 0; i < 5; i++) {
      log.append(i % 2 === 0 ? small : large);
      await log.sync();
    }
  },

  'appending many at once': async (log) => {
    for (let i = 0; i < 6; i++) log.append(small);
    await log.sync();
    for (let i = 0; i < 3; i++) log.append(large);
    await log.sync();
  },

  'a segment that is full, and the next ones (pitfall 19)': async (log) => {
    for (let i = 0; i < 7; i++) {
      log.append(large);
      if (i % 3 === 0) await log.sync();
    }
    await log.sync();
  },

  'a batch larger than any segment': async (log) => {
    log.append(small);
    log.append(Buffer.alloc(9_000, 3));
    log.append(small);
    await log.sync();
  },

  'truncating a suffix within a segment': async (log) => {
    for (let i = 0; i < 5; i++) log.append(small);
    await log.sync();
    await log.truncateSuffix(3);
    log.append(large);
    await log.sync();
  },

  'truncating a suffix across segments (pitfall 21)': async (log) => {
    for (let i = 0; i < 9; i++) {
      log.append(large);
      await log.sync();
    }
    const truncated = log.truncateSuffix(3);
    log.append(small);
    log.append(large);
    await truncated;
    await log.sync();
  },

  'truncating everything': async (log) => {
    for (let i = 0; i < 4; i++) log.append(large);
    await log.sync();
    const truncated = log.truncateSuffix(1);
    log.append(small);
    await Promise.all([truncated, log.sync()]);
  },

  'truncating what is not written yet, twice': async (log) => {
    for (let i = 0; i < 4; i++) log.append(large);
    const first = log.truncateSuffix(4);
    log.append(small);
    const second = log.truncateSuffix(2);
    log.append(small);
    await Promise.all([first, second, log.sync()]);
  },

  'a new segment because of the age of the last one, and entries behind it': async (log) => {
    log.append(small);
    await log.roll();
    const rolled = [log.roll(), log.sync()];
    log.append(small);
    await Promise.all(rolled);
    await log.roll();
    log.append(Buffer.alloc(9_000, 3));
    await log.sync();
    await log.roll();
    await log.truncatePrefix(3);
    log.append(small);
    await log.sync();
  },

  'truncating what is before a segment that just began': async (log) => {
    for (let i = 0; i < 3; i++) log.append(small);
    await Promise.all([log.roll(), log.truncateSuffix(2)]);
    log.append(large);
    await log.sync();
  },

  'truncating a prefix across segments': async (log) => {
    for (let i = 0; i < 8; i++) log.append(large);
    await log.sync();
    await log.truncatePrefix(6);
    log.append(small);
    await log.sync();
  },

  'beginning anew behind a snapshot': async (log) => {
    for (let i = 0; i < 5; i++) log.append(large);
    await log.sync();
    const reset = log.reset(40);
    log.append(small);
    await Promise.all([reset, log.sync()]);
  },

  'beginning anew with the name of a segment that is there': async (log) => {
    for (let i = 0; i < 5; i++) log.append(large);
    await log.sync();
    await log.reset(log.log.segmentViews().at(-1)!.firstIndex - 1);
    log.append(large);
    await log.sync();
  },
};

/** Each scenario is cut off at every operation on files and names; see crash-kit.ts. */
describe('power lost at any moment of', () => {
  test.each(Object.keys(scenarios))(
    '%s leaves the log as it was at a moment since the last acknowledgement',
    async (name) => {
      expect(await losePowerEverywhere(scenarios[name]!)).toBeGreaterThan(20);
    },
  );
});
