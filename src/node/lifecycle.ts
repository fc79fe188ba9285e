import type { EventLog } from '../raft/replica/environment';

interface Part {
  readonly name: string;
  readonly stop: () => Promise<void> | void;
}

/** What was started, so that it is stopped in the reverse order, each part once, whatever the others do. */
export class Lifecycle {
  private readonly parts: Part[] = [];
  private stopping: Promise<void> | undefined;

  constructor(private readonly events: EventLog) {}

  /** Called right after a part has started. */
  started(name: string, stop: () => Promise<void> | void): void {
    this.parts.push({ name, stop });
  }

  /** Stops everything; the same promise for every call. */
  stop(): Promise<void> {
    this.stopping ??= this.stopAll();
    return this.stopping;
  }

  private async stopAll(): Promise<void> {
    for (let part = this.parts.pop(); part; part = this.parts.pop()) {
      try {
        await part.stop();
        this.events.debug({ part: part.name }, 'stopped');
      } catch (error) {
        // The others hold files and sockets of their own: they are closed all the same.
        this.events.error({ part: part.name, err: error }, 'did not stop cleanly');
      }
    }
  }
}
