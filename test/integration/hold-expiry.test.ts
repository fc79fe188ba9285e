import { ClusterProcess } from '../../src/bench/cluster-process';
import { decodeLedgerRecord, LedgerClient } from '../../src/client';
import { HoldStatus, TransferKind } from '../../src/proto/ledger-v1';
import { NodeDoors } from './node-doors';

const HOLDS = 20;
/** Long enough to make all holds and to kill the leader before the first of them expires. */
const TIMEOUT_MS = 5_000;
const PATIENCE = 60_000;

describe('holds that expire while their leader is dead', () => {
  let cluster: ClusterProcess;
  let doors: NodeDoors;
  let client: LedgerClient;

  beforeAll(async () => {
    cluster = await ClusterProcess.start({ nodes: 3, startTimeoutMs: 120_000 });
    doors = new NodeDoors(cluster);
    client = await LedgerClient.connect({ addresses: cluster.addresses, timeoutMs: PATIENCE });
    await client.openAccounts([
      { name: 'funding', ledger: 'USD', minBalance: null },
      { name: 'Alice', ledger: 'USD' },
    ]);
    await client.transfer({ debitAccount: 'funding', creditAccount: 'Alice', amount: String(HOLDS + 1) });
  }, 240_000);

  afterAll(async () => {
    await client?.close();
    doors?.close();
    await cluster?.close();
  });

  test('are let go of by the next one, each once and in order, and on every node', async () => {
    const ids = Array.from({ length: HOLDS }, (_, i) => `hold-${i}`);
    const hold = { debitAccount: 'Alice', creditAccount: 'funding', amount: '1' };
    await client.hold({ ...hold, id: 'for-ever' });
    await Promise.all(ids.map((id) => client.hold({ ...hold, id, timeoutMs: TIMEOUT_MS })));
    expect((await client.balance('Alice')).available).toBe('0.00');

    const old = await cluster.leader();
    await cluster.kill9(old);
    await cluster.node((old + 1) % 3).until('the holds to be let go of', PATIENCE, async () => {
      return (await doors.pending('Alice')).every((pending) => pending === '1.00');
    });
    await cluster.restart(old);
    await cluster.untilVoters(3);

    const [expired, forEver] = [HoldStatus.EXPIRED, HoldStatus.PENDING];
    for (const node of [0, 1, 2]) {
      const views = await Promise.all(ids.map((id) => doors.lookUp(node, id)));
      expect(views.map(({ hold: one }) => one!.status)).toEqual(ids.map(() => expired));
      expect((await doors.lookUp(node, 'for-ever')).hold!.status).toBe(forEver);
      const late = { id: `late-${node}`, kind: TransferKind.POST, pending_id: ids[node]! };
      expect(await doors.create(node, late)).toMatchObject([{ result: 'pending_transfer_expired' }]);
    }
    expect(await doors.pending('Alice')).toEqual(['1.00', '1.00', '1.00']);
    expect((await client.balance('Alice')).available).toBe(`${HOLDS}.00`);

    const { expiries, made } = await recordsOfHolds();
    expect(expiries).toEqual(made);
    expect(new Set(await doors.stateHashes()).size).toBe(1);
  }, 240_000);

  /** Ids of the holds that expire, in the order in which they were made, and in that in which they were let go of. */
  async function recordsOfHolds(): Promise<{ made: unknown[]; expiries: unknown[] }> {
    const { firstOffset, nextOffset } = await client.logRange();
    const made: unknown[] = [];
    const expiries: unknown[] = [];
    for await (const record of client.consumeStream(firstOffset)) {
      const { command, fields, outcome } = decodeLedgerRecord(record.value);
      const isDone = outcome?.['result'] === 'ok' && outcome['replayed'] === false;
      if (isDone && command === 'expire_hold') expiries.push(outcome['hold_text_id']);
      if (isDone && fields['timeout_ms'] !== undefined) made.push(fields['text_id']);
      if (record.offset + 1 === nextOffset) break;
    }
    return { made, expiries };
  }
});
