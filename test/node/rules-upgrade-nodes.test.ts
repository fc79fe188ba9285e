import { StartupError } from '../../src/node/startup-error';
import { rulesUpTo } from '../support/test-rules';
import { NodesInProcess } from './node-in-process';

const PATIENCE = 120_000;

async function startupError(starting: Promise<unknown>): Promise<StartupError> {
  const error: unknown = await starting.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof StartupError)) throw new Error(`A start that was to be refused gave ${String(error)}.`);
  return error;
}

describe('new rules, on whole nodes that are built as programs of different ages', () => {
  let nodes: NodesInProcess;
  beforeEach(() => {
    nodes = new NodesInProcess();
  });
  afterEach(() => nodes.close(), PATIENCE);

  const produceAt = async (name: string, value: string): Promise<void> => {
    const client = await nodes.client(name);
    await client.produce(Buffer.from(value), { timeoutMs: 30_000 });
    await client.close();
  };

  test(
    'a rolling upgrade of three switches them on when the last one knows them; an older program is then refused everywhere',
    async () => {
      for (const name of ['a', 'b', 'c']) await nodes.start(name, rulesUpTo(1));
      await nodes.untilVoters('a', 3);
      await produceAt('a', 'under the first rules');
      for (const name of ['a', 'b', 'c']) {
        await nodes.untilAll('the first rules', ({ rulesVersion, leader }) => rulesVersion === 1 && leader !== '');
        await nodes.stop(name);
        await nodes.start(name, rulesUpTo(2));
        expect((await nodes.status(name)).rulesKnown).toBe(2);
      }
      await nodes.untilAll('the second rules', ({ rulesVersion }) => rulesVersion === 2);
      await produceAt('b', 'under the second rules');
      const { appliedIndex } = await nodes.status('b');
      await nodes.untilAll('what b has applied', (status) => status.appliedIndex >= appliedIndex);
      const hashes = await Promise.all(['a', 'b', 'c'].map(async (name) => (await nodes.status(name)).stateHash));
      expect(new Set(hashes).size).toBe(1);

      await nodes.stop('c');
      const older = await startupError(nodes.start('c', rulesUpTo(1)));
      expect(older.exitCode).toBe(1);
      expect(older.message).toMatch(
        /Entry \d+ of the log switches on version 2 .* up to version 1.* Start a newer program/,
      );

      const newcomer = await startupError(nodes.start('d', rulesUpTo(1)));
      expect(newcomer.exitCode).toBe(2);
      expect(newcomer.message).toContain('stands under version 2 of the rules of money');

      await nodes.start('c', rulesUpTo(2));
      await nodes.start('d', rulesUpTo(3));
      await nodes.untilVoters('a', 4);
    },
    PATIENCE,
  );

  test(
    'a new cluster begins under the newest rules',
    async () => {
      await nodes.start('a', rulesUpTo(3));
      expect(await nodes.status('a')).toMatchObject({ rulesVersion: 3, rulesKnown: 3 });
    },
    PATIENCE,
  );
});
