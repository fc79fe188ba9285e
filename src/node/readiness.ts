import type { Readiness } from '../api/node-port';
import type { GroupRuntime } from './group-runtime';
import type { Quarantine } from './quarantine';

/** What the node itself knows of how far its start is. */
export interface StartProgress {
  readonly isStopping: boolean;
  readonly isOpen: boolean;
  /** Index that was committed when the node started; undefined before it was heard. */
  readonly commitAtStart: number | undefined;
}

/** Whether calls are answered here, and why not. */
export function readinessOf(
  group: (Pick<GroupRuntime, 'replica' | 'space'> & { readonly quarantine?: Quarantine }) | undefined,
  { isStopping, isOpen, commitAtStart }: StartProgress,
): Readiness {
  if (isStopping) return notReady('the node is stopping');
  if (!group) return notReady('the node does not belong to a cluster yet');
  if (!isOpen) return notReady('the node is starting');
  const { quarantine, replica, space } = group;
  if (quarantine?.why !== undefined) return notReady(quarantine.why);
  if (replica.leaderId === '') return notReady('no leader is known');
  if (commitAtStart === undefined) return notReady('how far the log is committed was not heard yet');
  const { appliedIndex } = replica;
  if (appliedIndex < commitAtStart) {
    return notReady(`index ${appliedIndex} is applied, ${commitAtStart} was committed at the start`);
  }
  return {
    ready: true,
    why: 'a leader is known and what was committed at the start is applied',
    ...(space.full && { warning: 'the disk is full: this node takes no writes while it leads' }),
  };
}

function notReady(why: string): Readiness {
  return { ready: false, why };
}
