import type { HardState } from '../../../src/raft/core/types';
import { LevelStableStore } from '../../../src/raft/stable';
import { KeyValuesError } from '../../../src/raft/stable/key-values';
import { FaultyFiles } from '../../support/faulty-files';
import type { Survival } from '../../support/faulty-inode';
import { SeededRandom } from '../../support/seeded-random';
import { FileKeyValues } from './file-key-values';
import { IDENTITY, OTHER_ID } from './stable-store-contract';

/** Repeat a failure with the seed that it names: VOTE_SEED=… npx jest test/raft/stable/vote-power-loss */
const SEED = Number(process.env['VOTE_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

function openOn(files: FaultyFiles): Promise<LevelStableStore> {
  return LevelStableStore.open({ dataDir: '/data', files, openKeyValues: () => FileKeyValues.open(files) });
}

/** Votes until the power is gone; tells what was answered last and what was under way. */
async function voteUntilTheEnd(
  files: FaultyFiles,
  from: HardState,
): Promise<{ answered: HardState; underWay: HardState }> {
  let [answered, underWay] = [from, from];
  try {
    const store = await openOn(files);
    if (store.identity === undefined) await store.initialise(IDENTITY);
    if (!store.groups().includes(0)) await store.createGroup(0);
    for (let term = from.term + 1; term <= from.term + 4; term++) {
      underWay = { term, vote: term % 2 === 0 ? OTHER_ID : '' };
      await store.saveHardState(0, underWay);
      answered = underWay;
    }
  } catch (error) {
    expect(String((error as Error).message)).toMatch(/power/i);
  }
  return { answered, underWay };
}

async function surviveLoss(operation: number, survival: Survival, again: Survival): Promise<void> {
  const files = new FaultyFiles();
  files.losePowerAfter(operation);
  let last = await voteUntilTheEnd(files, { term: 0, vote: '' });
  // A second life, which the power leaves early, too: what was only read again must not be forgotten after all.
  const second = files.afterPowerLoss(survival);
  second.losePowerAfter(operation % 7);
  const before = last;
  last = await voteUntilTheEnd(second, await newestOf(second, last.answered));
  const third = await openOn(second.afterPowerLoss(again));
  if (!third.groups().includes(0)) {
    expect(before.answered).toEqual({ term: 0, vote: '' });
    return;
  }
  const state = third.voteState(0);
  const where = `loss at operation ${operation}`;
  if (state.kind === 'doubtful') throw new Error(`${where}: ${state.why}`);
  expect([where, state.hardState.term >= last.answered.term]).toEqual([where, true]);
  expect([before.answered, before.underWay, last.answered, last.underWay]).toContainEqual(state.hardState);
  await third.close();
}

/** What the second life goes on from: the last vote answered, or the one under way where it was kept. */
async function newestOf(files: FaultyFiles, answered: HardState): Promise<HardState> {
  const store = await openOn(files.afterPowerLoss('everything'));
  const state = store.groups().includes(0) ? store.voteState(0) : undefined;
  await store.close();
  return state?.kind === 'ok' && state.hardState.term > answered.term ? state.hardState : answered;
}

describe(`loss of power (VOTE_SEED=${SEED})`, () => {
  const random = new SeededRandom(SEED);

  test.each<[string, () => Survival]>([
    ['nothing that was not synced survives', () => 'nothing'],
    ['everything survives', () => 'everything'],
    ['some sectors and names survive', () => random],
  ])('%s: no answered vote is forgotten, none is doubted', async (_what, survival) => {
    const whole = new FaultyFiles();
    await voteUntilTheEnd(whole, { term: 0, vote: '' });
    for (let operation = 0; operation <= whole.operations; operation++) {
      for (let round = 0; round < 4; round++) await surviveLoss(operation, survival(), survival());
    }
  });
});

test('a vote is not answered before both copies are synced (a vote that is answered first is given twice after a loss of power)', async () => {
  const files = new FaultyFiles();
  const store = await openOn(files);
  await store.initialise(IDENTITY);
  await store.createGroup(0);
  for (const held of ['/db/content.tmp', '/data/groups/0/vote']) {
    let open: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (open = resolve));
    let reached: () => void = () => undefined;
    const syncing = new Promise<void>((resolve) => (reached = resolve));
    files.intercept = (operation, path) => {
      if (path !== held || !operation.endsWith('sync')) return;
      reached();
      return gate;
    };
    const before = store.voteState(0);
    let answered = false;
    const term = (before.kind === 'ok' ? before.hardState.term : 0) + 1;
    const save = store.saveHardState(0, { term, vote: OTHER_ID }).then(() => (answered = true));
    await syncing;
    await new Promise((resolve) => setImmediate(resolve));
    expect([answered, store.voteState(0)]).toEqual([false, before]);
    open();
    await save;
    expect(store.voteState(0)).toEqual({ kind: 'ok', hardState: { term, vote: OTHER_ID } });
  }
  await store.close();
});

test('what a killed process left unsynced is synced before anybody relies on it', async () => {
  const files = new FaultyFiles();
  const disk = { full: false };
  const open = () =>
    LevelStableStore.open({
      dataDir: '/data',
      files,
      openKeyValues: async () => {
        const content = await FileKeyValues.open(files);
        const write = content.write.bind(content);
        content.write = async (changes) => {
          if (disk.full) throw new KeyValuesError('full', 'No space left on device', {});
          await write(changes);
        };
        return content;
      },
    });
  const killed = await open();
  await killed.initialise(IDENTITY);
  await killed.createGroup(0);
  disk.full = true;
  await killed.saveHardState(0, { term: 1, vote: '' });
  files.intercept = (operation, path) => {
    if (operation === 'datasync' && path.endsWith('vote')) throw new Error('killed');
  };
  await expect(killed.saveHardState(0, { term: 2, vote: OTHER_ID })).rejects.toThrow(/killed/);
  files.intercept = undefined;
  // Started again while the system still has the write in memory: it is read, and may be answered with from now on.
  const seen = (await open()).voteState(0);
  expect(seen).toEqual({ kind: 'ok', hardState: { term: 2, vote: OTHER_ID } });
  const afterLoss = await openOn(files.afterPowerLoss('nothing'));
  expect(afterLoss.voteState(0)).toEqual(seen);
});
