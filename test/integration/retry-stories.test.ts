import { ClusterProcess } from '../../src/bench/cluster-process';
import { LedgerClient } from '../../src/client';
import { TransferKind, type TransferOut } from '../../src/proto/ledger-v1';
import { clientDefinition } from '../../src/proto/load';
import { ForgetfulDoor, NodeDoors, type Outcome } from './node-doors';

const { CreateTransfers } = clientDefinition('ledger.v1.Ledger');
const { PENDING, POST, VOID } = TransferKind;
const NODES = [0, 1, 2];
const RACES = 30;

let cluster: ClusterProcess;
let doors: NodeDoors;

beforeAll(async () => {
  cluster = await ClusterProcess.start({ nodes: 3, startTimeoutMs: 120_000 });
  doors = new NodeDoors(cluster);
  const client = await LedgerClient.connect({ addresses: cluster.addresses, timeoutMs: 60_000 });
  const wallet = (name: string): { name: string; ledger: string } => ({ name, ledger: 'USD' });
  const wallets = ['lost', 'whole', 'poor', 'holder', 'racer', 'payer', 'shop', 'other'].map(wallet);
  await client.openAccounts([{ ...wallet('funding'), minBalance: null }, ...wallets]);
  await client.close();
}, 240_000);

afterAll(async () => {
  doors?.close();
  await cluster?.close();
});

async function fund(account: string, amount: string): Promise<void> {
  const outcome = await doors.create(0, {
    debit_account: 'funding',
    credit_account: account,
    amount,
    id: `fund-${account}`,
  });
  expect(outcome).toMatchObject([{ result: 'ok' }]);
}

/** The answer that every node gives when it is asked again. */
async function repeats(...transfers: TransferOut[]): Promise<Outcome[][]> {
  return Promise.all(NODES.map((node) => doors.create(node, ...transfers)));
}

const again = (first: readonly Outcome[]): Outcome[][] =>
  NODES.map(() => first.map((one) => ({ ...one, replayed: true })));

test('the answer is lost, and the transfer asked again on every other node: it is done once', async () => {
  await fund('lost', '10');
  const transfer = { id: 'lost-1', debit_account: 'lost', credit_account: 'shop', amount: '4' };
  for (const node of NODES) {
    const one = { ...transfer, id: `lost-${node}`, amount: '2' };
    const forgetful = await ForgetfulDoor.before(cluster.node(node).addresses.rpc);
    // A connection that works, so that only the answer is lost.
    await forgetful.connection.unary(CreateTransfers, { transfers: [{ ...one, amount: '0' }] }, 60_000);
    forgetful.keepsAnswers = true;
    const asked = forgetful.connection.unary(CreateTransfers, { transfers: [one] }, 5_000);
    await expect(asked).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    await forgetful.close();
    const answers = await repeats(one);
    expect(answers).toEqual(again(answers[0]!));
    expect(answers[0]).toMatchObject([{ result: 'ok', moved: '2.00' }]);
  }
  for (const node of NODES) expect(await doors.posted(node, 'lost')).toBe('4.00');
}, 120_000);

test('a group asked again on every node is answered whole, with its first answers', async () => {
  await fund('whole', '10');
  const group = [
    { id: 'g-1', group: 'g', debit_account: 'whole', credit_account: 'shop', amount: '6' },
    { id: 'g-2', group: 'g', debit_account: 'shop', credit_account: 'other', amount: '1' },
    { id: 'g-3', group: 'g', debit_account: 'whole', credit_account: 'other', amount: '3', kind: PENDING },
  ];
  const first = await doors.create(1, ...group);
  expect(first).toMatchObject(group.map(() => ({ result: 'ok', replayed: false })));
  expect(await repeats(...group)).toEqual(again(first));
  // A group that is refused, and could be done later, keeps its refusal.
  const poor = [
    { id: 'h-1', group: 'h', debit_account: 'whole', credit_account: 'shop', amount: '1' },
    { id: 'h-2', group: 'h', debit_account: 'whole', credit_account: 'shop', amount: '1' },
  ];
  const refused = await doors.create(2, ...poor);
  expect(refused.map(({ result }) => result)).toEqual(['linked_transfer_failed', 'insufficient_funds']);
  await doors.create(0, { id: 'more', debit_account: 'funding', credit_account: 'whole', amount: '50' });
  expect(await repeats(...poor)).toEqual(again(refused));
  // With its transfers in another order it is another group.
  const turned = [...group].reverse();
  expect((await doors.create(0, ...turned)).map(({ result }) => result)).toEqual(
    turned.map(() => 'exists_with_different_transfers'),
  );
  for (const node of NODES) expect(await doors.posted(node, 'whole')).toBe('54.00');
}, 120_000);

