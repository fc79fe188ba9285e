import type { Writable } from 'node:stream';

const WIDTH = 30;
/** The bar is drawn at most so often: drawing costs more than what is counted. */
const DRAW_EVERY_MILLIS = 100;
const CLEAR_LINE = '\r\u001b[2K';

/** How far a command is, on one line of a terminal; nothing at all where nobody looks. */
export class ProgressBar {
  private drawnAt = Number.NEGATIVE_INFINITY;
  private isDrawn = false;

  constructor(
    private readonly stream: Writable & { readonly isTTY?: boolean },
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** @param total 0 where nobody knows */
  show(done: number, total: number, what: string): void {
    if (!this.stream.isTTY || this.now() - this.drawnAt < DRAW_EVERY_MILLIS) return;
    this.drawnAt = this.now();
    this.isDrawn = true;
    this.stream.write(`${CLEAR_LINE}${line(done, total, what)}`);
  }

  /** Makes way for a line of text. */
  clear(): void {
    if (!this.isDrawn) return;
    this.isDrawn = false;
    this.drawnAt = Number.NEGATIVE_INFINITY;
    this.stream.write(CLEAR_LINE);
  }
}

function line(done: number, total: number, what: string): string {
  if (total === 0) return `${what} ${bytesText(done)}`;
  const part = Math.min(1, done / total);
  const filled = Math.round(part * WIDTH);
  const bar = '█'.repeat(filled) + '░'.repeat(WIDTH - filled);
  return `${bar} ${String(Math.floor(part * 100)).padStart(3)} %  ${bytesText(done)} of ${bytesText(total)}  ${what}`;
}

export function bytesText(bytes: number): string {
  if (bytes < 1024 * 1024) return `${(bytes / 1024).toFixed(1)} KiB`;
  if (bytes < 1024 ** 3) return `${(bytes / 1024 ** 2).toFixed(1)} MiB`;
  return `${(bytes / 1024 ** 3).toFixed(2)} GiB`;
}
