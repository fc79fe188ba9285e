/** One direction of one link. */
export class Link {
  /** Milliseconds that everything takes longer. */
  delayMs = 0;
  /** Infinity: as fast as it goes. */
  bytesPerSecond = Infinity;
  private opened: (() => void)[] | undefined;

  /** Nothing passes until it is opened again: as with a cable that was pulled, nobody is told. */
  cut(): void {
    this.opened ??= [];
  }

  get isCut(): boolean {
    return this.opened !== undefined;
  }

  /** Everything as it should be. */
  mend(): void {
    this.delayMs = 0;
    this.bytesPerSecond = Infinity;
    const waiting = this.opened ?? [];
    this.opened = undefined;
    for (const resolve of waiting) resolve();
  }

  /** Resolves when so many bytes have come to the other end. */
  async carry(bytes: number): Promise<void> {
    await this.untilOpen();
    const millis = this.delayMs + (bytes * 1000) / this.bytesPerSecond;
    if (millis > 0) await new Promise((resolve) => setTimeout(resolve, millis));
    await this.untilOpen();
  }

  /** Resolves when the link is not cut. */
  untilOpen(): Promise<void> {
    const { opened } = this;
    return opened === undefined ? Promise.resolve() : new Promise((resolve) => opened.push(resolve));
  }
}

/** A connection that runs over two links, one each way. */
export interface Connection {
  readonly from: string;
  readonly to: string;
  destroy(): void;
}

/** All links between named ends, each direction on its own. */
export class Links {
  readonly connections = new Set<Connection>();
  private readonly links = new Map<string, Link>();

  between(from: string, to: string): Link {
    const key = `${from}>${to}`;
    let link = this.links.get(key);
    if (link === undefined) {
      link = new Link();
      this.links.set(key, link);
    }
    return link;
  }

  /** Breaks every connection between the two: both ends are told. */
  reset(one: string, other: string): void {
    for (const connection of this.connections) {
      const { from, to } = connection;
      if ((from === one && to === other) || (from === other && to === one)) connection.destroy();
    }
  }

  mend(): void {
    for (const link of this.links.values()) link.mend();
  }
}
