import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { played } from './script';

/**
 * Scenarios as text, in the manner of the interaction tests of etcd's raft: what the script says, and behind each line what
 * came of it. `SCENARIOS=rewrite npx jest test/raft/core/scenario` writes what comes of them now; look at the difference.
 */
const FOLDER = join(__dirname, 'scripts');
const REWRITE = process.env['SCENARIOS'] === 'rewrite';

const files = readdirSync(FOLDER).filter((name) => name.endsWith('.txt'));

test('there are scenarios', () => {
  expect(files.length).toBeGreaterThan(14);
});

test.each(files)('%s', (name) => {
  const path = join(FOLDER, name);
  const text = readFileSync(path, 'utf8');
  const now = played(text);
  if (REWRITE) writeFileSync(path, now);
  else expect(now).toBe(text);
});

test('an unknown command, and a node that is not there, are faults of the script', () => {
  expect(() => played('fly 1\n')).toThrow('line 1: "fly" is no command');
  expect(() => played('add-nodes 1 voters=(1)\n\ncampaign 2\n')).toThrow('line 3: There is no node 2');
});
