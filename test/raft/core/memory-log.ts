import {
  EntryKind,
  type Configuration,
  type Entry,
  type LogPosition,
  type LogView,
  type NodeId,
} from '../../../src/raft/core';

/** The replica's log as the core sees it, in memory and with every continuity asserted. */
export class MemoryLog implements LogView {
  /** Entries below this index count as not in memory: cachedEntries says so, `read` has them. */
  inMemoryFrom = 0;

  constructor(
    private boundary: LogPosition,
    private stored: Entry[] = [],
  ) {}

  get firstIndex(): number {
    return this.boundary.index + 1;
  }

  get lastIndex(): number {
    return this.boundary.index + this.stored.length;
  }

  get entries(): readonly Entry[] {
    return this.stored;
  }

  termAt(index: number): number | undefined {
    if (index === this.boundary.index) return this.boundary.term;
    return this.stored[index - this.firstIndex]?.term;
  }

  at(index: number): Entry | undefined {
    return this.stored[index - this.firstIndex];
  }

  cachedEntries(from: number, maxBytes: number, maxCount: number): readonly Entry[] | undefined {
    if (from < this.inMemoryFrom) return undefined;
    return this.read(from, maxBytes, maxCount);
  }

  read(from: number, maxBytes: number, maxCount: number): readonly Entry[] {
    if (from < this.firstIndex || from > this.lastIndex) throw new Error(`There is no entry ${from} to read.`);
    const found: Entry[] = [];
    let bytes = 0;
    for (const entry of this.stored.slice(from - this.firstIndex, from - this.firstIndex + maxCount)) {
      bytes += entry.data.length;
      if (bytes > maxBytes && found.length > 0) break;
      found.push(entry);
    }
    return found;
  }

  append(entry: Entry): void {
    if (entry.index !== this.lastIndex + 1) throw new Error(`Entry ${entry.index} does not follow ${this.lastIndex}.`);
    this.stored.push(entry);
  }

  truncateSuffix(from: number): void {
    if (from < this.firstIndex || from > this.lastIndex) throw new Error(`There is no entry ${from} to truncate from.`);
    this.stored = this.stored.slice(0, from - this.firstIndex);
  }

  truncatePrefix(upTo: number): void {
    const term = this.termAt(upTo);
    if (term === undefined) throw new Error(`There is no entry ${upTo} to truncate up to.`);
    this.stored = this.stored.slice(upTo - this.boundary.index);
    this.boundary = { index: upTo, term };
  }

  reset(at: LogPosition): void {
    this.stored = [];
    this.boundary = { index: at.index, term: at.term };
  }

  /** What is here now, unshared. */
  copy(): MemoryLog {
    return new MemoryLog({ ...this.boundary }, [...this.stored]);
  }
}

/** In the place of the replica's sealing: the bytes name the entry, so that entries that differ have different bytes. */
export function sealForTest(
  kind: number,
  index: number,
  term: number,
  _commit: number,
  payload: readonly Buffer[],
): Entry {
  const data = Buffer.concat([Buffer.from(`${index}.${term}:`), ...payload]);
  return { index, term, kind, data };
}

/** An entry that some leader may have made. */
export function entry(index: number, term: number, payload = ''): Entry {
  return sealForTest(EntryKind.records, index, term, 0, [Buffer.from(payload)]);
}

export function configurationEntry(index: number, term: number, config: Configuration): Entry {
  return { ...sealForTest(EntryKind.configuration, index, term, 0, []), config };
}

/** Node ids from small numbers. */
export function id(n: number): NodeId {
  return n.toString(16).padStart(16, '0');
}

export function ids(...numbers: number[]): NodeId[] {
  return numbers.map(id);
}

export function server(n: number): { id: NodeId; name: string; rpcAddr: string } {
  return { id: id(n), name: `node-${n}`, rpcAddr: `127.0.0.1:${8300 + n}` };
}

export function configuration(voters: number[], learners: number[] = [], votersOutgoing: number[] = []): Configuration {
  const all = [...new Set([...voters, ...votersOutgoing, ...learners])].sort((a, b) => a - b);
  return {
    voters: ids(...voters),
    votersOutgoing: ids(...votersOutgoing),
    learners: ids(...learners),
    servers: all.map(server),
  };
}
