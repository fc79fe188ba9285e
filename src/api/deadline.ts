/** How long the server may work on a call, and what happens when something inside does not keep to it. */
import { NodeError } from './node-port';

/** Answers go out when this share of the caller's time is spent, rather than not at all. */
const SHARE_OF_WORK = 0.8;
/** What does not keep its own deadline is given up after this share. */
const SHARE_OF_PATIENCE = 0.9;

export interface Budget {
  /** For the node: by then it answers, if only that it cannot. */
  readonly workMs: number;
  /** For the door: by then it answers without the node. */
  readonly patienceMs: number;
}

/** @param remainingMs what the caller gives, from now on; Infinity where it named no deadline */
export function budgetOf(remainingMs: number, defaultMs: number): Budget {
  const whole = remainingMs === Infinity ? defaultMs / SHARE_OF_WORK : Math.max(remainingMs, 1);
  return { workMs: Math.max(1, whole * SHARE_OF_WORK), patienceMs: Math.max(1, whole * SHARE_OF_PATIENCE) };
}

/** For one step of a stream: what is left of the caller's time, but no more than the default. */
export function stepBudget(remainingMs: number, defaultMs: number): Budget {
  return budgetOf(Math.min(remainingMs, defaultMs / SHARE_OF_WORK), defaultMs);
}

/** Whether what is given up may still take effect. */
export type Effect = 'write' | 'read';

/**
 * Settles as `work` does, or rejects after `ms` milliseconds: UNAVAILABLE, for a write with reason OUTCOME_UNKNOWN. The
 * node keeps its own deadlines; this is for the day it does not, because no call may hang. Infinity: the caller keeps time.
 */
export function within<T>(work: Promise<T>, ms: number, effect: Effect): Promise<T> {
  if (ms === Infinity) return work;
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(tooLate(effect)), ms);
    // A caller whose connection is closed already is no reason for the process to live on.
    timer.unref();
    work.then(
      (value) => {
        clearTimeout(timer);
        resolve(value);
      },
      (error: unknown) => {
        clearTimeout(timer);
        reject(error instanceof Error ? error : new Error(String(error)));
      },
    );
  });
}

function tooLate(effect: Effect): NodeError {
  return effect === 'write'
    ? new NodeError(
        'UNAVAILABLE',
        'OUTCOME_UNKNOWN',
        'The node did not answer in time; whether it was done is not known. Ask for it, or repeat it with the same id.',
      )
    : new NodeError('UNAVAILABLE', 'NO_ANSWER', 'The node did not answer in time. Ask again or ask another node.');
}
