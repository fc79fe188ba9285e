import { invariant } from './invariant';

const FIRST_SLOTS = 1 << 10;
/** 256 KiB a segment: splitting one moves some 20,000 slots, a fraction of a millisecond. */
const MAX_SLOTS = 1 << 15;
/** Beyond 2^20 segments a segment grows instead: only hashes that do not spread can bring it there. */
const MAX_DEPTH = 20;
/** Irrational steps, so that the patience of segments spreads evenly however often they are split. */
const LOWER_STEP = Math.sqrt(5) - 2;
const UPPER_STEP = Math.SQRT2 - 1;
/** How full a segment is made at most where the number of hashes is known before: a few of them split soon after. */
const RESERVED_SHARE = 0.6;
/** Of what makes a segment full, so much may be left in it where it was swept: so a number is moved by few sweeps. */
const SWEPT_SHARE = 0.75;

/**
 * A hash table from 32-bit hashes to 32-bit numbers above zero, for keys that are kept elsewhere: the caller walks the
 * slots of a hash and compares keys itself. A slot is 8 bytes: hash, number. Hashes are signed, because a number above 2^31
 * that is handed from function to function may cost an allocation.
 *
 * It grows by extendible hashing (Fagin, Nievergelt, Pippenger and Strong, 1979): the first bits of a hash choose a
 * segment, the last ones the slot to start at, and a segment that is full enough is split in two. So there is never a pause
 * to rehash all of it.
 *
 * Walk: `slots = slotsOf(hash)`, then from `hash & (slots.length / 2 - 1)` on, wrapping, until a number is 0. Read a
 * number as `slots[2 * slot + 1] >>> 0`, and pass over those that were forgotten.
 */
export class HashIndex {
  private depth = 0;
  /** One entry for each value of the first `depth` bits; segments that are not split as far stand several times. */
  private directory: Segment[] = [new Segment(0, new Int32Array(FIRST_SLOTS * 2), 0)];
  /** The slots of each entry: one step less on the way that every look-up takes. */
  private slots: Int32Array[] = this.directory.map((segment) => segment.slots);
  private forgotten = 0;

  /** Makes room for so many numbers at once, in an index that has none yet. */
  reserve(count: number): void {
    invariant(this.depth === 0, 'Room is made in an index that is in use.');
    const depth = Math.max(0, Math.ceil(Math.log2(count / (MAX_SLOTS * RESERVED_SHARE))));
    if (depth === 0 || depth > MAX_DEPTH) return;
    this.depth = depth;
    this.directory = Array.from(
      { length: 1 << depth },
      (_, at) => new Segment(depth, new Int32Array(MAX_SLOTS * 2), (at * LOWER_STEP) % 1),
    );
    this.slots = this.directory.map((segment) => segment.slots);
  }

  slotsOf(hash: number): Int32Array {
    return this.slots[this.entryOf(hash)] as Int32Array;
  }

  /** Adds a number (above zero) under a hash. The caller has made sure that its key is not there. */
  insert(hash: number, number: number): void {
    let segment = this.directory[this.entryOf(hash)] as Segment;
    while (segment.isFull()) {
      if (!segment.sweep(this.forgotten)) this.makeRoom(segment, hash);
      segment = this.directory[this.entryOf(hash)] as Segment;
    }
    segment.put(hash, number);
  }

  /** Takes a number out that was inserted under this hash: what a group of transfers added before it failed. */
  remove(hash: number, number: number): void {
    (this.directory[this.entryOf(hash)] as Segment).remove(hash, number);
  }

  /**
   * All numbers up to this one are of no use any more. They go when their segment is full, all at a stroke: to look each of them
   * up costs more than to insert it did, because its slot is far from those that are in use now.
   */
  forget(upTo: number): void {
    this.forgotten = upTo;
  }

  private entryOf(hash: number): number {
    // In two steps, because a shift by 32 is a shift by 0.
    return (hash >>> 1) >>> (31 - this.depth);
  }

  private makeRoom(segment: Segment, hash: number): void {
    const canSplit = segment.capacity >= MAX_SLOTS && segment.depth < MAX_DEPTH;
    if (canSplit && segment.depth === this.depth) {
      this.directory = this.directory.flatMap((entry) => [entry, entry]);
      this.slots = this.slots.flatMap((slots) => [slots, slots]);
      this.depth++;
    }
    const span = 1 << (this.depth - segment.depth);
    const first = this.entryOf(hash) & ~(span - 1);
    if (canSplit) {
      const [lower, upper] = segment.split();
      this.place(lower, first, span / 2);
      this.place(upper, first + span / 2, span / 2);
    } else {
      segment.grow();
      this.place(segment, first, span);
    }
  }

  private place(segment: Segment, first: number, entries: number): void {
    this.directory.fill(segment, first, first + entries);
    this.slots.fill(segment.slots, first, first + entries);
  }
}

class Segment {
  slots: Int32Array;
  private used = 0;
  private most: number;
  private sweptTo = 0;

