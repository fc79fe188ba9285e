/** Differences that are told one by one. */
const MOST_TOLD = 100;

/** What a comparison has found, each in a sentence. */
export class Differences {
  private readonly told: string[] = [];
  private count = 0;

  add(difference: string): void {
    if (this.count++ < MOST_TOLD) this.told.push(difference);
  }

  /** The last one may say how many more there are. */
  list(): string[] {
    const left = this.count - this.told.length;
    return left > 0 ? [...this.told, `There are ${left} more differences.`] : this.told;
  }
}
