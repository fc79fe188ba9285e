import { DEFAULT_REPLICA_LIMITS } from '../../src/raft/replica/limits';
import type { SeededRandom } from '../support/seeded-random';
import type { NodeSettings } from './sim-world';

const TICK_MILLIS = 10;
const KIB = 1024;

/** Small bounds, so that a short run meets all of them: other ones in each run. */
export function drawSettings(random: SeededRandom): NodeSettings {
  const pick = <T>(values: readonly T[]): T => values[random.below(values.length)]!;
  return {
    timing: { tickMillis: TICK_MILLIS, heartbeatTicks: 5, electionTicks: [15, 30] },
    limits: {
      ...DEFAULT_REPLICA_LIMITS,
      eagerBytes: pick([0, KIB, 256 * KIB]),
      batchRecords: pick([5, 65_536]),
      inflightMessages: pick([1, 4, 64]),
      inflightBytes: pick([KIB, 16 * KIB, 16 * KIB * KIB]),
      messageBytes: pick([512, 4 * KIB, 1024 * KIB]),
      // Segments are of kilobytes here: what a node of a real size waits for shows.
      catchUpBytes: 256 * KIB,
      uncommittedBytes: pick([KIB, 4 * KIB, 64 * KIB * KIB]),
    },
    storage: {
      segmentBytes: pick([4, 4, 16, 64]) * KIB,
      snapshotBytes: pick([4, 8, 32, 100_000]) * KIB,
      retentionBytes: pick([0, 0, 16 * KIB, undefined]),
    },
  };
}
