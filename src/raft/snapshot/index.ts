/** Whole-file snapshots of one group's state. See docs/internals/stable-storage.md. */
export { isAttachment, type Attachment, type AttachmentStore } from './attachment';
export type { IncomingSnapshot } from './incoming-snapshot';
export { SnapshotError, type SnapshotErrorCode } from './snapshot-error';
export type { SnapshotFileMeta, SnapshotOwner } from './snapshot-format';
export { SnapshotReader } from './snapshot-reader';
export { SnapshotStore, type RefusedSnapshot, type SnapshotStoreOptions, type StoredSnapshot } from './snapshot-store';
