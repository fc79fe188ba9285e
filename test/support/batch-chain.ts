import { BatchKind, type BatchFields, NO_HASH, readHeader, sealBatch } from '../../src/log/batch';
import type { LogBoundary, LogStore } from '../../src/log/log-store';

export interface NextBatch {
  readonly kind?: number;
  readonly term?: number;
  /** Records that take offsets; 1 where nothing is said and the kind takes offsets. */
  readonly count?: number;
  readonly payload?: Buffer;
  /** Microseconds; a millisecond after the batch before where nothing is said. */
  readonly time?: number;
}

const START: LogBoundary = { index: 0, term: 0, nextOffset: 0, hash: NO_HASH, time: 0 };

/** Makes batches that continue each other, as a leader does. */
export class BatchChain {
  end: LogBoundary;

  constructor(
    start: LogBoundary = START,
    private readonly group = 0,
  ) {
    this.end = start;
  }

  next(options: NextBatch = {}): Buffer {
    const kind = options.kind ?? BatchKind.Records;
    const fields: BatchFields = {
      kind,
      index: this.end.index + 1,
      term: options.term ?? Math.max(1, this.end.term),
      baseOffset: this.end.nextOffset,
      count: options.count ?? (kind === BatchKind.Records ? 1 : 0),
      time: options.time ?? this.end.time + 1_000,
      commitIndex: 0,
      group: this.group,
      previousHash: this.end.hash,
    };
    const batch = sealBatch(fields, [options.payload ?? Buffer.from(`payload of entry ${fields.index}`)]);
    this.end = boundaryAfter(batch);
    return batch;
  }

  many(count: number, options: NextBatch = {}): Buffer[] {
    return Array.from({ length: count }, () => this.next(options));
  }

  /** Another leader's chain, which shares everything up to and including `batch`. */
  static after(batch: Buffer): BatchChain {
    return new BatchChain(boundaryAfter(batch), readHeader(batch).group);
  }
}

export function boundaryAfter(batch: Buffer): LogBoundary {
  const { index, term, baseOffset, count, hash, time } = readHeader(batch);
  return { index, term, nextOffset: baseOffset + count, hash: Buffer.from(hash), time };
}

/** Everything a log holds, read in several steps. */
export async function readWholeLog(log: LogStore): Promise<Buffer[]> {
  const all: Buffer[] = [];
  for (let from = log.firstIndex; from <= log.lastIndex;) {
    const some = await log.read(from, 10_000);
    const first = some[0];
    if (!first || readHeader(first).index !== from)
      throw new Error(`The log did not give entry ${from} when asked for it.`);
    all.push(...some);
    from += some.length;
  }
  return all;
}
