import { IdFilter } from './id-filter';
import type { IdHashes } from './id-hashes';

/** Sorts the ids of a run by bucket. */
export class FilterBuilder {
  /** Of each entry the first hash of its id, and the row that it stands for, counted from the first of the run. */
  readonly entries: Int32Array;
  private readonly bits: number;
  private readonly shift: number;
  private readonly starts: Uint32Array;
  private readonly remainders: Uint16Array;
  private readonly more: Uint8Array;

  constructor(private readonly hashes: IdHashes) {
    const { count } = hashes;
    this.bits = IdFilter.bitsFor(count);
    this.shift = 31 - this.bits;
    this.starts = new Uint32Array(2 ** this.bits + 1);
    this.remainders = new Uint16Array(count);
    this.more = new Uint8Array(count);
    this.entries = new Int32Array(2 * count);
    for (let i = 0; i < count; i++) this.starts[this.bucketOf(i) + 1]! += 1;
    for (let b = 0; b < 2 ** this.bits; b++) this.starts[b + 1]! += this.starts[b] as number;
    this.place();
  }

  private place(): void {
    const { entries, more, remainders, shift } = this;
    const { count, first, second } = this.hashes;
    const next = this.starts.slice();
    for (let i = 0; i < count; i++) {
      const hash = first[i] as number;
      const bucket = (hash >>> 1) >>> shift;
      const place = next[bucket] as number;
      next[bucket] = place + 1;
      const rest = second[i] as number;
      remainders[place] = rest;
      more[place] = rest >>> 16;
      entries[2 * place] = hash;
      entries[2 * place + 1] = i;
    }
  }

  filter(): IdFilter {
    const { bits, starts, remainders, more, hashes } = this;
    return new IdFilter({ bits, starts, remainders, more, least: hashes.least, greatest: hashes.greatest });
  }

  private bucketOf(i: number): number {
    return ((this.hashes.first[i] as number) >>> 1) >>> this.shift;
  }
}
