import { soak } from '../soak/soak';

const SECONDS = 30;

/** What `./scripts/soak` does for as long as one likes. */
test('half a minute of real faults between real processes: nothing lost, doubled, or from the past', async () => {
  const faults: string[] = [];
  const { signal } = new AbortController();
  const report = await soak({ seed: 5, nodes: 3, seconds: SECONDS, signal, onFault: (text) => faults.push(text) });
  if (report.findings.length > 0) throw new Error([...faults, JSON.stringify(report.findings, null, 2)].join('\n'));
  // A run in which nothing happens would prove nothing.
  expect(faults.length).toBeGreaterThan(10);
  expect(report.checkedOperations).toBeGreaterThan(100);
  expect(report.reads).toBeGreaterThan(10);
  expect(report.records).toBeGreaterThan(100);
}, 300_000);
