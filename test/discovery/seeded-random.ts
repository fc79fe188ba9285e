/** A repeatable source (mulberry32). The command printed on failure repeats the run. */
export class SeededRandom {
  private state: number;

  constructor(readonly seed: number) {
    this.state = seed >>> 0;
  }

  next(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), this.state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  below(bound: number): number {
    return Math.floor(this.next() * bound);
  }

  bytes(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.below(256)));
  }
}

/** The seed of this run: GOSSIP_SEED, or a new one, printed with the command that repeats the test. */
export function seededRandom(file: string): SeededRandom {
  const seed = Number(process.env['GOSSIP_SEED'] ?? Math.floor(Math.random() * 2 ** 32));
  process.stderr.write(`to repeat: GOSSIP_SEED=${seed} npx jest ${file}\n`);
  return new SeededRandom(seed);
}
