/** Random bytes that can be had again. */

/** xorshift32 (Marsaglia, 2003). */
class Junk {
  constructor(private state: number) {}

  private next(): number {
    this.state ^= this.state << 13;
    this.state ^= this.state >>> 17;
    this.state ^= this.state << 5;
    return this.state >>> 0;
  }

  /** A whole number from 0 to `limit` - 1. */
  below(limit: number): number {
    return this.next() % limit;
  }

  bytes(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.next() >>> 24));
  }
}

const SEED = Number(process.env['API_SEED'] ?? 1 + Math.floor(Math.random() * 2 ** 31));
let announced = false;

/** The same bytes for the same name in a run with the same seed, API_SEED or else a new one, which is printed. */
export function junkOf(name: string): Junk {
  if (!announced) process.stderr.write(`to repeat: API_SEED=${SEED} npx jest test/api\n`);
  announced = true;
  let state = SEED;
  for (const character of name) state = Math.imul(state ^ character.charCodeAt(0), 16777619);
  return new Junk(state === 0 ? 1 : state);
}
