/** Differences that are told one by one. */
const MOST_TOLD = 100;

/** What a comparison has found, each in a sentence. */
export class Differences {
  private readonly told: string[] = [];
  private total = 0;

  /** Of those that are not told, too. */
  get count(): number {
    return this.total;
  }

  add(difference: string): void {
    if (this.total++ < MOST_TOLD) this.told.push(difference);
  }

  /** The last one may say how many more there are. */
  list(): string[] {
    const left = this.total - this.told.length;
    return left > 0 ? [...this.told, `There are ${left} more differences.`] : this.told;
  }
}
