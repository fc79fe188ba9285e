import { CLIENT_MUTATIONS } from './clients';
import { COMMIT_MUTATIONS } from './commitment';
import { DISK_MUTATIONS } from './disk';
import { MEMBERSHIP_MUTATIONS } from './membership';
import type { Mutation } from './mutation';
import { READ_MUTATIONS } from './reads';
import { REPLICATION_MUTATIONS } from './replication';
import { ROT_MUTATIONS } from './rot';
import { SNAPSHOT_MUTATIONS } from './snapshots';
import { VOTE_MUTATIONS } from './votes';

/** Every bug that the simulator has to find; `./scripts/simulate --prove` puts in one after the other. */
export const ALL_MUTATIONS: readonly Mutation[] = [
  ...VOTE_MUTATIONS,
  ...COMMIT_MUTATIONS,
  ...REPLICATION_MUTATIONS,
  ...READ_MUTATIONS,
  ...DISK_MUTATIONS,
  ...ROT_MUTATIONS,
  ...SNAPSHOT_MUTATIONS,
  ...MEMBERSHIP_MUTATIONS,
  ...CLIENT_MUTATIONS,
];

/** @throws RangeError where there is none of this name */
export function mutationNamed(name: string): Mutation {
  const found = ALL_MUTATIONS.find((mutation) => mutation.name === name);
  if (found) return found;
  const names = ALL_MUTATIONS.map((mutation) => mutation.name).join('\n  ');
  throw new RangeError(`There is no mutation "${name}". There are:\n  ${names}`);
}
