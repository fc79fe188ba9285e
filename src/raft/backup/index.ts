/** Backups of one group. See docs/internals/on-disk-layout.md. */
export { BackupError, snapshotBytes, type BackupHeader } from './backup-format';
export { BackupReader } from './backup-reader';
export type { BackedUpEntries, BackupSource } from './backup-source';
export { writeBackup } from './backup-writer';
