import type { LogPosition } from '../core/types';
import type { z } from 'zod';
import {
  decodeRecord,
  IDENTITY_KEY,
  identityRecord,
  parseGroupKey,
  PEERS_KEY,
  peersRecord,
  positionRecord,
  snapshotRecord,
  STABLE_FORMAT_VERSION,
  voteRecord,
  type IdentityRecord,
} from './stable-records';
import { StableStoreError, type SnapshotPointer } from './stable-store';
import type { VoteCopies } from './vote-recovery';

type Entries = readonly (readonly [key: string, value: Buffer])[];

/** Everything that the database holds, decoded: it is little, and kept in memory. */
export class StableContents {
  identity: IdentityRecord | undefined;
  readonly votes = new Map<number, Exclude<VoteCopies['level'], 'missing'>>();
  readonly snapshots = new Map<number, SnapshotPointer>();
  readonly losses = new Map<number, LogPosition>();
  /** Groups of which something may be lost, but nobody knows any more up to where. */
  readonly lostMarks = new Set<number>();
  readonly ends = new Map<number, LogPosition>();
  peers: readonly string[] = [];
  readonly damage: string[] = [];

  /** Throws StableStoreError where what is damaged cannot be left out. */
  static read(entries: Entries): StableContents {
    const contents = new StableContents();
    for (const [key, value] of entries) contents.take(key, value);
    return contents;
  }

  private take(key: string, value: Buffer): void {
    if (key === IDENTITY_KEY) {
      this.identity = this.essential(key, value, identityRecord);
      this.refuseNewer(this.identity.formatVersion);
      return;
    }
    if (key === PEERS_KEY) {
      this.peers = this.dispensable(key, value, peersRecord) ?? [];
      return;
    }
    const place = parseGroupKey(key);
    if (place?.name === 'vote') {
      this.votes.set(place.group, decodeRecord(key, value, voteRecord) ?? 'damaged');
    } else if (place?.name === 'snapshot') {
      const pointer = this.dispensable(key, value, snapshotRecord);
      if (pointer) this.snapshots.set(place.group, pointer);
    } else if (place?.name === 'loss') {
      const loss = decodeRecord(key, value, positionRecord);
      if (loss) this.losses.set(place.group, loss);
      else this.lostMarks.add(place.group);
    } else if (place?.name === 'end') {
      const end = this.dispensable(key, value, positionRecord);
      if (end) this.ends.set(place.group, end);
    } else this.damage.push(`the key "${key}" is unknown`);
  }

  private essential<T>(key: string, value: Buffer, shape: z.ZodType<T>): T {
    const record = decodeRecord(key, value, shape);
    if (record !== undefined) return record;
    const message =
      `The record "${key}" of this data directory is damaged. Restore the directory from a backup, or remove it, and` +
      ' this node comes back as a new one.';
    throw new StableStoreError('UNREADABLE', message);
  }

  /** What can be found again elsewhere: snapshots by their files, peers by gossip. */
  private dispensable<T>(key: string, value: Buffer, shape: z.ZodType<T>): T | undefined {
    const record = decodeRecord(key, value, shape);
    if (record === undefined) this.damage.push(`the record "${key}" is damaged and was left out`);
    return record;
  }

  private refuseNewer(version: number): void {
    if (version <= STABLE_FORMAT_VERSION) return;
    const message =
      `This data directory was written in format ${version}; this program knows formats up to ${STABLE_FORMAT_VERSION}.` +
      ' Use the program that wrote it, or a newer one.';
    throw new StableStoreError('NEWER_FORMAT', message);
  }
}
