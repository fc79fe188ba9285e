/** A state that must not be: the program is wrong, or its memory is. Stopping is better than going on with money. */
export class InvariantViolation extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'InvariantViolation';
  }
}

/** Kept on in production. `message` is a full sentence; build it only after the test where it needs building. */
export function invariant(condition: boolean, message: string): asserts condition {
  if (!condition) throw new InvariantViolation(message);
}
