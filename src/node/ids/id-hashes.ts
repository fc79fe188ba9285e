import { hashWords } from '../../ledger/hash-index';
import { word } from '../../ledger/words';

const WORDS = 4;
/** Two hashes of one id that have nothing to do with each other. */
const SECOND_SEED = 0x9e3779b9;

/** Of each id what filters ask for; made once for a batch, whatever the number of indexes. */
export class IdHashes {
  first = new Int32Array(0);
  second = new Int32Array(0);
  /** The first six bytes of each id as a number: of a UUIDv7 its time, in milliseconds. */
  times = new Float64Array(0);
  least = Infinity;
  greatest = -Infinity;
  count = 0;

  constructor(
    capacity: number,
    private readonly seed: number,
  ) {
    this.begin(capacity);
  }

  /** Forgets all, and makes room for so many. */
  begin(capacity: number): this {
    this.count = 0;
    this.least = Infinity;
    this.greatest = -Infinity;
    if (capacity <= this.first.length) return this;
    this.first = new Int32Array(capacity);
    this.second = new Int32Array(capacity);
    this.times = new Float64Array(capacity);
    return this;
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

function swapped(value: number): number {
  return ((value << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24)) >>> 0;
}
