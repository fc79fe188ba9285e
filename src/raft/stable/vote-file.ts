import { dirname } from 'node:path';
import { isMissing, type FileSystem, type RandomAccessFile } from '../../log/files';
import { writeAgain } from '../../log/write-again';
import { decodeSlot, encodeSlot, SLOT_BYTES, type Slot, type SlotRecord } from './vote-slot';

const BEING_MADE = '.tmp';

/** What a vote file holds: slot 0 and slot 1. */
export type Slots = readonly [Slot, Slot];

/**
 * Term and vote of one group in two slots that are written in turn, so that a write that fails half-way leaves the one
 * before. The file has its full length from its first moment: a full disk can still record a vote.
 */
export class VoteFile {
  private constructor(private readonly file: RandomAccessFile) {}

  /** Makes the file with `first` in it, durably, in place of one that is there. */
  static async create(files: FileSystem, path: string, first: SlotRecord): Promise<VoteFile> {
    const temporary = path + BEING_MADE;
    if (await files.exists(temporary)) await files.unlink(temporary);
    const file = await files.open(temporary, 'create');
    try {
      await file.write([Buffer.alloc(2 * SLOT_BYTES)], 0);
      await file.write([encodeSlot(first)], positionOf(first.sequence));
      await file.sync();
    } finally {
      await file.close();
    }
    await files.rename(temporary, path);
    await files.syncDirectory(dirname(path));
    return new VoteFile(await files.open(path, 'update'));
  }

  /** Opens the file that is there; nothing where there is none. */
  static async open(
    files: FileSystem,
    path: string,
  ): Promise<{ readonly file: VoteFile; readonly slots: Slots } | undefined> {
    let opened: RandomAccessFile;
    try {
      opened = await files.open(path, 'update');
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
    // A process that was killed, or that met a sync that failed, leaves writes that can be read and may still get lost. One slot
    // after the other: should this write be cut short, the other one is whole.
    for (const slot of [0, 1]) await writeAgain(opened, slot * SLOT_BYTES, (slot + 1) * SLOT_BYTES);
    await files.syncDirectory(dirname(path));
    const slots: Slots = [await readSlot(opened, 0), await readSlot(opened, 1)];
    return { file: new VoteFile(opened), slots };
  }

  /** Resolves when the record is durable. */
  async write(record: SlotRecord): Promise<void> {
    await this.file.write([encodeSlot(record)], positionOf(record.sequence));
    await this.file.datasync();
  }

  async close(): Promise<void> {
    await this.file.close();
  }
}

function positionOf(sequence: number): number {
  return (sequence % 2) * SLOT_BYTES;
}

async function readSlot(file: RandomAccessFile, slot: number): Promise<Slot> {
  const bytes = Buffer.alloc(SLOT_BYTES);
  const read = await file.read(bytes, slot * SLOT_BYTES);
  const found = decodeSlot(bytes.subarray(0, read));
  if (found.kind !== 'valid' || found.record.sequence % 2 === slot) return found;
  return { kind: 'damaged', why: `it holds vote ${found.record.sequence}, which belongs into the other slot` };
}
