/** What is small and must survive everything. See docs/internals/stable-storage.md. */
export { DataDirInUseError, DataDirLock } from './data-dir-lock';
export { auditLevel, type LevelFault } from './level-audit';
export { LevelStableStore, type LevelStableStoreOptions } from './level-stable-store';
export { recreateStable } from './recreate';
export { systemProcesses, type ProcessTable } from './process-table';
export {
  MAX_KNOWN_PEERS,
  StableStoreError,
  type NodeIdentity,
  type SnapshotPointer,
  type StableStore,
  type StableStoreErrorCode,
  type VoteState,
} from './stable-store';
export { whenRoom } from './when-room';
export { ownerByVotes, type VoteOwner } from './vote-owner';
