import type { Writable } from 'node:stream';
import type { Finding } from '../../offline/finding';
import { ProgressBar } from './progress-bar';

/** What an offline command says: lines for people, or one JSON document a line for programs. Progress goes to stderr. */
export class Printer {
  private readonly bar: ProgressBar;

  constructor(
    readonly json: boolean,
    private readonly stdout: Writable = process.stdout,
    stderr: Writable & { readonly isTTY?: boolean } = process.stderr,
  ) {
    this.bar = new ProgressBar(stderr);
  }

  progress(done: number, total: number, what: string): void {
    this.bar.show(done, total, what);
  }

  finding(finding: Finding): void {
    const { kind, file, position, what, fromIndex, toIndex } = finding;
    const entries = fromIndex === undefined || toIndex === undefined ? '' : ` Entries ${fromIndex} to ${toIndex}.`;
    this.say({ type: kind, ...finding, kind: undefined }, `${kind}: ${file} at byte ${position}: ${what}${entries}`);
  }

  /** @param document `type` says what it is; what is undefined is left out */
  say(document: object, line: string): void {
    this.bar.clear();
    this.stdout.write(`${this.json ? JSON.stringify(document) : line}\n`);
  }

  end(): void {
    this.bar.clear();
  }
}
