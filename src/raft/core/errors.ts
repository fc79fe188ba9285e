/** Something that Raft proves impossible has happened: a bug, or a disk that lied. The process has to end, nothing can be trusted. */
export class RaftInvariantError extends Error {
  override readonly name = 'RaftInvariantError';
}

/** A message that no correct peer sends. It was not processed and has changed nothing: drop it, and name the peer in the log. */
export class RaftMessageError extends Error {
  override readonly name = 'RaftMessageError';
}

/** The message is a function so that nothing is formatted while all is well. */
export function invariant(holds: boolean, otherwise: () => string): asserts holds {
  if (!holds) throw new RaftInvariantError(otherwise());
}
