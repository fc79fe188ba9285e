import { LedgerClient, LedgerError } from '../../src/client';
import { Connection } from '../../src/client/connection';
import { clientDefinition } from '../../src/proto/load';
import { Findings } from '../soak/findings';
import { SoakCluster } from '../soak/soak-cluster';
import { SeededRandom } from '../support/seeded-random';

const LEDGER = clientDefinition('ledger.v1.Ledger');
const ROUNDS = 3;
const READS = 20;
const PATIENCE = 60_000;
/** How long the old leader is asked before it hears of the others again: beyond its longest election timeout. */
const ALONE_MILLIS = 3_000;
const REFUSALS: readonly unknown[] = ['UNAVAILABLE', 'DEADLINE_EXCEEDED'];

/**
 * Pitfall 16: a process that was stopped (SIGSTOP) past every timeout goes on where it was, and believes that it leads. The
 * links to the others stay cut when it goes on: else their news would lie in its sockets before anything that it is asked.
 */
describe('a leader that was stopped while another was elected', () => {
  const findings = new Findings();
  let cluster: SoakCluster;
  let client: LedgerClient;

  beforeAll(async () => {
    cluster = await SoakCluster.start(3, new SeededRandom(1), findings);
    client = await LedgerClient.connect({ addresses: cluster.addresses, timeoutMs: PATIENCE });
    await client.openAccounts([
      { name: 'funding', ledger: 'USD', minBalance: null },
      { name: 'Alice', ledger: 'USD' },
    ]);
  }, 180_000);

  afterAll(async () => {
    await client?.close();
    await cluster?.close();
    expect(findings.all).toEqual([]);
  });

  test.each(Array.from({ length: ROUNDS }, (_, round) => round + 1))(
    'gives no balance from the past, and acknowledges no write that only it knows (round %i)',
    async (round) => {
      const old = await leader();
      // Past the proxy: clients reach it all the time.
      const door = new Connection(old.process.addresses.rpc, { leaderNamed: () => undefined });
      await door.unary(LEDGER.GetBalance, { account: 'Alice' }, PATIENCE);
      old.suspend();
      const others = cluster.nodes.filter((node) => node !== old).map(({ name }) => name);
      const cut = others.flatMap((name) => [
        cluster.links.between(name, old.name),
        cluster.links.between(old.name, name),
      ]);
      for (const link of cut) link.cut();
      try {
        // Acknowledged by another leader: there is nobody else.
        const done = await client.transfer({ debitAccount: 'funding', creditAccount: 'Alice', amount: '0.01' });
        expect(done.result).toBe('ok');
        const asked = Array.from({ length: READS }, () =>
          settled(door.unary(LEDGER.GetBalance, { account: 'Alice' }, ALONE_MILLIS)),
        );
        const id = `50000000-0000-4000-8000-${String(round).padStart(12, '0')}`;
        const transfer = { id, debitAccount: 'funding', creditAccount: 'Alice', amount: '1000.00' };
        const written = settled(door.unary(LEDGER.CreateTransfers, { transfers: [wireOf(transfer)] }, ALONE_MILLIS));
        old.resume();
        // Cut off, it can know neither: whatever it answered would be from the past, or a promise that it cannot keep.
        for (const answer of await Promise.all([...asked, written])) expect(REFUSALS).toContain(answer);
        for (const link of cut) link.mend();
        const { posted } = await client.balance('Alice');
        // What only it knew may come to nothing or be done later; the same id again settles it, once.
        expect((await client.transfer(transfer)).result).toBe('ok');
        expect((await client.balance('Alice')).posted).toBe((round * 1_000 + round / 100).toFixed(2));
        expect([(round - 1) * 1_000 + round / 100, round * 1_000 + round / 100]).toContain(Number(posted));
      } finally {
        old.resume();
        for (const link of cut) link.mend();
        door.close();
      }
    },
    240_000,
  );

  async function leader(): Promise<SoakCluster['nodes'][number]> {
    let name: string | undefined;
    await cluster.nodes[0]!.process.until('a leader', PATIENCE, async () => {
      const members = await client.members();
      name = members.find(({ isLeader }) => isLeader)?.name;
      return name !== undefined;
    });
    return cluster.node(name!)!;
  }
});

function wireOf({ id, debitAccount, creditAccount, amount }: Record<string, string>): object {
  return { id, debit_account: debitAccount, credit_account: creditAccount, amount };
}

/** The answer, or the code of the refusal. */
async function settled<T>(promise: Promise<T>): Promise<T | string> {
  try {
    return await promise;
  } catch (error) {
    if (!(error instanceof LedgerError)) throw error;
    return error.code;
  }
}