  constructor(
    /** How many of the first bits all its hashes share. */
    readonly depth: number,
    /** Two words a slot, all zero. */
    slots: Int32Array,
    /** From 0 to 1, different in each segment: how soon it is full. */
    private readonly patience: number,
  ) {
    this.slots = slots;
    this.most = this.mostSlots();
  }

  get capacity(): number {
    return this.slots.length >>> 1;
  }

  isFull(): boolean {
    return this.used >= this.most;
  }

  /** Between 1/2 and 3/4 of the slots: hashes fill all segments alike, and they must not all be split at once. */
  private mostSlots(): number {
    return Math.floor(this.capacity * (0.5 + 0.25 * this.patience));
  }

  /** Empties the slots of numbers up to this one. @returns whether that made enough room */
  sweep(upTo: number): boolean {
    if (upTo === this.sweptTo || this.capacity > MAX_SLOTS) return false;
    this.sweptTo = upTo;
    const old = splitCopy.subarray(0, this.slots.length);
    old.set(this.slots);
    this.slots.fill(0);
    this.used = moveAbove(old, upTo, this.slots);
    return this.used <= this.most * SWEPT_SHARE;
  }

  put(hash: number, number: number): void {
    putSlot(this.slots, hash, number);
    this.used++;
  }

  remove(hash: number, number: number): void {
    removeSlot(this.slots, hash, number);
    this.used--;
  }

  grow(): void {
    const old = this.slots;
    this.slots = new Int32Array(old.length * 2);
    this.most = this.mostSlots();
    moveSlots(old, 0, this.slots, this.slots);
  }

  /** The lower half takes over the memory of the whole: fresh memory costs more than the copy beside it. */
  split(): [Segment, Segment] {
    const old = splitCopy.subarray(0, this.slots.length);
    old.set(this.slots);
    const lower = new Segment(this.depth + 1, this.slots.fill(0), (this.patience + LOWER_STEP) % 1);
    const upper = new Segment(this.depth + 1, new Int32Array(old.length), (this.patience + UPPER_STEP) % 1);
    upper.used = moveSlots(old, 1 << (31 - this.depth), lower.slots, upper.slots);
    lower.used = this.used - upper.used;
    lower.sweptTo = upper.sweptTo = this.sweptTo;
    return [lower, upper];
  }
}

/** What a segment holds while it is split or swept. */
const splitCopy = new Int32Array(MAX_SLOTS * 2);

function putSlot(slots: Int32Array, hash: number, number: number): void {
  const mask = (slots.length >>> 1) - 1;
  let slot = hash & mask;
  while (slots[slot * 2 + 1] !== 0) slot = (slot + 1) & mask;
  slots[slot * 2] = hash;
  slots[slot * 2 + 1] = number;
}

/**
 * Empties a slot and moves up what was pushed past it, so that no walk ends too early (Knuth, The Art of Computer
 * Programming, volume 3, section 6.4, algorithm R).
 */
function removeSlot(slots: Int32Array, hash: number, number: number): void {
  const mask = (slots.length >>> 1) - 1;
  let hole = hash & mask;
  while (slots[hole * 2 + 1] !== (number | 0)) {
    invariant(slots[hole * 2 + 1] !== 0, 'A number that is taken out of an index must be in it.');
    hole = (hole + 1) & mask;
  }
  for (let next = (hole + 1) & mask; slots[next * 2 + 1] !== 0; next = (next + 1) & mask) {
    const home = (slots[next * 2] as number) & mask;
    // May it stand in the hole? Only where the hole is not before the place it belongs to.
    if (((next - home) & mask) < ((next - hole) & mask)) continue;
    slots[hole * 2] = slots[next * 2] as number;
    slots[hole * 2 + 1] = slots[next * 2 + 1] as number;
    hole = next;
  }
  slots[hole * 2] = slots[hole * 2 + 1] = 0;
}

/** Moves what is in a segment to one or the other, as a bit of the hash says; returns how many had the bit set. */
function moveSlots(old: Int32Array, bit: number, unset: Int32Array, set: Int32Array): number {
  let moved = 0;
  for (let i = 0; i < old.length; i += 2) {
    const number = old[i + 1] as number;
    if (number === 0) continue;
    const hash = old[i] as number;
    const isSet = (hash & bit) !== 0;
    if (isSet) moved++;
    putSlot(isSet ? set : unset, hash, number);
  }
  return moved;
}

/** Moves the numbers above `limit`; returns how many. */
function moveAbove(old: Int32Array, limit: number, to: Int32Array): number {
  let moved = 0;
  for (let i = 0; i < old.length; i += 2) {
    const number = old[i + 1] as number;
    if (number >>> 0 <= limit) continue;
    moved++;
    putSlot(to, old[i] as number, number);
  }
  return moved;
}

/** A signed 32-bit hash of a 128-bit key, as four words. The seed is a node's own, so that nobody can choose ids that collide. */
export function hashWords(a: number, b: number, c: number, d: number, seed: number): number {
  let hash = mixWord(seed, a);
  hash = mixWord(hash, b);
  hash = mixWord(hash, c);
  return finish(mixWord(hash, d) ^ 16);
}

/** A signed 32-bit hash of bytes. */
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
  return h ^ (h >>> 16);
}
