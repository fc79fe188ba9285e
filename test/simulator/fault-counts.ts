/** How often each kind of fault happened. */
export class FaultCounts {
  private readonly counts = new Map<string, number>();

  add(kind: string, times = 1): void {
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + times);
  }

  addAll(other: FaultCounts): void {
    for (const [kind, times] of other.counts) this.add(kind, times);
  }

  get(kind: string): number {
    return this.counts.get(kind) ?? 0;
  }

  /** By kind, alphabetically. */
  entries(): (readonly [kind: string, times: number])[] {
    return [...this.counts].sort(([a], [b]) => (a < b ? -1 : 1));
  }
}
