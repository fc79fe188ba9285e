import { BatchKind, readHeader } from '../../src/log/batch';
import type { SimNode } from './sim-node';
import { violated } from './violation';

/** These pass whatever waits: they may be what brings a majority back. */
const MADE_BY_THE_CORE: ReadonlySet<number> = new Set([BatchKind.NoOp, BatchKind.Configuration]);
const ALL_BYTES = Number.MAX_SAFE_INTEGER;

/**
 * What a leader has taken and not committed is bounded, so that one that is cut off does not grow without end. A single
 * batch may be larger than the bound when nothing else waits: otherwise it could never be written.
 */
export function expectBoundedTail({ name, running }: SimNode, mostBytes: number): void {
  const status = running?.replica.status();
  if (status?.role !== 'leader' || status.uncommittedBytes <= mostBytes) return;
  const tail = running!.storage.log.cached(status.commit + 1, ALL_BYTES) ?? [];
  const taken = tail
    .map((batch) => readHeader(batch))
    .filter(({ term, kind }) => term === status.term && !MADE_BY_THE_CORE.has(kind));
  if (taken.length <= 1) return;
  violated(
    'a bounded tail',
    `${name} has taken ${status.uncommittedBytes} bytes without a majority, ${mostBytes} at most`,
  );
}
