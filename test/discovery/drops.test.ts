import { Drops } from '../../src/discovery/drops';
import { Lines } from './nodes';

test('everything is counted; each reason is logged once in ten seconds, with how many lines were left out', () => {
  let now = 0;
  const log = new Lines();
  const drops = new Drops(log, { wallMicros: () => 0, monotonicMillis: () => now });
  for (; now < 20_000; now += 1_000) {
    drops.count('malformed', { from: 'a:1' });
    drops.count('repeated', { from: 'a:1' });
  }
  drops.count('foreign_cluster', { from: 'b:1' });
  expect([...drops.snapshot()]).toEqual([
    ['malformed', 20],
    ['repeated', 20],
    ['foreign_cluster', 1],
  ]);
  expect(log.lines.map(({ fields }) => [fields['reason'], fields['suppressed']])).toEqual([
    ['malformed', 0],
    ['malformed', 9],
    ['foreign_cluster', 0],
  ]);
});
