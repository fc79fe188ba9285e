/** The consensus core: pure, in etcd's shape. See docs/internals/raft.md. */
export * from './types';
export * from './messages';
export * from './options';
export * from './ready';
export * from './status';
export { RaftCore } from './core';
export { isAtLeast } from './raft-log';
export { RaftInvariantError, RaftMessageError } from './errors';
export {
  ConfigurationFormatError,
  decodeConfiguration,
  EMPTY_CONFIGURATION,
  encodeConfiguration,
} from './configuration';
