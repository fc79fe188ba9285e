import type { IdHashes } from './id-hashes';

/** About 2^3 ids share a bucket. */
const BUCKET_SHIFT = 3;

/** Ids whose memory is touched ahead, and where in the filter they are looked for. */
const BLOCK = 64;
const passed = new Uint32Array(BLOCK);
const begins = new Uint32Array(BLOCK);
const ends = new Uint32Array(BLOCK);

/** What a filter is made of, in the order of its entries. */
export interface FilterParts {
  /** The first so many bits of an id's first hash are the number of its bucket. */
  readonly bits: number;
  /** Of each bucket the place of its first entry, and the number of all entries behind the last. */
  readonly starts: Uint32Array;
  /** Of each entry the lower 16 bits of the id's second hash. */
  readonly remainders: Uint16Array;
  /** Of each entry the next 8 bits. */
  readonly more: Uint8Array;
  /** Bounds of the first six bytes of the ids. */
  readonly least: number;
  readonly greatest: number;
  /** See IdFilter; made of the others where they are not there. */
  readonly marks?: Uint32Array;
}

/**
 * Which of the ids of some rows may be this one, and where its entry stands in the index: the sorted index without its payload.
 * An id that is there is always found; one that is not is found 8 times in 2^24.
 */
export class IdFilter implements FilterParts {
  readonly bits: number;
  readonly starts: Uint32Array;
  readonly remainders: Uint16Array;
  readonly more: Uint8Array;
  readonly least: number;
  readonly greatest: number;
  /**
   * Two words a bucket: a bit of the remainder chooses the word, five others the bit in it that is set. So seven of eight ids that
   * are not there are known by one read, and without a loop whose end nobody can foresee.
   */
  readonly marks: Uint32Array;
  private readonly shift: number;
  /** Keeps the loads of `touch` from being optimised away. */
  touched = 0;

  constructor(parts: FilterParts) {
    this.bits = parts.bits;
    this.starts = parts.starts;
    this.remainders = parts.remainders;
    this.more = parts.more;
    this.least = parts.least;
    this.greatest = parts.greatest;
    this.shift = 31 - parts.bits;
    this.marks = parts.marks ?? marksOf(parts);
  }

  /** How many bits name a bucket of a run of so many rows. */
  static bitsFor(rows: number): number {
    return Math.max(0, Math.ceil(Math.log2(rows)) - BUCKET_SHIFT);
  }

  get bytes(): number {
    const { starts, remainders, more, marks } = this;
    return starts.byteLength + remainders.byteLength + more.byteLength + marks.byteLength;
  }

  /** Calls `maybe` for each id that may be there. @param maybe is told which of the hashes, and the place of the entry */
  probe(hashes: IdHashes, maybe: (id: number, place: number) => void): void {
    if (hashes.least > this.greatest || hashes.greatest < this.least) return;
    for (let from = 0; from < hashes.count; from += BLOCK) {
      const left = this.pass(hashes, from, Math.min(BLOCK, hashes.count - from));
      this.touch(hashes, left);
      for (let i = 0; i < left; i++) this.compare(hashes, i, maybe);
    }
  }

  /** Leaves the ids whose bit is set in `passed`, and returns how many: without a branch, so that reads overlap. */
  private pass(hashes: IdHashes, from: number, count: number): number {
    const { marks, shift } = this;
    const { first, second } = hashes;
    let left = 0;
    for (let id = from; id < from + count; id++) {
      const bucket = ((first[id] as number) >>> 1) >>> shift;
      const remainder = second[id] as number;
      passed[left] = id;
      left += ((marks[2 * bucket + (remainder & 1)] as number) >>> ((remainder >>> 1) & 31)) & 1;
    }
    return left;
  }

  /** Finds the buckets of what passed. In loops of little work each: a filter is larger than what the processor keeps near. */
  private touch(hashes: IdHashes, left: number): void {
    const { starts, remainders, shift } = this;
    let touched = 0;
    for (let i = 0; i < left; i++) {
      const bucket = ((hashes.first[passed[i] as number] as number) >>> 1) >>> shift;
      begins[i] = starts[bucket] as number;
      ends[i] = starts[bucket + 1] as number;
    }
    for (let i = 0; i < left; i++) touched ^= remainders[begins[i] as number] as number;
    this.touched = touched;
  }

  private compare(hashes: IdHashes, i: number, maybe: (id: number, place: number) => void): void {
    const { remainders, more, least, greatest } = this;
    const id = passed[i] as number;
    const time = hashes.times[id] as number;
    if (time < least || time > greatest) return;
    const second = hashes.second[id] as number;
    const end = ends[i] as number;
    for (let place = begins[i] as number; place < end; place++) {
      if (remainders[place] === (second & 0xffff) && more[place] === ((second >>> 16) & 0xff)) maybe(id, place);
    }
  }
}

function marksOf({ bits, starts, remainders }: FilterParts): Uint32Array {
  const marks = new Uint32Array(2 ** (bits + 1));
  for (let bucket = 0; bucket < 2 ** bits; bucket++) {
    const end = starts[bucket + 1] as number;
    for (let place = starts[bucket] as number; place < end; place++) {
      const remainder = remainders[place] as number;
      const at = 2 * bucket + (remainder & 1);
      marks[at] = (marks[at] as number) | (1 << ((remainder >>> 1) & 31));
    }
  }
  return marks;
}
