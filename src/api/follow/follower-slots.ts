/** How many streams may live on at once: each of them holds on to memory for as long as its reader likes. */
import { Fault } from '../errors';

export class FollowerSlots {
  private taken = 0;

  constructor(private readonly max: number) {}

  /** Throws RESOURCE_EXHAUSTED where there is no room. The returned function gives the slot back; more than once does no harm. */
  take(): () => void {
    if (this.taken >= this.max) {
      const message = `This node serves ${this.max} streams that follow it, and no more; ask another one, or close some.`;
      throw new Fault('RESOURCE_EXHAUSTED', 'TOO_MANY_STREAMS', message);
    }
    this.taken++;
    let given = false;
    return () => {
      if (!given) this.taken--;
      given = true;
    };
  }
}
