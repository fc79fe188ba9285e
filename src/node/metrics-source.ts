import { RESULT_CODE_COUNT, resultName } from '../ledger/result-codes';
import type { GroupRuntime } from './group-runtime';
import type { MetricsSource } from './metrics';
import type { NodeProjection } from './projection';

/** Reads the figures where they are counted; before the node has a group there are none. */
export function metricsSource(
  group: () => GroupRuntime | undefined,
  projection: () => NodeProjection | undefined,
): MetricsSource {
  return {
    groups: () => {
      const runtime = group();
      if (!runtime) return [];
      const core = runtime.replica.status();
      const stats = runtime.log.stats();
      return [
        {
          group: runtime.id,
          ...stats,
          term: core.term,
          isLeader: runtime.replica.isLeader,
          commitIndex: core.commit,
          appliedIndex: runtime.replica.appliedIndex,
          lastIndex: core.lastIndex,
          nextOffset: runtime.machine.nextOffset,
          snapshotIndex: runtime.snapshotIndex,
          queuedBytes: runtime.replica.queuedBytes,
          diverged: runtime.quarantine.why === undefined ? 0 : 1,
          comparedIndex: runtime.stateWatch.comparison.comparedIndex,
          damage: runtime.log.damage.count,
          idsInMemory: runtime.machine.rowsInMemory,
          extrasInMemory: runtime.machine.extrasInMemory,
        },
      ];
    },
    transferResults: () => {
      const counts = group()?.machine.reader.counts().transfersByResult ?? [];
      const byName = new Map<string, number>();
      for (let code = 0; code < RESULT_CODE_COUNT; code += 1) {
        const count = counts[code] ?? 0;
        // `ok` is always there, so that a rate over it is defined from the first scrape on.
        if (count > 0 || code === 0) byName.set(resultName(code), count);
      }
      return byName;
    },
    accounts: () => group()?.machine.reader.counts().accounts ?? 0,
    disk: () => {
      const runtime = group();
      return runtime && { full: runtime.space.full, freeBytes: runtime.space.freeBytes };
    },
    projectionLagRecords: () => projection()?.view().lagRecords ?? 0,
  };
}
