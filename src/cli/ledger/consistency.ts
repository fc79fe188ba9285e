/** The options of a read: how new its answer must be. */
import { type Command } from 'commander';
import { type ReadConsistency } from '../../client';
import { durationMs } from './arguments';
import { oneOf } from './session';
import { UsageError } from './terminal';

const LEVELS = ['linearizable', 'at-least', 'stale'] as const;

export interface ConsistencyOptions {
  readonly consistency: string;
  readonly token?: string;
  readonly maxStaleness?: string;
}

export function addConsistencyOptions(command: Command): Command {
  return command
    .option('--consistency <level>', LEVELS.join(', '), oneOf('--consistency', LEVELS), 'linearizable')
    .option('--token <token>', 'with at-least: from an earlier answer')
    .option('--max-staleness <duration>', 'with stale: refuse what may be older');
}

export function consistencyOf(options: ConsistencyOptions): ReadConsistency {
  const { consistency, token, maxStaleness } = options;
  if (token !== undefined && consistency !== 'at-least')
    throw new UsageError('--token goes with --consistency at-least');
  if (maxStaleness !== undefined && consistency !== 'stale') {
    throw new UsageError('--max-staleness goes with --consistency stale');
  }
  if (consistency === 'at-least') {
    if (token === undefined) throw new UsageError('--consistency at-least needs the --token of an earlier answer');
    return { atLeast: token };
  }
  if (maxStaleness !== undefined) return { maxStalenessMs: durationMs('--max-staleness', maxStaleness) };
  return consistency === 'stale' ? 'stale' : 'linearizable';
}
