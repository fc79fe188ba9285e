import { crc32 } from 'node:zlib';
import { z } from 'zod';
import { canonicalConfiguration, configurationFault, isNodeId } from '../core/configuration';

/** Records in the database: a checksum over key and value, then JSON. A record under the wrong key is a damaged one. */
export const STABLE_FORMAT_VERSION = 1;

const CRC_BYTES = 4;

const count = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const nodeId = z.string().refine(isNodeId);

const configuration = z
  .object({
    voters: z.array(nodeId),
    votersOutgoing: z.array(nodeId),
    learners: z.array(nodeId),
    servers: z.array(z.object({ id: nodeId, name: z.string(), rpcAddr: z.string() })),
    removed: z.array(z.object({ id: nodeId, name: z.string() })).default([]),
  })
  .transform(canonicalConfiguration)
  .refine((value) => configurationFault(value) === undefined);

export const identityRecord = z.object({
  formatVersion: count,
  clusterId: z.string().regex(/^([0-9a-f]{32})?$/),
  nodeName: z.string().min(1),
  nodeId,
  createdAt: count,
  partitions: count,
  /** 1 for the first node that this directory was. */
  incarnation: count.min(1),
});
export type IdentityRecord = z.infer<typeof identityRecord>;

export const voteRecord = z.object({
  sequence: count.min(1),
  hardState: z.object({ term: count, vote: z.union([nodeId, z.literal('')]) }),
});

export const snapshotRecord = z.object({ index: count, term: count, file: z.string(), configuration });

export const positionRecord = z.object({ index: count, term: count });

export const peersRecord = z.array(z.string());

export const IDENTITY_KEY = 'identity';
export const PEERS_KEY = 'peers';
export type GroupRecordName = 'vote' | 'snapshot' | 'loss' | 'end';

export function groupKey(group: number, name: GroupRecordName): string {
  return `group/${group}/${name}`;
}

/** The group and name of a key that `groupKey` made. */
export function parseGroupKey(key: string): { readonly group: number; readonly name: string } | undefined {
  const match = /^group\/(0|[1-9][0-9]{0,9})\/([a-z]+)$/.exec(key);
  return match ? { group: Number(match[1]), name: match[2] ?? '' } : undefined;
}

export function encodeRecord(key: string, value: unknown): Buffer {
  const json = Buffer.from(JSON.stringify(value));
  const record = Buffer.allocUnsafe(CRC_BYTES + json.length);
  record.writeUInt32LE(checksum(key, json), 0);
  json.copy(record, CRC_BYTES);
  return record;
}

/** Undefined for anything that `encodeRecord` did not make under this key, or that is not of this shape. */
export function decodeRecord<T>(key: string, record: Buffer, shape: z.ZodType<T>): T | undefined {
  const json = record.subarray(CRC_BYTES);
  if (record.length < CRC_BYTES || record.readUInt32LE(0) !== checksum(key, json)) return undefined;
  const parsed = shape.safeParse(JSON.parse(json.toString('utf8')));
  return parsed.success ? parsed.data : undefined;
}

function checksum(key: string, json: Buffer): number {
  return crc32(json, crc32(Buffer.from(key)));
}
