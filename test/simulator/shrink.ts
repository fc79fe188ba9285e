import type { Choice } from './choice';
import { FAULT_KINDS } from './fault-plan';
import { runSeed, type SeedFailure } from './seed-run';

/** A smaller choice for the same seed, and what it finds. */
export interface Shrunk {
  readonly choice: Choice;
  readonly failure: SeedFailure;
  readonly runs: number;
}

/**
 * Looks for a shorter run with fewer kinds of faults in which the same property is violated. Each change makes another run
 * of the same seed, so not every path to the fault is left over; what is found fails, and is easier to read.
 */
export async function shrunk(given: Choice, found: SeedFailure, run = runSeed): Promise<Shrunk> {
  let choice = given;
  let failure = found;
  let runs = 0;
  const property = propertyOf(found);
  const attempt = async (smaller: Choice): Promise<boolean> => {
    runs += 1;
    const result = await run(smaller.seed, smaller);
    if (result.kind === 'clean' || propertyOf(result.failure) !== property) return false;
    choice = smaller;
    failure = result.failure;
    return true;
  };
  const shorten = async (): Promise<void> => {
    for (let seconds = 1; seconds < choice.seconds; seconds = Math.ceil(seconds * 1.4)) {
      if (await attempt({ ...choice, seconds })) return;
    }
  };
  await shorten();
  for (const kind of FAULT_KINDS) {
    if (!choice.without.includes(kind)) await attempt({ ...choice, without: [...choice.without, kind] });
  }
  await shorten();
  return { choice, failure, runs };
}

/** `Violation: property` or the name of the error. */
function propertyOf({ message }: SeedFailure): string {
  const [name, property] = message.split(': ');
  return name === 'Violation' ? `${name}: ${property}` : name!;
}
