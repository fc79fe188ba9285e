import type { RoomOnDisk } from '../../log/disk-space';
import { StableStoreError } from './stable-store';

/** What LevelDB takes for its files when it is opened again, and more. */
const RECORD_ROOM_BYTES = 256 * 1024;

/**
 * Saves a record that has to be saved before anything goes on: on a full disk as soon as there is room.
 * @throws DiskFullError when the wait is given up, and what `save` rejects with otherwise
 */
export async function whenRoom(space: RoomOnDisk | undefined, save: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      await save();
      return;
    } catch (error) {
      if (!space || !(error instanceof StableStoreError) || error.code !== 'DISK_FULL') throw error;
    }
    await space.untilRoom(RECORD_ROOM_BYTES);
  }
}
