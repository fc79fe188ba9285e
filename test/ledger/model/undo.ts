import { type Content, type Facts } from './facts';

/**
 * What is needed to put the facts back as they are now, after transfers with these contents were done or tried: copies of
 * everything that they can change. Objects stay the same objects, since others point to them.
 */
export function rememberFacts(facts: Facts, contents: readonly Content[]): () => void {
  const { accounts, holdOf, holds, transfers } = facts;
  const known = contents.flatMap(({ to }) => [transfers.get(to), holdOf.get(to)]);
  const objects = [...accounts, ...known].filter((one) => one !== undefined);
  const copies = objects.map((object) => ({ ...object }));
  const isNew = contents.filter(({ id }) => !transfers.has(id));
  const [accountCount, holdCount] = [accounts.length, holds.length];
  return () => {
    objects.forEach((object, i) => Object.assign(object, copies[i]));
    accounts.length = accountCount;
    holds.length = holdCount;
    for (const { id } of isNew) {
      transfers.delete(id);
      holdOf.delete(id);
    }
  };
}
