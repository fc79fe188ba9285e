import type { SeededRandom } from './seeded-random';

/** What a disk writes whole or not at all. */
export const SECTOR_BYTES = 512;

type PendingChange =
  | { readonly kind: 'write'; readonly position: number; readonly bytes: Buffer }
  | { readonly kind: 'truncate'; readonly length: number };

/** How much of what was not synced a loss of power leaves: chosen sector by sector, or an extreme. */
export type Survival = SeededRandom | 'nothing' | 'everything';

/** The bytes of one file: as programs see them, and as the disk is sure to have them. */
export class FaultyInode {
  private current: Buffer;
  private durable: Buffer;
  private pending: PendingChange[] = [];
  /** Programs see something that will never be on the disk. */
  private hasForgotten = false;

  constructor(bytes: Buffer = Buffer.alloc(0)) {
    this.current = Buffer.from(bytes);
    this.durable = Buffer.from(bytes);
  }

  get size(): number {
    return this.current.length;
  }

  /** A copy of what programs see. */
  get bytes(): Buffer {
    return Buffer.from(this.current);
  }

  read(into: Buffer, position: number): number {
    return this.current.copy(into, 0, Math.min(position, this.current.length));
  }

  write(bytes: Buffer, position: number): void {
    this.pending.push({ kind: 'write', position, bytes: Buffer.from(bytes) });
    this.current = written(this.current, bytes, position);
  }

  truncate(length: number): void {
    this.pending.push({ kind: 'truncate', length });
    this.current = resized(this.current, length);
  }

  sync(): void {
    this.durable = this.whatASyncLeaves();
    this.pending = [];
  }

  /**
   * As after an fsync that failed: the system forgets what it could not write, and calls the pages clean. Programs go on to see
   * it, and the next fsync succeeds and writes nothing of it.
   */
  dropUnsynced(): void {
    this.hasForgotten ||= this.pending.length > 0;
    this.pending = [];
  }

  /** Flips bits in what is durable, as a disk that rots. */
  rot(position: number, mask: number): void {
    for (const buffer of [this.current, this.durable]) buffer[position] = buffer[position]! ^ mask;
  }

  /** What is at `position`; undefined behind the end. */
  byteAt(position: number): number | undefined {
    return this.current[position];
  }

  /** Bytes that were meant for another place arrive here, as far as the file goes, and are durable at once. */
  strike(position: number, bytes: Buffer): void {
    for (const buffer of [this.current, this.durable]) bytes.copy(buffer, Math.min(position, buffer.length));
  }

  private whatASyncLeaves(): Buffer {
    return this.hasForgotten ? this.pending.reduce(after, Buffer.from(this.durable)) : Buffer.from(this.current);
  }

  /**
   * What is left after a loss of power. Lengths change in order, so those of a first few changes are kept; of what was
   * written, any sectors.
   */
  afterPowerLoss(survival: Survival): FaultyInode {
    if (survival === 'nothing') return new FaultyInode(this.durable);
    if (survival === 'everything') return new FaultyInode(this.whatASyncLeaves());
    const kept = survival.below(this.pending.length + 1);
    let left: Buffer = Buffer.from(this.durable);
    for (const [i, change] of this.pending.entries()) {
      const inOrder = i < kept;
      if (change.kind === 'truncate') {
        if (!inOrder) break;
        left = resized(left, change.length);
      } else {
        if (inOrder) left = resized(left, Math.max(left.length, change.position + change.bytes.length));
        writeSomeSectors(left, change.bytes, change.position, survival);
      }
    }
    return new FaultyInode(left);
  }
}

function after(buffer: Buffer, change: PendingChange): Buffer {
  return change.kind === 'truncate' ? resized(buffer, change.length) : written(buffer, change.bytes, change.position);
}

function written(buffer: Buffer, bytes: Buffer, position: number): Buffer {
  const grown = resized(buffer, Math.max(buffer.length, position + bytes.length));
  bytes.copy(grown, position);
  return grown;
}

function resized(buffer: Buffer, length: number): Buffer {
  if (buffer.length === length) return buffer;
  const other = Buffer.alloc(length);
  buffer.copy(other);
  return other;
}

function writeSomeSectors(target: Buffer, bytes: Buffer, position: number, random: SeededRandom): void {
  // Now and then all or none, which a coin for every sector would hardly ever give.
  const probability = [0, 0.5, 0.9, 1][random.below(4)]!;
  const end = Math.min(position + bytes.length, target.length);
  for (let at = position; at < end;) {
    const next = Math.min((Math.floor(at / SECTOR_BYTES) + 1) * SECTOR_BYTES, end);
    if (random.chance(probability)) bytes.copy(target, at, at - position, next - position);
    at = next;
  }
}
