import type { SnapshotMeta } from '../../src/raft/core';
import type { Replica } from '../../src/raft/replica/replica';
import type { SimNode } from './sim-node';
import { violated } from './violation';

/** A snapshot takes the place of an older state, never of one that is as new (dissertation 5.3). Called when its installation begins. */
export function expectNewer({ name }: SimNode, { index }: SnapshotMeta, replica: Replica): void {
  const { commit } = replica.status();
  const known = Math.max(commit, replica.appliedIndex);
  if (index > known) return;
  violated('snapshots lead forward', `${name} is to install the snapshot of ${index}, and has committed ${known}`);
}
