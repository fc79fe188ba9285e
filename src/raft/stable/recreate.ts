import { join } from 'node:path';
import { groupFolders } from './group-folders';
import { LevelKeyValues, type Change } from './key-values';
import { LevelStableStore, type LevelStableStoreOptions } from './level-stable-store';
import { encodeRecord, groupKey, IDENTITY_KEY, STABLE_FORMAT_VERSION } from './stable-records';
import { StableStoreError, type NodeIdentity } from './stable-store';
import type { VoteOwner } from './vote-owner';

/**
 * A new database in place of one that was lost (and is gone from `stable/`): for another node, with the groups that are there
 * and no vote in any of them. In one write; a crash behind it is found by the older incarnation in the vote files.
 * @param before by the vote files: `identity` is of its cluster, and has another id
 */
export async function recreateStable(
  options: LevelStableStoreOptions,
  identity: NodeIdentity,
  before: VoteOwner,
): Promise<LevelStableStore> {
  const { dataDir, files, openKeyValues = (directory: string) => LevelKeyValues.open(directory) } = options;
  const database = await openKeyValues(join(dataDir, 'stable'));
  try {
    if ((await database.entries()).length > 0) {
      throw new StableStoreError('ALREADY_INITIALISED', `The database in ${dataDir} is not empty: it is not replaced.`);
    }
    const incarnation = before.incarnation + 1;
    const record = { ...identity, formatVersion: STABLE_FORMAT_VERSION, incarnation };
    const votes = (await groupFolders(files, dataDir)).map((group): Change => {
      const key = groupKey(group, 'vote');
      return [key, encodeRecord(key, { sequence: 1, hardState: { term: before.term, vote: '' } })];
    });
    await database.write([[IDENTITY_KEY, encodeRecord(IDENTITY_KEY, record)], ...votes]);
  } finally {
    await database.close();
  }
  return LevelStableStore.open(options);
}
