import type { EventLog } from '../raft/replica/environment';

interface Part {
  readonly name: string;
  readonly stop: () => Promise<void> | void;
}

/** What was started, so that it is stopped in the reverse order, each part once, whatever the others do. */
export class Lifecycle {
  private readonly parts: Part[] = [];
  private stopping: Promise<void> | undefined;
  private stopped = false;

  constructor(private readonly events: EventLog) {}

  /**
   * Called right after a part has started. A stop may have overtaken the start: then nobody would stop the part later, so
   * it is stopped at once, and this throws, so that nothing more is started.
   */
  started(name: string, stop: () => Promise<void> | void): void {
    const part = { name, stop };
    if (!this.stopped) {
      this.parts.push(part);
      return;
    }
    void this.stopPart(part);
    throw new Error(`"${name}" was started while the node was stopping; it is stopped again.`);
  }

  /** Stops everything; the same promise for every call. Never rejects. */
  stop(): Promise<void> {
    this.stopping ??= this.stopAll();
    return this.stopping;
  }

  private async stopAll(): Promise<void> {
    for (let part = this.parts.pop(); part; part = this.parts.pop()) await this.stopPart(part);
    this.stopped = true;
  }

  private async stopPart(part: Part): Promise<void> {
    try {
      await part.stop();
      this.events.debug({ part: part.name }, 'stopped');
    } catch (error) {
      // The others hold files and sockets of their own: they are closed all the same.
      this.events.error({ part: part.name, err: error }, 'did not stop cleanly');
    }
  }
}
