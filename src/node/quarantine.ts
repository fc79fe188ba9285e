import { NodeError } from '../api/node-port';
import { CallError } from '../raft/transport';

/** Until a node is started again: its state is not that of its peers, so that nothing it says can be believed. */
export class Quarantine {
  private because: string | undefined;
  private readonly told: (() => void)[] = [];

  /** One sentence; undefined while there is nothing wrong. */
  get why(): string | undefined {
    return this.because;
  }

  /** Calls `listener` when the node is shut off. */
  onEnter(listener: () => void): void {
    this.told.push(listener);
  }

  enter(why: string): void {
    if (this.because !== undefined) return;
    this.because = why;
    for (const listener of this.told) listener();
  }

  /** Throws the refusal of whoever asks this node for something. */
  assertClear(): void {
    if (this.because === undefined) return;
    throw new NodeError('UNAVAILABLE', 'STATE_DIVERGED', `${this.because} Ask another node.`);
  }

  /** A peer's call, refused in the same way. */
  guarded<C>(handler: (call: C) => Promise<Buffer>): (call: C) => Promise<Buffer> {
    return async (call) => {
      if (this.because === undefined) return handler(call);
      throw new CallError('UNAVAILABLE', 'STATE_DIVERGED', this.because, { sent: true });
    };
  }
}
