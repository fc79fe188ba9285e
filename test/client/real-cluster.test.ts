/** The client against a cluster of real processes; needs `npm run build`. */
import { LedgerClient, packTransfers } from '../../src/client';
import { ClusterProcess } from '../support/cluster-process';

/** Starting processes takes its time on a busy machine. */
const TEST_TIMEOUT = 120_000;
const LEDGER = 'USD';

let cluster: ClusterProcess;
let client: LedgerClient;

beforeAll(async () => {
  cluster = await ClusterProcess.start({ nodes: 3 });
  client = await LedgerClient.connect({ addresses: cluster.addresses, timeoutMs: 60_000 });
  await client.openAccounts([
    { name: 'source', ledger: LEDGER, minBalance: null },
    { name: 'target', ledger: LEDGER },
  ]);
}, TEST_TIMEOUT);

afterAll(async () => {
  await client.close();
  await cluster.close();
}, TEST_TIMEOUT);

const cents = (amount: string): number => Math.round(Number(amount) * 100);

test(
  'transfers survive kill -9 of the leader: each acknowledged one is done, exactly once, on every node',
  async () => {
    const before = cents((await client.balance('target')).posted);
    let acknowledged = 0;
    let stop = false;
    const caller = async (): Promise<void> => {
      while (!stop) {
        const outcome = await client.transfer({ debitAccount: 'source', creditAccount: 'target', amount: '0.01' });
        expect(outcome.result).toBe('ok');
        acknowledged += 1;
      }
    };
    const callers = Promise.all(Array.from({ length: 16 }, caller));
    const progress = async (): Promise<void> => {
      const until = acknowledged + 200;
      while (acknowledged < until) await new Promise((resolve) => setTimeout(resolve, 5));
    };
    await progress();
    const killed = await cluster.leader();
    await cluster.kill9(killed);
    await progress();
    await cluster.restart(killed);
    await progress();
    stop = true;
    await callers;
    const balances = await Promise.all(
      Array.from({ length: 6 }, () => client.balance('target').then(({ posted }) => cents(posted))),
    );
    expect(balances).toEqual(balances.map(() => before + acknowledged));
  },
  TEST_TIMEOUT,
);

test(
  'transfers go on when the leader stops answering without its connection breaking',
  async () => {
    const before = cents((await client.balance('target')).posted);
    const suspended = await cluster.leader();
    cluster.node(suspended).suspend();
    const transfer = { debitAccount: 'source', creditAccount: 'target', amount: '0.01' };
    const outcomes = await Promise.all(Array.from({ length: 50 }, () => client.transfer(transfer)));
    expect(outcomes.every((outcome) => outcome.result === 'ok')).toBe(true);
    cluster.node(suspended).resume();
    expect(cents((await client.balance('target')).posted)).toBe(before + 50);
  },
  TEST_TIMEOUT,
);

test(
  'packed rows go on through a hand-over of leadership, and a clean stop of the leader',
  async () => {
    const before = cents((await client.balance('target')).posted);
    const { account: source } = await client.account('source');
    const { account: target } = await client.account('target');
    const row = { debitHandle: source.handle, creditHandle: target.handle, amountMinor: 1n };
    const batch = (): Promise<number> =>
      client.submitRows(packTransfers(Array.from({ length: 100 }, () => row))).then(({ count, refused }) => {
        expect(refused).toEqual([]);
        return count;
      });
    const first = await Promise.all(Array.from({ length: 10 }, batch));
    await client.transferLeadership();
    const second = Promise.all(Array.from({ length: 10 }, batch));
    const stopped = await cluster.leader();
    expect(await cluster.stop(stopped)).toEqual({ code: 0, signal: null });
    const third = Promise.all(Array.from({ length: 10 }, batch));
    const done = [...first, ...(await second), ...(await third)].reduce((a, b) => a + b);
    expect(cents((await client.balance('target')).posted)).toBe(before + done);
    await cluster.restart(stopped);
  },
  TEST_TIMEOUT,
);

test(
  'a stream of records has no gap and no repeat, whichever node is killed under it',
  async () => {
    const { nextOffset } = await client.logRange();
    const values = Array.from({ length: 60 }, (_, i) => `value ${i}`);
    const reading = (async (): Promise<string[]> => {
      const seen: string[] = [];
      for await (const record of client.consumeStream(nextOffset)) {
        if (record.type === 0) seen.push(record.value.toString());
        if (seen.at(-1) === values.at(-1)) return seen;
      }
      return seen;
    })();
    const follower = (await cluster.leader()) === 0 ? 1 : 0;
    for (const [i, value] of values.entries()) {
      await client.produce(value);
      if (i === 20) await cluster.kill9(follower);
      if (i === 40) await cluster.restart(follower);
    }
    expect(await reading).toEqual(values);
  },
  TEST_TIMEOUT,
);
