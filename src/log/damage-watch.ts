import type { LogDamage, LogDamageError } from './log-errors';

/** Places that are remembered, so that each is told once; a disk with more is told of too often rather than not at all. */
const MAX_KNOWN = 1024;

export type DamageListener = (damage: LogDamage, error: LogDamageError) => void;

/** Collects what is found damaged in a log that is open, whoever finds it: a reader, replication, the scrub. */
export class DamageWatch {
  private places = 0;
  private readonly known = new Set<string>();
  private readonly listeners = new Set<DamageListener>();

  /** Damaged places found since the log was opened, each counted once. */
  get count(): number {
    return this.places;
  }

  /** Is told of each damaged place once. @returns a function that ends it */
  subscribe(listener: DamageListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  report(error: LogDamageError): void {
    const { damage } = error;
    const place = `${damage.file}:${damage.position}:${damage.fromIndex}`;
    if (this.known.has(place)) return;
    if (this.known.size >= MAX_KNOWN) this.known.clear();
    this.known.add(place);
    this.places += 1;
    for (const listener of this.listeners) listener(damage, error);
  }

  /** The file was mended: what is found in it from now on is news. */
  mended(file: string): void {
    for (const place of this.known) if (place.startsWith(`${file}:`)) this.known.delete(place);
  }
}
