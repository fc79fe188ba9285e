import { NodeError } from '../../src/api/node-port';
import type { SeededRandom } from '../support/seeded-random';
import type { Running, SimNode } from './sim-node';
import { MILLISECOND, type VirtualTime } from './virtual-time';

/** What a client knows after one attempt: the answer; that nothing happened; or nothing at all. */
export type Attempt<T> =
  | { readonly kind: 'answer'; readonly value: T }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'unknown' };

/** Between clients and nodes: requests and answers take time and get lost. */
export class Requests {
  /** Chance that a request or an answer is lost. */
  loss = 0;

  constructor(
    readonly time: VirtualTime,
    private readonly random: SeededRandom,
    private readonly fail: (error: unknown) => void,
  ) {}

  attempt<T>(node: SimNode, timeoutMs: number, work: (running: Running) => Promise<T>): Promise<Attempt<T>> {
    return new Promise((resolve) => {
      this.time.after(timeoutMs * MILLISECOND, () => resolve({ kind: 'unknown' }));
      const back = (attempt: Attempt<T>): void => this.hop(() => resolve(attempt));
      this.hop(() => {
        const { life, running } = node;
        if (!life || !running) {
          back({ kind: 'refused', reason: 'DOWN' });
          return;
        }
        life.run(() => {
          // A process that ended itself in this very step says nothing any more.
          work(running).then(
            (value) => life.isAlive && back({ kind: 'answer', value }),
            (error: unknown) => {
              const refusal = this.refusal<T>(error);
              if (life.isAlive) back(refusal);
            },
          );
        });
      });
    });
  }

  private refusal<T>(error: unknown): Attempt<T> {
    if (!(error instanceof NodeError)) {
      this.fail(error);
      return { kind: 'unknown' };
    }
    return error.reason === 'OUTCOME_UNKNOWN' ? { kind: 'unknown' } : { kind: 'refused', reason: error.reason };
  }

  private hop(arrive: () => void): void {
    if (this.random.chance(this.loss)) return;
    this.time.after(100 + this.random.below(800), arrive);
  }
}
