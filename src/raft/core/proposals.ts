import { hasCommittedInTerm } from './commit';
import { encodeConfiguration, isJoint, isVoter } from './configuration';
import { changedConfiguration, leftJoint, promotedBy } from './configuration-change';
import { invariant } from './errors';
import { appendOwn, bytesOf } from './leader-log';
import type { RaftState } from './raft-state';
import {
  EntryKind,
  NOBODY,
  type Configuration,
  type ConfigurationChange,
  type ConfigurationRefusal,
  type NodeId,
  type Proposed,
  type ProposeRefusal,
} from './types';

export function propose(
  r: RaftState,
  kind: number,
  payload: readonly Buffer[],
  count: number,
): Proposed | ProposeRefusal {
  invariant(
    kind !== EntryKind.noop && kind !== EntryKind.configuration,
    () => `An entry of kind ${kind} was proposed; the core makes those itself.`,
  );
  const refusal = refusalNow(r);
  if (refusal !== undefined) return refusal;
  if (!r.uncommitted.hasRoomFor(bytesOf(payload))) return 'too_much_uncommitted';
  return positionOf(appendOwn(r, kind, payload, count));
}

/**
 * One change at a time, and none before this leader has committed in its term: two leaders could otherwise each change the
 * same old configuration, with majorities that do not overlap (Ongaro's erratum of 2015 to dissertation 4.1).
 */
export function proposeConfiguration(r: RaftState, change: ConfigurationChange): Proposed | ConfigurationRefusal {
  const refusal = refusalNow(r);
  if (refusal !== undefined) return refusal;
  if (!hasCommittedInTerm(r)) return 'not_committed_in_term';
  if (r.membership.index > r.log.applied || isJoint(r.configuration)) return 'change_pending';
  const to = changedConfiguration(r.configuration, change);
  if (typeof to === 'string') return to;
  if (promotedBy(r.configuration, change).some((id) => !isCaughtUp(r, id))) return 'learner_not_caught_up';
  return positionOf(appendConfiguration(r, to));
}

/** The joint configuration is committed: its leader goes on to the new one by itself (4.3). */
export function leaveJointIfCommitted(r: RaftState): void {
  if (!isJoint(r.configuration) || !hasCommittedInTerm(r) || r.membership.index > r.log.commit) return;
  appendConfiguration(r, leftJoint(r.configuration));
}

/** Its removal is committed; it has not counted itself for that, and others go on without it (4.2.2). */
export function isRemovedLeader(r: RaftState): boolean {
  return r.isLeader && !isVoter(r.configuration, r.id) && r.membership.index <= r.log.commit;
}

function appendConfiguration(r: RaftState, configuration: Configuration): Proposed {
  return appendOwn(r, EntryKind.configuration, [encodeConfiguration(configuration)], 0, configuration);
}

function refusalNow(r: RaftState): 'not_leader' | 'transferring' | 'leaving' | undefined {
  if (!r.isLeader) return 'not_leader';
  if (r.transferee !== NOBODY) return 'transferring';
  return isVoter(r.configuration, r.id) ? undefined : 'leaving';
}

/** As a voter it would hold nothing up: it answers, and is behind by less than the window of appends on their way. */
function isCaughtUp(r: RaftState, id: NodeId): boolean {
  const peer = r.progress.get(id);
  if (peer === undefined) return id === r.id;
  return peer.state === 'replicate' && peer.recentActive && peer.match + r.options.maxInflightMessages >= r.log.commit;
}

function positionOf(entry: Proposed): Proposed {
  return { index: entry.index, term: entry.term };
}
