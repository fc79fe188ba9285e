import { type Writable } from 'node:stream';
import { ProgressBar } from '../../offline/progress-bar';
import { type ImportTally } from './import-run';

/** Milliseconds between two lines for programs. */
const LINE_EVERY = 1000;

/** How far an import is: a bar on a terminal, a line of JSON a second elsewhere. */
export class ImportProgressLine {
  private readonly bar: ProgressBar | undefined;
  private saidAt = performance.now();

  /**
   * @param stderr where a person may look
   * @param lines where programs read; they get no bar
   */
  constructor(
    stderr: Writable & { readonly isTTY?: boolean },
    private readonly lines: Writable,
    isJson: boolean,
    private readonly totalBytes: number,
  ) {
    this.bar = stderr.isTTY === true && !isJson ? new ProgressBar(stderr) : undefined;
  }

  show(bytes: number, { rows, refused }: ImportTally): void {
    if (this.bar) {
      this.bar.show(bytes, this.totalBytes, `${rows} rows, ${refused} refused`);
      return;
    }
    if (performance.now() - this.saidAt < LINE_EVERY) return;
    this.saidAt = performance.now();
    const { totalBytes } = this;
    this.lines.write(`${JSON.stringify({ progress: { bytes, totalBytes, rows, refused } })}\n`);
  }

  end(): void {
    this.bar?.clear();
  }
}
