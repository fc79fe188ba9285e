import { check } from '../random-runs';
import fc from 'fast-check';
import { ResultCode, resultName } from '../../../src/ledger/result-codes';
import { LongHistory } from './long-history';
import { main } from './main';

test('a history of some thousand operations agrees with the model, a replay and its snapshots', () => {
  const property = fc.property(fc.nat(2 ** 31), (seed) => {
    new LongHistory(seed).run(6000);
  });
  check('long-history', 2, property);
});

test('comes to every result that a random history can come to', () => {
  const { results } = new LongHistory(1).run(20_000);
  // Of shape, of the record's bytes, of bounded memory, or of openings with content that these histories do not vary.
  const others =
    /malformed|id_|precision|not_be_zero|too_large|in_future|options|scale|ledger_not_found|different_(user_data|metadata|ledger|effective|imported|timeout|reverses|pending)/;
  const names = Object.values(ResultCode).filter((code): code is ResultCode => typeof code === 'number');
  const missing = names.map(resultName).filter((name) => !others.test(name) && !results.has(name));
  expect(missing).toEqual([]);
});

test('agrees with the rows in Postgres', async () => {
  const lines: string[] = [];
  const write = (text: string): void => void lines.push(text);
  expect(await main(['--operations', '5000', '--postgres'], write)).toBe(0);
  expect(lines.at(-1)).toMatch(/accounts and \d{4} transfers in Postgres agree/);
}, 120_000);

test('agrees on three nodes, whatever of them was away or led, and in the database of each', async () => {
  const lines: string[] = [];
  const write = (text: string): void => void lines.push(text);
  expect(await main(['--operations', '6000', '--cluster'], write)).toBe(0);
  expect(lines.at(-2)).toMatch(/model, replay and three nodes agree/);
  expect(lines.at(-1)).toMatch(/transfers in each of three databases agree/);
}, 300_000);

test('says how to repeat what it found, and refuses what makes no sense', async () => {
  const lines: string[] = [];
  const write = (text: string): void => void lines.push(text);
  expect(await main(['--operations', '300', '--seed', '5'], write)).toBe(0);
  expect(lines.at(-1)).toMatch(/model, state, replay and snapshots agree/);
  expect(await main(['--operations', '0'], write)).toBe(2);
});
