/** Simulated time is counted in microseconds from the start of the run. */
export const MILLISECOND = 1_000;
export const SECOND = 1_000_000;

interface ScheduledEvent {
  readonly at: number;
  /** Events of the same moment happen in the order in which they were asked for. */
  readonly order: number;
  readonly task: () => void;
  cancelled: boolean;
}

/**
 * The only clock and the only source of events in a simulation. Between two events all promises that can go on do go on:
 * one event and what follows from it at once are one step.
 */
export class VirtualTime {
  now = 0;
  /** Events that have happened. */
  events = 0;
  private readonly heap: ScheduledEvent[] = [];
  private orders = 0;

  /** Runs `task` after `micros`. @returns how to prevent it */
  after(micros: number, task: () => void): () => void {
    const event = { at: this.now + Math.max(0, Math.round(micros)), order: this.orders++, task, cancelled: false };
    this.push(event);
    return () => {
      event.cancelled = true;
    };
  }

  sleep(micros: number): Promise<void> {
    return new Promise((resolve) => this.after(micros, resolve));
  }

  /** Makes the next event happen, and all that follows from it without another one. @returns false where there is none */
  async step(): Promise<boolean> {
    for (let event = this.pop(); event; event = this.pop()) {
      if (event.cancelled) continue;
      this.now = event.at;
      this.events += 1;
      event.task();
      // Node runs every promise that is ready before the next immediate, so this is the end of the step on any machine.
      await new Promise((resolve) => setImmediate(resolve));
      return true;
    }
    return false;
  }

  private push(event: ScheduledEvent): void {
    const { heap } = this;
    let at = heap.push(event) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(event, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = event;
  }

  private pop(): ScheduledEvent | undefined {
    const { heap } = this;
    const first = heap[0];
    const last = heap.pop();
    if (!first || !last || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child += 1;
      if (!isBefore(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

function isBefore(a: ScheduledEvent, b: ScheduledEvent): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
