import { LedgerClient } from '../../src/client';
import { Connection } from '../../src/client/connection';
import { clientDefinition } from '../../src/proto/load';
import { ClusterProcess } from '../support/cluster-process';

const LEDGER = clientDefinition('ledger.v1.Ledger');
const ROUNDS = 3;
const READS = 20;
const PATIENCE = 60_000;

/** Pitfall 16: a process that was stopped (SIGSTOP) past every timeout goes on where it was, and believes that it leads. */
describe('a leader that was stopped while another was elected', () => {
  let cluster: ClusterProcess;
  let client: LedgerClient;

  beforeAll(async () => {
    cluster = await ClusterProcess.start({ nodes: 3 });
    client = await LedgerClient.connect({ addresses: cluster.addresses, timeoutMs: PATIENCE });
    await client.openAccounts([
      { name: 'funding', ledger: 'USD', minBalance: null },
      { name: 'Alice', ledger: 'USD' },
    ]);
  }, 120_000);

  afterAll(async () => {
    await client?.close();
    await cluster?.close();
  });

  test.each(Array.from({ length: ROUNDS }, (_, round) => round + 1))(
    'gives no balance from the past, and acknowledges no write that only it knows (round %i)',
    async (round) => {
      const old = await cluster.leader();
      const door = new Connection(cluster.addresses[old]!, { leaderNamed: () => undefined });
      // Connected before: what is asked now lies in its socket when it goes on, in front of all that could tell it the news.
      await door.unary(LEDGER.GetBalance, { account: 'Alice' }, PATIENCE);
      cluster.node(old).suspend();
      try {
        await cluster
          .node(old)
          .until('another leader', PATIENCE, async () => (await elected(cluster, old)) !== undefined);
        const asked = Array.from({ length: READS }, () =>
          settled(door.unary(LEDGER.GetBalance, { account: 'Alice' }, PATIENCE)),
        );
        const id = `50000000-0000-4000-8000-${String(round).padStart(12, '0')}`;
        const written = settled(
          door.unary(LEDGER.CreateTransfers, { transfers: [transferOf(id, '1000.00')] }, PATIENCE),
        );
        const now = await client.transfer({ debitAccount: 'funding', creditAccount: 'Alice', amount: '0.01' });
        expect(now.result).toBe('ok');
        const before = Number((await client.balance('Alice')).posted);
        cluster.node(old).resume();
        for (const answer of await Promise.all(asked)) {
          // Older than what was acknowledged before it went on would be an answer from the past; the write may be in it.
          if (answer.value) expect([before, before + 1_000]).toContain(Number(answer.value.balance?.posted));
        }
        const acknowledged = (await written).value?.results[0]?.result;
        await cluster.untilVoters(3);
        // The same id again settles what became of it: an acknowledged one was done, once, where its caller was told.
        const again = await client.transfer({ id, debitAccount: 'funding', creditAccount: 'Alice', amount: '1000.00' });
        expect(again.result).toBe('ok');
        if (acknowledged) {
          expect(acknowledged.result).toBe('ok');
          expect(again).toMatchObject({ replayed: true, offset: Number(acknowledged.offset) });
        }
        expect(Number((await client.balance('Alice')).posted)).toBeCloseTo(before + 1_000, 2);
      } finally {
        cluster.node(old).resume();
        door.close();
      }
    },
    180_000,
  );
});

function transferOf(id: string, amount: string): object {
  return { id, debit_account: 'funding', credit_account: 'Alice', amount, metadata: Buffer.alloc(0) };
}

/** The number of a leader that is not `old`, as one of the others names it. */
async function elected(cluster: ClusterProcess, old: number): Promise<number | undefined> {
  const other = await LedgerClient.connect({ addresses: [cluster.addresses[(old + 1) % 3]!] });
  try {
    const [first] = (await other.status({ timeoutMs: 1_000 })).flatMap(({ status }) => status?.groups ?? []);
    const leader = cluster.nodes.findIndex(({ name }) => name === first?.leader);
    return leader < 0 || leader === old ? undefined : leader;
  } finally {
    await other.close();
  }
}

async function settled<T>(promise: Promise<T>): Promise<{ readonly value?: T }> {
  try {
    return { value: await promise };
  } catch {
    // A refusal, or no answer: either is right.
    return {};
  }
}
