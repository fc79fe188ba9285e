import { DiskSpace, reserveFor } from '../log/disk-space';
import { systemScheduler } from '../raft/replica/environment';
import type { GroupOptions } from './group-options';

/** Watches the disk that a group's folder is on, and says when it is full and when it has room again. */
export function watchDisk({ config, data, events }: GroupOptions): Promise<DiskSpace> {
  const { dataDir: directory } = config;
  return DiskSpace.open({
    files: data.files,
    directory,
    reserveBytes: reserveFor(config.segmentBytes),
    every: (millis, task) => systemScheduler.every(millis, task),
    onChange: (full, freeBytes) => {
      if (full) events.error({ freeBytes, directory }, 'the disk is full: no writes are taken, reads go on; make room');
      else events.info({ freeBytes, directory }, 'the disk has room again: writes are taken');
    },
    onUnknown: (error) => events.warn({ err: error, directory }, 'how much room the disk has could not be found out'),
  });
}
