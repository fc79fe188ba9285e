import type { FileSystem } from '../../../src/log/files';
import { SnapshotStore, type SnapshotFileMeta } from '../../../src/raft/snapshot';
import type { SeededRandom } from '../../support/seeded-random';

export const CLUSTER = 'c'.repeat(32);
export const DIRECTORY = '/data/groups/3/snapshots';

export function metaAt(index: number, term = 2): SnapshotFileMeta {
  return {
    index,
    term,
    nextOffset: index * 10,
    time: 1_700_000_000_000_000 + index,
    hash: Buffer.alloc(32, index),
    configuration: {
      voters: ['00000000000000a1'],
      votersOutgoing: [],
      learners: ['00000000000000a2'],
      servers: [
        { id: '00000000000000a1', name: 'ä', rpcAddr: '127.0.0.1:1' },
        { id: '00000000000000a2', name: 'b', rpcAddr: '127.0.0.1:2' },
      ],
    },
  };
}

export function openStore(files: FileSystem, directory = DIRECTORY): Promise<SnapshotStore> {
  return SnapshotStore.open({ directory, files, clusterId: CLUSTER, group: 3 });
}

/** Chunks of all sizes, an empty one among them. */
export function someChunks(random: SeededRandom, count: number, maxBytes = 5000): Buffer[] {
  return Array.from({ length: count }, (_, i) => random.bytes(i === 1 ? 0 : 1 + random.below(maxBytes)));
}

export async function contentOf(store: SnapshotStore, index: number): Promise<Buffer[]> {
  const reader = await store.read(index);
  try {
    const chunks: Buffer[] = [];
    for await (const chunk of reader.chunks()) chunks.push(Buffer.from(chunk));
    return chunks;
  } finally {
    await reader.close();
  }
}

/** The file of a snapshot as it would be sent, in pieces of `pieceBytes`. */
export async function piecesOf(
  store: SnapshotStore,
  index: number,
  pieceBytes: number,
): Promise<{ pieces: Buffer[]; total: number }> {
  const reader = await store.read(index);
  try {
    const pieces: Buffer[] = [];
    for (let at = 0; at < reader.bytes; at += pieceBytes) pieces.push(await reader.read(at, pieceBytes));
    return { pieces, total: reader.bytes };
  } finally {
    await reader.close();
  }
}
