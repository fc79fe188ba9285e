import type { Limits } from '../../api/limits';
import { NodeError, type NodeErrorCode } from '../../api/node-port';
import type { FoundRows } from './found-rows';

/** What the thread of a rehearsal has to know of the state before it comes. */
export interface RehearsalData {
  readonly hashSeed: number;
  /** Rows of transfers that the copy leaves to the archive, and the hash behind the last of them. */
  readonly archived: number;
  readonly chain: Uint8Array;
  /** Of the state that is copied. */
  readonly position: { readonly token: string; readonly offset: number };
  readonly limits: Limits;
  /** The thread tries no more once its arrays and objects take so many bytes. */
  readonly memoryBytes: number;
}

export type ToRehearsal =
  /** First of all. */
  | { readonly type: 'begin'; readonly data: RehearsalData }
  /** Some of the frames of a snapshot, in order. */
  | { readonly type: 'state'; readonly bytes: Uint8Array }
  /** All of them were sent. */
  | { readonly type: 'complete' }
  /** An encoded DryRunRequest. */
  | { readonly type: 'decide'; readonly request: Uint8Array }
  /** Rows of the archive that were asked for. */
  | { readonly type: 'found'; readonly found: FoundRows }
  | { readonly type: 'balances' };

export type FromRehearsal =
  /** Bytes of the state that were read. */
  | { readonly type: 'taken'; readonly bytes: number }
  | { readonly type: 'ready' }
  | { readonly type: 'lookUp'; readonly ids: Uint32Array }
  /** An encoded DryRunResponse; none: there are no more balances. */
  | { readonly type: 'answer'; readonly bytes?: Uint8Array }
  | { readonly type: 'failed'; readonly code: NodeErrorCode; readonly reason: string; readonly message: string };

/** Its memory, or what it may have of it, is used up. Waiting does not help, so it is no RESOURCE_EXHAUSTED. */
export function tooLarge(what: string): NodeError {
  const message = `${what} Nothing was done. Try a part of it, or ask a node with a smaller state.`;
  return new NodeError('FAILED_PRECONDITION', 'DRY_RUN_TOO_LARGE', message);
}

/** The thread is gone, or the state that it has a copy of. */
export function rehearsalEnded(why: string, cause?: unknown): NodeError {
  const message = `The dry run has ended: ${why}. Nothing was done; begin it again.`;
  return new NodeError('UNAVAILABLE', 'DRY_RUN_ENDED', message, { cause });
}
