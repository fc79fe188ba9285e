/** Milliseconds; far beyond what anything here takes on a busy machine. */
const DEADLINE = 150_000;
const POLL = 5;

/** Resolves when `condition` holds; rejects with `what` and `describe()` when it does not within a minute. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  describe: () => string = () => '',
): Promise<void> {
  const deadline = performance.now() + DEADLINE;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`It was waited in vain until ${what}. ${describe()}`);
    await new Promise((resolve) => setTimeout(resolve, POLL));
  }
}
