import { join } from 'node:path';
import { isMissing, type FileSystem } from '../../log/files';
import type { NodeId } from '../core/types';
import { groupFolder, groupFolders } from './group-folders';
import { decodeSlot, SLOT_BYTES, type SlotRecord } from './vote-slot';

/** Whom the vote files of a directory name. */
export interface VoteOwner {
  readonly clusterId: string;
  readonly nodeId: NodeId;
  readonly incarnation: number;
  /** The highest term that any of them has. */
  readonly term: number;
  /** How many groups there are. */
  readonly groups: number;
}

/**
 * Who a directory belongs to by its vote files alone, for a directory whose database does not say so any more. Undefined where
 * they do not say it with certainty: no readable record, none since the node joined, or records of two clusters.
 */
export async function ownerByVotes(files: FileSystem, dataDir: string): Promise<VoteOwner | undefined> {
  const records: SlotRecord[] = [];
  const groups = await groupFolders(files, dataDir);
  for (const group of groups) {
    records.push(...(await recordsIn(files, join(groupFolder(dataDir, group), 'vote'))));
  }
  const clusters = new Set(records.map(({ clusterId }) => clusterId).filter((id) => id !== ''));
  const [clusterId] = clusters;
  const newest = records.sort((a, b) => a.incarnation - b.incarnation || a.sequence - b.sequence).at(-1);
  if (clusters.size !== 1 || clusterId === undefined || !newest) return undefined;
  const term = Math.max(...records.map(({ hardState }) => hardState.term));
  return { clusterId, nodeId: newest.nodeId, incarnation: newest.incarnation, term, groups: groups.length };
}

async function recordsIn(files: FileSystem, path: string): Promise<SlotRecord[]> {
  try {
    const file = await files.open(path, 'read');
    try {
      const bytes = Buffer.alloc(2 * SLOT_BYTES);
      const read = bytes.subarray(0, await file.read(bytes, 0));
      const slots = [decodeSlot(read.subarray(0, SLOT_BYTES)), decodeSlot(read.subarray(SLOT_BYTES))];
      return slots.flatMap((slot) => (slot.kind === 'valid' ? [slot.record] : []));
    } finally {
      await file.close();
    }
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}
