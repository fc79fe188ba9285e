import type { Findings } from './findings';

const ID_START = '50a40000-0000-4000-8000-';

/**
 * Every transfer that was acknowledged, and every one that is in the log, by the number in its id: the two must be the same,
 * once each.
 */
export class Acknowledged {
  private next = 0;
  /** The offset that the caller was told, by number; -1: nothing yet; -2: refused. */
  private told: number[] = [];
  /** The offset where it was done, by number; -1: nowhere yet. */
  private done: number[] = [];

  constructor(private readonly findings: Findings) {}

  get transfers(): number {
    return this.next;
  }

  newId(): string {
    this.told[this.next] = -1;
    this.done[this.next] = -1;
    return ID_START + (this.next++).toString(16).padStart(12, '0');
  }

  tell(id: string, result: string, offset: number): void {
    this.told[numberOf(id)] = result === 'ok' ? offset : -2;
  }

  /** A record of the log says that this transfer was done there. */
  found(id: string, offset: number): void {
    if (!id.startsWith(ID_START)) return;
    const number = numberOf(id);
    const before = this.done[number];
    if (before === undefined) this.findings.add('invented', `transfer ${id} at offset ${offset} was never asked for`);
    else if (before >= 0) this.findings.add('doubled', `transfer ${id} was done at offset ${before} and at ${offset}`);
    this.done[number] = offset;
  }

  /** To be called when all callers are answered and the whole log was read. */
  compare(): void {
    this.told.forEach((told, number) => {
      const done = this.done[number]!;
      const id = ID_START + number.toString(16).padStart(12, '0');
      if (told >= 0 && done < 0)
        this.findings.add('lost', `transfer ${id} was acknowledged at offset ${told}, and is not in the log`);
      else if (told >= 0 && done !== told)
        this.findings.add('moved', `transfer ${id} was acknowledged at ${told}, and is at ${done}`);
      else if (told === -2 && done >= 0)
        this.findings.add('refused and done', `transfer ${id} was refused, and is at ${done}`);
      else if (told === -1) this.findings.add('unanswered', `transfer ${id} never got an answer`);
    });
  }
}

function numberOf(id: string): number {
  return Number.parseInt(id.slice(ID_START.length), 16);
}
