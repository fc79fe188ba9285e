import { crc32 } from 'node:zlib';
import { readU64, writeU64 } from '../../log/u64';
import { isNodeId } from '../core/configuration';
import type { HardState, NodeId } from '../core/types';

/**
 * One slot of a vote file; docs/internals/stable-storage.md says why it is as it is. As large as the largest sector in use,
 * so that writing one slot cannot touch the other.
 *
 *  0 u32 magic "LNVT"   4 u32 crc32 over bytes [0, 4) and [8, 4096)   8 u16 format version = 1   10 u16 = 0   12 u32 group
 * 16 u64 sequence      24 u64 level sequence      32 u64 term
 * 40 vote: 16 hex digits, or zeros for none      56 node id: 16 hex digits
 * 72 u32 incarnation   76 u32 = 0                 80 cluster id: 32 hex digits, or zeros      112 zeros
 */
export const SLOT_BYTES = 4096;

const MAGIC = 0x54564e4c;
const FORMAT_VERSION = 1;
const CRC_AT = 4;

export interface SlotRecord {
  readonly group: number;
  /** Counts the writes of this file, from 1 on; record n is in slot n mod 2. */
  readonly sequence: number;
  /** The newest record that `level` held durably when this one was written: its own, except while the disk was full. */
  readonly levelSequence: number;
  readonly hardState: HardState;
  readonly nodeId: NodeId;
  /** 1 for the first node that this directory was, and so on. */
  readonly incarnation: number;
  /** Empty while the node belonged to none. */
  readonly clusterId: string;
}

export type Slot =
  | { readonly kind: 'empty' }
  | { readonly kind: 'valid'; readonly record: SlotRecord }
  | { readonly kind: 'damaged'; readonly why: string };

export function encodeSlot(record: SlotRecord): Buffer {
  const slot = Buffer.alloc(SLOT_BYTES);
  slot.writeUInt32LE(MAGIC, 0);
  slot.writeUInt16LE(FORMAT_VERSION, 8);
  slot.writeUInt32LE(record.group, 12);
  writeU64(slot, record.sequence, 16);
  writeU64(slot, record.levelSequence, 24);
  writeU64(slot, record.hardState.term, 32);
  slot.write(record.hardState.vote, 40, 16, 'latin1');
  slot.write(record.nodeId, 56, 16, 'latin1');
  slot.writeUInt32LE(record.incarnation, 72);
  slot.write(record.clusterId, 80, 32, 'latin1');
  slot.writeUInt32LE(checksum(slot), CRC_AT);
  return slot;
}

/** Never throws: a slot that is not what `encodeSlot` made is damaged, with a sentence why. */
export function decodeSlot(slot: Buffer): Slot {
  if (slot.length !== SLOT_BYTES) return { kind: 'damaged', why: `it ends after ${slot.length} bytes` };
  if (slot.every((byte) => byte === 0)) return { kind: 'empty' };
  if (slot.readUInt32LE(0) !== MAGIC) return { kind: 'damaged', why: 'it does not begin like a vote' };
  if (slot.readUInt32LE(CRC_AT) !== checksum(slot)) return { kind: 'damaged', why: 'its checksum does not match' };
  const version = slot.readUInt16LE(8);
  if (version !== FORMAT_VERSION) return { kind: 'damaged', why: `it has format version ${version}` };
  const record: SlotRecord = {
    group: slot.readUInt32LE(12),
    sequence: readU64(slot, 16),
    levelSequence: readU64(slot, 24),
    hardState: { term: readU64(slot, 32), vote: text(slot, 40, 16) },
    nodeId: text(slot, 56, 16),
    incarnation: slot.readUInt32LE(72),
    clusterId: text(slot, 80, 32),
  };
  return makesSense(record) ? { kind: 'valid', record } : { kind: 'damaged', why: 'its fields make no sense' };
}

/** `readU64` gives -1 for what is no safe integer. */
function makesSense({ sequence, levelSequence, hardState, nodeId }: SlotRecord): boolean {
  return (
    sequence >= 1 &&
    levelSequence >= 1 &&
    levelSequence <= sequence &&
    hardState.term >= 0 &&
    isNodeId(nodeId) &&
    (hardState.vote === '' || isNodeId(hardState.vote))
  );
}

function checksum(slot: Buffer): number {
  return crc32(slot.subarray(8), crc32(slot.subarray(0, 4)));
}

function text(slot: Buffer, at: number, length: number): string {
  const end = slot.subarray(at, at + length).every((byte) => byte === 0) ? at : at + length;
  return slot.toString('latin1', at, end);
}
