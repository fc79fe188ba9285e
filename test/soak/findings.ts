/** Something happened that must not. */
export interface Finding {
  readonly what: string;
  readonly details: string;
}

const MOST = 50;

/** What a run has found; a fault that repeats itself does not fill the memory. */
export class Findings {
  readonly all: Finding[] = [];

  add(what: string, details: string): void {
    if (this.all.length < MOST) this.all.push({ what, details });
  }
}
