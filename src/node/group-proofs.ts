import type { LogStore } from '../log/log-store';
import { systemClock } from '../raft/replica/environment';
import type { GroupOptions } from './group-options';
import type { LedgerMachine } from './ledger-machine';
import type { ProjectionFeed } from './projection-feed';
import { TransferProofs } from './transfer-proofs';

interface ProvenGroup {
  readonly id: number;
  readonly log: Pick<LogStore, 'indexOfOffset'>;
  readonly machine: Pick<LedgerMachine, 'history' | 'nextOffset'>;
  readonly projectionFeed: Pick<ProjectionFeed, 'fetch'>;
}

/** What makes proofs of a group's transfers; undefined on a node without a key. */
export function proofsOf(
  { data, key }: GroupOptions,
  { id: group, log, machine, projectionFeed }: ProvenGroup,
): TransferProofs | undefined {
  if (!key) return undefined;
  return new TransferProofs({
    ...{ group, log, key: key.privateKey, nodeId: data.nodeId },
    clusterId: () => data.clusterId,
    tree: () => machine.history.tree,
    nextOffset: () => machine.nextOffset,
    load: async (fromIndex, maxBytes) => (await projectionFeed.fetch(fromIndex, maxBytes)).batches,
    nowMicros: () => systemClock.wallMicros(),
  });
}
