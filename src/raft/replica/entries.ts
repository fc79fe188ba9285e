import { payloadOf, readHeader, verifyBatch, type BatchHeader } from '../../log/batch';
import type { LogStore } from '../../log/log-store';
import { decodeConfiguration, EntryKind, type Configuration, type Entry, type LogView } from '../core';

/** The core's view of a sealed batch. The bytes were verified where they came in: from a peer, or from the disk. */
export function entryOf(batch: Buffer): Entry {
  const { index, term, kind } = readHeader(batch);
  if (kind !== EntryKind.configuration) return { index, term, kind, data: batch };
  return { index, term, kind, data: batch, config: decodeConfiguration(payloadOf(batch)) };
}

/** Throws where a peer's entry is not what it says, before the core sees it. */
export function verifyEntry(entry: Entry, group: number): void {
  const header = verifyBatch(entry.data);
  if (
    header.index !== entry.index ||
    header.term !== entry.term ||
    header.kind !== entry.kind ||
    header.group !== group
  ) {
    throw new Error(
      `A peer sent batch ${header.index} of term ${header.term}, kind ${header.kind}, group ${header.group}` +
        ` labelled as entry ${entry.index} of term ${entry.term}, kind ${entry.kind}, group ${group}.`,
    );
  }
}

/** The log store as the core reads it. */
export function logView(log: LogStore): LogView {
  return {
    get firstIndex() {
      return log.firstIndex;
    },
    get lastIndex() {
      return log.lastIndex;
    },
    termAt: (index) => log.termAt(index),
    cachedEntries: (from, maxBytes, maxCount) => log.cached(from, maxBytes)?.slice(0, maxCount).map(entryOf),
  };
}

const SCAN_BYTES = 1 << 20;

export interface ConfigurationAt {
  readonly index: number;
  readonly configuration: Configuration;
}

/**
 * Every configuration in the log above `after`, ascending: membership is always recomputed from the log. `alsoSee` gets
 * every batch on the way, for whoever else has to look at all of them: the log is read once.
 */
export async function configurationsAbove(
  log: LogStore,
  after: number,
  alsoSee?: (header: BatchHeader, batch: Buffer) => void,
): Promise<ConfigurationAt[]> {
  const found: ConfigurationAt[] = [];
  for (let from = Math.max(after + 1, log.firstIndex); from <= log.lastIndex;) {
    const batches = await log.read(from, SCAN_BYTES);
    if (batches.length === 0) throw new Error(`The log says that it holds batch ${from}, but gives none.`);
    for (const batch of batches) {
      const header = readHeader(batch);
      from = header.index + 1;
      alsoSee?.(header, batch);
      if (header.kind !== EntryKind.configuration) continue;
      found.push({ index: header.index, configuration: decodeConfiguration(payloadOf(batch)) });
    }
  }
  return found;
}
