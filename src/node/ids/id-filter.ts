import { hashWords } from '../../ledger/hash-index';
import { word } from '../../ledger/words';

const WORDS = 4;
/** Two hashes of one id that have nothing to do with each other. */
const SECOND_SEED = 0x9e3779b9;
/** About 2^3 ids share a bucket. */
const BUCKET_SHIFT = 3;
export const REMAINDER_MASK = 0xffff;

/** Ids whose memory is touched ahead, and where in the filter they are looked for. */
const BLOCK = 64;
const begins = new Uint32Array(BLOCK);
const ends = new Uint32Array(BLOCK);

/** Of each id what filters ask for; made once for a batch, whatever the number of runs. */
export class IdHashes {
  readonly first: Int32Array;
  readonly second: Uint16Array;
  /** The first six bytes of each id as a number: of a UUIDv7 its time, in milliseconds. */
  readonly times: Float64Array;
  least = Infinity;
  greatest = -Infinity;
  count = 0;

  constructor(
    capacity: number,
    private readonly seed: number,
  ) {
    this.first = new Int32Array(capacity);
    this.second = new Uint16Array(capacity);
    this.times = new Float64Array(capacity);
  }

  /** Takes in the id whose four words stand from `at` on. */
  add(words: Uint32Array, at: number): void {
    const i = this.count++;
    const a = word(words, at);
    const b = word(words, at + 1);
    const c = word(words, at + 2);
    const d = word(words, at + 3);
    this.first[i] = hashWords(a, b, c, d, this.seed);
    this.second[i] = hashWords(a, b, c, d, this.seed ^ SECOND_SEED);
    const time = swapped(a) * 0x1_0000 + (swapped(b) >>> 16);
    this.times[i] = time;
    if (time < this.least) this.least = time;
    if (time > this.greatest) this.greatest = time;
  }

  addAll(words: Uint32Array): this {
    for (let at = 0; at < words.length; at += WORDS) this.add(words, at);
    return this;
  }
}

/**
 * Which of the ids of a run may be this one, and where its entry stands in the index: the sorted index without its payload.
 * An id that is there is always found; one that is not is found 8 times in 65,536.
 */
export class IdFilter {
  /** Keeps the loads of `probeBlock` from being optimised away. */
  touched = 0;
  private readonly shift: number;

  constructor(
    /** The first so many bits of an id's first hash are the number of its bucket. */
    readonly bits: number,
    /** Of each bucket the place of its first entry, and the number of all entries behind the last. */
    readonly starts: Uint32Array,
    /** Of each entry the lower 16 bits of the id's second hash. */
    readonly remainders: Uint16Array,
    /** Bounds of the first six bytes of the ids. */
    readonly least: number,
    readonly greatest: number,
  ) {
    this.shift = 31 - bits;
  }

  /** How many bits name a bucket of a run of so many rows. */
  static bitsFor(rows: number): number {
    return Math.max(0, Math.ceil(Math.log2(rows)) - BUCKET_SHIFT);
  }

  get bytes(): number {
    return this.starts.byteLength + this.remainders.byteLength;
  }

  /** Calls `maybe` for each id that may be there. @param maybe is told which of the hashes, and the place of the entry */
  probe(hashes: IdHashes, maybe: (id: number, place: number) => void): void {
    if (hashes.least > this.greatest || hashes.greatest < this.least) return;
    for (let from = 0; from < hashes.count; from += BLOCK) {
      this.probeBlock(hashes, from, Math.min(BLOCK, hashes.count - from), maybe);
    }
  }

  /** In loops of little work each, so that the processor overlaps its reads: a filter is larger than what it keeps near. */
  private probeBlock(hashes: IdHashes, from: number, count: number, maybe: (id: number, place: number) => void): void {
    const { starts, remainders, shift, least, greatest } = this;
    const { first, second, times } = hashes;
    let touched = 0;
    for (let i = 0; i < count; i++) {
      const bucket = ((first[from + i] as number) >>> 1) >>> shift;
      begins[i] = starts[bucket] as number;
      ends[i] = starts[bucket + 1] as number;
    }
    for (let i = 0; i < count; i++) touched ^= remainders[begins[i] as number] as number;
    this.touched = touched;
    for (let i = 0; i < count; i++) {
      const time = times[from + i] as number;
      if (time < least || time > greatest) continue;
      const remainder = second[from + i] as number;
      const end = ends[i] as number;
      for (let place = begins[i] as number; place < end; place++) {
        if (remainders[place] === remainder) maybe(from + i, place);
      }
    }
  }
}

/** Sorts the ids of a run by bucket, in slices. */
export class FilterBuilder {
  private readonly bits: number;
  private readonly shift: number;
  private readonly starts: Uint32Array;
  private readonly next: Uint32Array;
  private readonly remainders: Uint16Array;
  /** Of each entry the row that it stands for, counted from the first of the run. */
  readonly places: Uint32Array;

  constructor(private readonly hashes: IdHashes) {
    this.bits = IdFilter.bitsFor(hashes.count);
    this.shift = 31 - this.bits;
    this.starts = new Uint32Array(2 ** this.bits + 1);
    this.remainders = new Uint16Array(hashes.count);
    this.places = new Uint32Array(hashes.count);
    for (let i = 0; i < hashes.count; i++) this.starts[this.bucketOf(i) + 1]! += 1;
    for (let b = 0; b < 2 ** this.bits; b++) this.starts[b + 1]! += this.starts[b] as number;
    this.next = this.starts.slice();
  }

  /** Puts the ids of the rows [from, to) where they belong. */
  place(from: number, to: number): void {
    for (let i = from; i < to; i++) {
      const bucket = this.bucketOf(i);
      const place = this.next[bucket] as number;
      this.next[bucket] = place + 1;
      this.remainders[place] = this.hashes.second[i] as number;
      this.places[place] = i;
    }
  }

  /** Once all are placed. */
  filter(): IdFilter {
    const { bits, starts, remainders } = this;
    return new IdFilter(bits, starts, remainders, this.hashes.least, this.hashes.greatest);
  }

  private bucketOf(i: number): number {
    return ((this.hashes.first[i] as number) >>> 1) >>> this.shift;
  }
}

function swapped(value: number): number {
  return ((value << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24)) >>> 0;
}
