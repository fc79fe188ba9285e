import type { DiskSpace } from '../log/disk-space';
import type { DataDirectory } from './data-directory';
import type { GroupOptions } from './group-options';
import type { RepairPeers } from './log-repair';

/** What storage needs of the node: no more, so that it also runs on a simulated disk. */
export interface GroupStorageOptions extends Pick<GroupOptions, 'events' | 'fatal' | 'rules' | 'ids'> {
  readonly config: Pick<GroupOptions['config'], 'dataDir' | 'segmentBytes' | 'snapshotBytes' | 'retentionBytes'> &
    Partial<Pick<GroupOptions['config'], 'retentionAge'>>;
  readonly data: GroupFolder;
  /** Who can be asked for what this disk has lost; without them what cannot be mended alone is refused. */
  readonly peers?: RepairPeers;
  /** How much room the disk has; without it a full disk ends the process. Closed by whoever opened it. */
  readonly space?: DiskSpace;
}

export type GroupFolder = Pick<DataDirectory, 'files' | 'stable' | 'clusterId' | 'nodeId' | 'groupFolder'>;
