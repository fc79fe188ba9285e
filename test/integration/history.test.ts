import { Client, credentials, type ServiceError, status } from '@grpc/grpc-js';
import { LedgerClient, type TransferPage } from '../../src/client';
import { utcText } from '../../src/api/statement-csv';
import { type GetBalanceResponse, TimeBasis } from '../../src/proto/ledger-v1';
import { clientDefinition } from '../../src/proto/load';
import { ledger } from '../cli/ledger/run-command';
import { ClusterProcess } from '../support/cluster-process';
import { type TestPostgres, start } from '../support/postgres';

type Answered = GetBalanceResponse;

const MINUTES = 180_000;
/** Milliseconds for an answer on a busy machine: an embedded database may have to be made first. */
const PATIENCE = 90_000;
const ID = (n: number): string => `a0eebc99-9c0b-4ef8-bb6d-6bb9bd3800${String(n).padStart(2, '0')}`;
const JANUARY = Date.UTC(2024, 0, 1) * 1000;
const FEBRUARY = Date.UTC(2024, 1, 1) * 1000;
const HOUR = 3_600_000_000;

describe('the past, in a cluster of three: one node with a Postgres, one with its own, one with none', () => {
  let postgres: TestPostgres;
  let cluster: ClusterProcess;
  let client: LedgerClient;
  /** Of each payment: 1.00, 2.00, … 9.00. */
  const offsets: number[] = [];
  let middle = 0;

  /** What one node answers over gRPC, and no other: the client would ask those that have it. */
  const balanceOf = async (node: number, at: { offset?: number; time?: number; by?: number }): Promise<Answered> => {
    const { GetBalance } = clientDefinition('ledger.v1.Ledger');
    const connection = new Client(cluster.addresses[node]!, credentials.createInsecure());
    const { path, requestSerialize, responseDeserialize } = GetBalance;
    const deadline = Date.now() + PATIENCE;
    try {
      return await new Promise<Answered>((resolve, reject) =>
        connection.makeUnaryRequest(
          ...([path, requestSerialize, responseDeserialize, { account: 'Alice', at }, { deadline }] as const),
          (error: ServiceError | null, answer?: Answered) => (answer ? resolve(answer) : reject(error!)),
        ),
      );
    } finally {
      connection.close();
    }
  };
  const get = async (node: number, path: string): Promise<{ status: number; body: Record<string, unknown> }> => {
    const answer = await fetch(`http://${cluster.nodes[node]!.addresses.http}${path}`);
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  };

  beforeAll(async () => {
    postgres = await start();
    cluster = await ClusterProcess.start({ nodes: 3, databases: [postgres.url, 'embedded', 'off'] });
    client = await LedgerClient.connect({ addresses: cluster.addresses, timeoutMs: PATIENCE });
    await client.openAccounts([
      { name: 'funding', ledger: 'USD', minBalance: null },
      { name: 'Alice', ledger: 'USD' },
    ]);
    for (let n = 1; n < 10; n++) {
      const back = n === 8 ? { effectiveTime: JANUARY + HOUR } : {};
      const paid = await client.transfer({
        ...{ id: ID(n), debitAccount: 'funding', creditAccount: 'Alice', amount: `${n}.00`, code: n % 2, ...back },
      });
      offsets.push(paid.offset);
      if (n === 5) middle = paid.timestamp;
    }
    await client.transfer({ debitAccount: 'Alice', creditAccount: 'funding', amount: '1000.00' });
  }, MINUTES);

  afterAll(async () => {
    await client?.close();
    await cluster?.close();
    await postgres?.stop();
  }, MINUTES);

  test.each([0, 1])(
    'node %i answers a balance after any record and at any time, the newest included',
    async (node) => {
      const posted = async (at: Parameters<typeof balanceOf>[1]): Promise<string | undefined> =>
        (await balanceOf(node, at)).balance?.posted;
      for (const [i, offset] of offsets.entries()) {
        const sum = `${((i + 1) * (i + 2)) / 2}.00`;
        const { balance, position } = await balanceOf(node, { offset });
        expect([balance?.posted, balance?.available, position?.offset]).toEqual([sum, sum, String(offset)]);
      }
      const { offset } = await client.transfer({ debitAccount: 'funding', creditAccount: 'Alice', amount: '0.01' });
      expect(await posted({ offset })).toBe('45.01');
      await client.transfer({ debitAccount: 'Alice', creditAccount: 'funding', amount: '0.01' });
      expect(await posted({ time: Date.now() * 1000 + HOUR })).toBe('45.00');
      expect(await posted({ time: middle })).toBe('15.00');
      expect(await posted({ time: middle - 1 })).toBe('10.00');
      const { balance } = await balanceOf(node, { time: FEBRUARY, by: TimeBasis.BY_EFFECT });
      expect(balance).toMatchObject({ posted: '8.00', debits_pending: '' });
      expect(balance?.available).toBeUndefined();
      await expect(balanceOf(node, { offset: 0 })).rejects.toMatchObject({ code: status.NOT_FOUND });
      await expect(balanceOf(node, { offset: 1e9 })).rejects.toMatchObject({ code: status.OUT_OF_RANGE });
    },
    MINUTES,
  );

  test(
    'transfers by id, by ids, by a range of amounts and by a range of times, on each door of a follower',
    async () => {
      const node = (await cluster.leader()) === 0 ? 1 : 0;
      const ids = (page: TransferPage): string[] => page.transfers.map(({ id }) => id);
      expect((await client.getTransfer(ID(3))).amountMoved).toBe('3.00');
      expect(ids(await client.listTransfers({ ids: [ID(7), ID(2).toUpperCase(), ID(50)] }))).toEqual([ID(2), ID(7)]);
      expect(ids(await client.listTransfers({ minAmount: '4', maxAmount: '6.00' }))).toEqual([ID(4), ID(5), ID(6)]);
      const times = { fromTime: middle, toTime: middle + 1 };
      expect(ids(await client.listTransfers(times))).toEqual([ID(5)]);
      const back = { fromTime: JANUARY, toTime: FEBRUARY, by: 'effective' as const };
      expect(ids(await client.listTransfers(back))).toEqual([ID(8)]);
      const refused = await client.listTransfers({ account: 'Alice', results: ['insufficient_funds'] });
      expect(refused.transfers).toMatchObject([{ amount: '1000.00', amountMoved: '0.00', entry: { side: 'debit' } }]);
      const found = async (path: string): Promise<unknown> =>
        ((await get(node, path)).body['transfers'] as { request_id: string }[]).map((each) => each.request_id);
      expect((await get(node, `/api/v1/transfers/${ID(3)}`)).body).toMatchObject({ amount: '3.00' });
      expect(await found(`/api/v1/transfers?id=${ID(7)}&id=${ID(2)}`)).toEqual([ID(2), ID(7)]);
      expect(await found('/api/v1/transfers?min_amount=4&max_amount=6')).toEqual([ID(4), ID(5), ID(6)]);
      expect(await found(`/api/v1/transfers?from=${utcText(middle)}&to=${utcText(middle + 1)}`)).toEqual([ID(5)]);
      expect(await found('/api/v1/transfers?from=2024-01-01&to=2024-02-01&by=effective')).toEqual([ID(8)]);
    },
    MINUTES,
  );

  test(
    'a statement, paged and as CSV, whose pages stay while payments are made',
    async () => {
      const question = { account: 'Alice', fromOffset: offsets[0]!, toOffset: offsets[8]! + 1, pageSize: 4 };
      const pages = [await client.listTransfers(question)];
      for (let last = pages[0]!; last.nextPageToken !== ''; last = pages.at(-1)!) {
        await client.transfer({ debitAccount: 'funding', creditAccount: 'Alice', amount: '0.01' });
        pages.push(await client.listTransfers({ ...question, pageToken: last.nextPageToken }));
      }
      const balances = pages.flatMap(({ transfers }) => transfers.map(({ entry }) => entry?.balance));
      expect(balances).toEqual([1, 3, 6, 10, 15, 21, 28, 36, 45].map((sum) => `${sum}.00`));
      expect(new Set(pages.map(({ position }) => position.offset)).size).toBe(1);
      expect(pages[0]).toMatchObject({ opening: { posted: '0.00' }, closing: { posted: '45.00' } });
      const other = client.listTransfers({ account: 'Alice', pageToken: pages[0]!.nextPageToken });
      await expect(other).rejects.toMatchObject({ reason: 'PAGE_TOKEN_INVALID' });
      const range = `from=${offsets[1]}&to=${offsets[3]}`;
      const csv = await fetch(
        `http://${cluster.nodes[0]!.addresses.http}/api/v1/accounts/Alice/statement?${range}&format=csv`,
      );
      const lines = (await csv.text()).trim().split('\r\n');
      expect(lines.map((line) => line.split(',')[9])).toEqual(['balance', '1.00', '3.00', '6.00', '6.00']);
      const { body } = await get(0, `/api/v1/accounts/Alice/statement?${range}`);
      expect(body).toMatchObject({
        ...{ account: 'Alice', ledger: 'USD', opening: { posted: '1.00' }, closing: { posted: '6.00' } },
        entries: [
          { request_id: ID(2), change: '2.00' },
          { other_account: 'funding', balance: '6.00' },
        ],
      });
    },
    MINUTES,
  );

  test(
    'the command prints a statement as a table, as JSON and as CSV',
    async () => {
      const args = ['--addr', cluster.addresses[0]!, 'statement', 'Alice', '--to', String(offsets[2]! + 1)];
      const table = await ledger(args);
      expect(table).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('closing') as string });
      const json = JSON.parse((await ledger([...args, '--output', 'json'])).stdout) as Record<string, unknown>;
      expect(json).toMatchObject({ account: 'Alice', opening: '0.00', closing: '6.00', ledger: 'USD' });
      const csv = await ledger([...args, '--output', 'csv']);
      expect(csv.stdout.trim().split('\r\n')).toHaveLength(6);
      const then = ['--addr', cluster.addresses[0]!, 'balance', 'Alice', '--at', String(offsets[3]!)];
      const { stdout } = await ledger(then);
      expect(stdout).toContain('10.00');
      // Changes are counted for balances of now alone.
      expect(stdout).toMatch(/^changes +-$/m);
    },
    MINUTES,
  );

  test(
    '`ledger sql` answers rows as new as a token, and says what to do instead of a call',
    async () => {
      const { token } = await client.transfer({ debitAccount: 'funding', creditAccount: 'Alice', amount: '0.25' });
      const at = ['--addr', cluster.addresses[0]!];
      const newest = `SELECT amount FROM transfers ORDER BY log_offset DESC LIMIT 1`;
      const rows = await ledger([...at, 'sql', '--csv', '--token', token, newest]);
      expect(rows).toMatchObject({ exitCode: 0, stdout: 'amount\n0.25\n' });
      const called = await ledger([...at, 'sql', `CALL wait_for_offset('${token}')`]);
      expect(called).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('--token') as string });
    },
    MINUTES,
  );

  test(
    'a node without rows says so, one whose database is gone too, and neither answers an old truth',
    async () => {
      const reason = async (node: number): Promise<unknown> =>
        (await get(node, '/api/v1/accounts/Alice/statement')).body['code'];
      expect(await reason(2)).toBe('no_projection');
      await expect(balanceOf(2, { offset: 1 })).rejects.toMatchObject({ code: status.UNAVAILABLE });
      // A client that knows all nodes finds one that has them.
      expect((await client.balance('Alice', { at: { offset: offsets[0]! } })).posted).toBe('1.00');
      await postgres.kill9();
      expect(['projection_failed', 'projection_paused', 'projection_behind']).toContain(await reason(0));
      await postgres.restart();
      const { offset } = await client.transfer({ debitAccount: 'funding', creditAccount: 'Alice', amount: '0.01' });
      const until = Date.now() + PATIENCE;
      for (let answered = false; !answered;) {
        const answer = await balanceOf(0, { offset }).catch((error: unknown) => error);
        answered = !(answer instanceof Error);
        if (!answered && Date.now() > until) throw answer;
      }
    },
    MINUTES,
  );
});
