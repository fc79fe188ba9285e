import { word } from './words';

const FIRST_SLOTS = 1 << 10;
/** 256 KiB a segment: splitting one moves some 20,000 slots, a fraction of a millisecond. */
const MAX_SLOTS = 1 << 15;
/** Beyond 2^20 segments a segment grows instead: only hashes that do not spread can bring it there. */
const MAX_DEPTH = 20;

/**
 * A hash table from 32-bit hashes to 32-bit numbers above zero, for keys that are kept elsewhere: the caller walks the
 * slots of a hash and compares keys itself. A slot is 8 bytes: hash, number.
 *
 * It grows by extendible hashing (Fagin, Nievergelt, Pippenger and Strong, 1979): the first bits of a hash choose a
 * segment, the last ones the slot to start at, and a segment that is 5/8 full is split in two. So there is never a pause
 * to rehash all of it.
 *
 * Walk: `slots = slotsOf(hash)`, then from `hash & (slots.length / 2 - 1)` on, wrapping, until a number is 0.
 */
export class HashIndex {
  private depth = 0;
  /** One entry for each value of the first `depth` bits; segments that are not split as far stand several times. */
  private directory: Segment[] = [new Segment(0, FIRST_SLOTS)];
  private entries = 0;

  get size(): number {
    return this.entries;
  }

  slotsOf(hash: number): Uint32Array {
    return this.segmentOf(hash).slots;
  }

  /** Adds a number (above zero) under a hash. The caller has made sure that its key is not there. */
  insert(hash: number, number: number): void {
    let segment = this.segmentOf(hash);
    while (segment.isFull()) {
      this.makeRoom(segment, hash);
      segment = this.segmentOf(hash);
    }
    segment.put(hash, number);
    this.entries++;
  }

  private segmentOf(hash: number): Segment {
    // In two steps, because a shift by 32 is a shift by 0.
    return this.directory[(hash >>> 1) >>> (31 - this.depth)] as Segment;
  }

  private makeRoom(segment: Segment, hash: number): void {
    if (segment.capacity < MAX_SLOTS || segment.depth >= MAX_DEPTH) {
      segment.grow();
      return;
    }
    if (segment.depth === this.depth) {
      this.directory = this.directory.flatMap((entry) => [entry, entry]);
      this.depth++;
    }
    const [lower, upper] = segment.split();
    const span = 1 << (this.depth - segment.depth);
    const first = ((hash >>> 1) >>> (31 - this.depth)) & ~(span - 1);
    this.directory.fill(lower, first, first + span / 2);
    this.directory.fill(upper, first + span / 2, first + span);
  }
}

class Segment {
  slots: Uint32Array;
  private used = 0;

  constructor(
    /** How many of the first bits all its hashes share. */
    readonly depth: number,
    slots: number,
  ) {
    this.slots = new Uint32Array(slots * 2);
  }

  get capacity(): number {
    return this.slots.length >>> 1;
  }

  isFull(): boolean {
    return this.used >= (this.capacity >>> 3) * 5;
  }

  put(hash: number, number: number): void {
    const slots = this.slots;
    const mask = (slots.length >>> 1) - 1;
    let slot = hash & mask;
    while (slots[slot * 2 + 1] !== 0) slot = (slot + 1) & mask;
    slots[slot * 2] = hash;
    slots[slot * 2 + 1] = number;
    this.used++;
  }

  grow(): void {
    const old = this.slots;
    this.slots = new Uint32Array(old.length * 2);
    this.used = 0;
    for (let i = 0; i < old.length; i += 2) if (old[i + 1] !== 0) this.put(word(old, i), word(old, i + 1));
  }

  split(): [Segment, Segment] {
    const lower = new Segment(this.depth + 1, this.capacity);
    const upper = new Segment(this.depth + 1, this.capacity);
    const bit = 31 - this.depth;
    const old = this.slots;
    for (let i = 0; i < old.length; i += 2) {
      if (old[i + 1] === 0) continue;
      const hash = word(old, i);
      ((hash >>> bit) & 1 ? upper : lower).put(hash, word(old, i + 1));
    }
    return [lower, upper];
  }
}

/** A 32-bit hash of a 128-bit key, as four words. The seed is a node's own, so that nobody can choose ids that collide. */
export function hashWords(a: number, b: number, c: number, d: number, seed: number): number {
  let hash = mixWord(seed, a);
  hash = mixWord(hash, b);
  hash = mixWord(hash, c);
  return finish(mixWord(hash, d) ^ 16);
}

/** A 32-bit hash of bytes. */
export function hashBytes(bytes: Uint8Array, start: number, length: number, seed: number): number {
  let hash = seed;
  for (let i = start; i < start + length; i++) {
    // FNV-1a: names are short, and reading single bytes needs no alignment.
    hash = Math.imul(hash ^ (bytes[i] as number), 0x01000193);
  }
  return finish(hash ^ length);
}

/** One round of MurmurHash3 (x86, 32 bits). */
function mixWord(hash: number, value: number): number {
  let k = Math.imul(value, 0xcc9e2d51);
  k = (k << 15) | (k >>> 17);
  const mixed = hash ^ Math.imul(k, 0x1b873593);
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0;
}

/** MurmurHash3's finaliser: every bit of the input changes about half of the output. */
function finish(hash: number): number {
  let h = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
