import { invariant } from './errors';
import type { RaftState } from './raft-state';
import type { Configuration, Entry } from './types';

/** Makes an entry of this leader's term the last of the log; a configuration is in force from now on (4.1). */
export function appendOwn(
  r: RaftState,
  kind: number,
  payload: readonly Buffer[],
  count: number,
  configuration?: Configuration,
): Entry {
  invariant(r.isLeader, () => `A ${r.role} was to create an entry of term ${r.term}; only its leader may.`);
  const index = r.log.lastIndex + 1;
  const sealed = r.options.seal(kind, index, r.term, r.log.commit, payload, count);
  invariant(
    sealed.index === index && sealed.term === r.term && sealed.kind === kind,
    () =>
      `Entry ${index} of term ${r.term} and kind ${kind} was to be sealed, ` +
      `but the seal is for entry ${sealed.index} of term ${sealed.term} and kind ${sealed.kind}.`,
  );
  const entry: Entry = configuration === undefined ? sealed : { ...sealed, config: configuration };
  r.log.append(entry);
  // A configuration is let through however much waits: it may be what brings a majority back.
  r.uncommitted.add(configuration === undefined ? bytesOf(payload) : 0);
  if (configuration !== undefined) {
    r.membership.append(index, configuration);
    r.followMembers();
  }
  return entry;
}

export function bytesOf(payload: readonly Buffer[]): number {
  let bytes = 0;
  for (const part of payload) bytes += part.length;
  return bytes;
}
