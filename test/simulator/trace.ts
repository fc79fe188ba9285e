import { createHash } from 'node:crypto';

const KEPT = 60;

/** Everything that happened, as one line each: a digest of all, the text of the last ones. */
export class Trace {
  private readonly digest = createHash('sha256');
  private readonly last: string[] = [];
  private next = 0;

  /** @param all gets every line, where somebody wants to read them all */
  constructor(
    private readonly now: () => number,
    private readonly all: (line: string) => void = () => undefined,
  ) {}

  add(who: string, what: string): void {
    const line = `${(this.now() / 1_000_000).toFixed(6)} ${who} ${what}`;
    this.digest.update(line).update('\n');
    this.last[this.next % KEPT] = line;
    this.next += 1;
    this.all(line);
  }

  /** SHA-256 of all lines so far: two runs with the same one did the same. */
  hash(): string {
    return this.digest.copy().digest('hex');
  }

  lastLines(): string[] {
    const from = this.next % KEPT;
    return this.next <= KEPT ? [...this.last] : [...this.last.slice(from), ...this.last.slice(0, from)];
  }
}