test('a refused id asked again after the funds have arrived stays refused', async () => {
  const transfer = { id: 'poor-1', debit_account: 'poor', credit_account: 'shop', amount: '5' };
  const first = await doors.create(1, transfer);
  expect(first).toMatchObject([{ result: 'insufficient_funds', replayed: false }]);
  await fund('poor', '10');
  expect(await repeats(transfer)).toEqual(again(first));
  expect(await doors.create(2, { ...transfer, id: 'poor-2' })).toMatchObject([{ result: 'ok' }]);
  for (const node of NODES) expect(await doors.posted(node, 'poor')).toBe('5.00');
}, 120_000);

test('a hold posted twice is posted once: by the same id again, and by another one at the same time', async () => {
  await fund('holder', '10');
  const hold = { id: 'hold-1', kind: PENDING, debit_account: 'holder', credit_account: 'shop', amount: '6' };
  await doors.create(0, hold);
  const post = { id: 'post-1', kind: POST, pending_id: 'hold-1', amount: '4' };
  const first = await doors.create(1, post);
  expect(await repeats(post)).toEqual(again(first));
  expect(await doors.create(2, { ...post, id: 'post-2' })).toMatchObject([
    { result: 'pending_transfer_already_posted' },
  ]);
  await doors.create(0, { ...hold, id: 'hold-2' });
  const rivals = await Promise.all(
    NODES.map((node) =>
      doors.create(node, { id: `rival-${node}`, kind: node === 2 ? VOID : POST, pending_id: 'hold-2' }),
    ),
  );
  const results = rivals.map(([outcome]) => outcome!.result);
  expect(results.filter((result) => result === 'ok')).toHaveLength(1);
  const winner = results.indexOf('ok');
  const lost = winner === 2 ? 'pending_transfer_already_voided' : 'pending_transfer_already_posted';
  expect(results.filter((result) => result !== 'ok')).toEqual([lost, lost]);
  expect((await doors.lookUp(1, 'hold-2')).hold!.resolved_by).toBe(`rival-${winner}`);
  for (const node of NODES) expect(await doors.posted(node, 'holder')).toBe(winner === 2 ? '6.00' : '0.00');
}, 120_000);

test('a post racing the expiry of its hold wins or loses, and every node says the same of it', async () => {
  await fund('racer', String(RACES));
  const races = Array.from({ length: RACES }, (_, i) => i);
  const outcomes = await Promise.all(
    races.map(async (i) => {
      // The holds expire one after the other while the posts arrive, so that both ends of the race are seen.
      const hold = { id: `race-${i}`, kind: PENDING, debit_account: 'racer', credit_account: 'shop', amount: '1' };
      await doors.create(i % 3, { ...hold, timeout_ms: 1 + i * i });
      const [outcome] = await doors.create((i + 1) % 3, { id: `race-post-${i}`, kind: POST, pending_id: hold.id });
      return outcome!.result;
    }),
  );
  const won = races.filter((i) => outcomes[i] === 'ok');
  expect(outcomes.filter((result) => !['ok', 'pending_transfer_expired'].includes(result))).toEqual([]);
  await cluster.node(0).until('every hold to be posted or let go', 60_000, async () => {
    return (await doors.pending('racer')).every((pending) => pending === '0.00');
  });
  for (const node of NODES) {
    expect(await doors.posted(node, 'racer')).toBe(`${RACES - won.length}.00`);
    const views = await Promise.all(races.map((i) => doors.lookUp(node, `race-${i}`)));
    expect(views.map(({ hold }) => hold!.resolved_by)).toEqual(
      races.map((i) => (won.includes(i) ? `race-post-${i}` : '')),
    );
  }
  // Who lost the race did not spend an id, and cannot win by asking again.
  await doors.create(0, {
    id: 'gone',
    kind: PENDING,
    debit_account: 'funding',
    credit_account: 'shop',
    amount: '1',
    timeout_ms: 1,
  });
  await cluster.node(0).until('the hold to be let go', 60_000, async () => {
    return (await doors.pending('funding')).every((pending) => pending === '0.00');
  });
  const late = { id: 'too-late', kind: POST, pending_id: 'gone' };
  for (let tries = 0; tries < 2; tries++) {
    expect(await repeats(late)).toMatchObject(
      NODES.map(() => [{ result: 'pending_transfer_expired', replayed: false }]),
    );
  }
}, 180_000);

test('the same id with another payee is refused on every node, and moves nothing', async () => {
  await fund('payer', '10');
  const transfer = { id: 'pay-1', debit_account: 'payer', credit_account: 'shop', amount: '3' };
  const first = await doors.create(0, transfer);
  const other = { ...transfer, credit_account: 'other' };
  expect(await repeats(other)).toMatchObject(
    NODES.map(() => [{ result: 'exists_with_different_credit_account', replayed: false }]),
  );
  expect(await repeats(transfer)).toEqual(again(first));
  for (const node of NODES) expect(await doors.posted(node, 'payer')).toBe('7.00');
}, 120_000);

test('in the end all nodes have the same state', async () => {
  const hashes = await doors.stateHashes();
  expect(hashes).toHaveLength(3);
  expect(new Set(hashes).size).toBe(1);
}, 120_000);
