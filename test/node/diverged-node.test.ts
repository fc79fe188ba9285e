/** A bit of one node's memory flips: it notices by itself, says so, and serves nothing; the others go on. */
import { Hot } from '../../src/ledger/account-table';
import type { Tables } from '../../src/ledger/tables';
import { CHECK_EVERY } from '../../src/node/group-history';
import type { NodeService } from '../../src/node/node-service';
import type { LedgerClient } from '../../src/client';
import { rulesUpTo } from '../support/test-rules';
import { NodesInProcess } from './node-in-process';
import type { RecordedEvents } from './recorded-events';

const PATIENCE = 240_000;
const NAMES = ['a', 'b', 'c'];

/** The insides of a node, which only a test reaches into: no door and no flag leads there. */
interface Insides {
  readonly service: NodeService;
  readonly group: {
    readonly machine: { readonly state: { readonly tables: Tables } };
    readonly replica: { readonly isLeader: boolean };
    takeSnapshot(): Promise<number>;
  };
}

let nodes: NodesInProcess;
let client: LedgerClient;
const events = new Map<string, RecordedEvents>();

beforeEach(async () => {
  nodes = new NodesInProcess();
  for (const name of NAMES) events.set(name, await nodes.start(name, rulesUpTo(1)));
  await nodes.untilVoters('a', 3);
  client = await nodes.client('a');
  await client.openAccounts([
    { name: 'Alice', ledger: 'USD', minBalance: null },
    { name: 'Bob', ledger: 'USD' },
  ]);
}, PATIENCE);

afterEach(async () => {
  await client.close();
  await nodes.close();
}, PATIENCE);

const insides = (name: string): Insides => nodes.node(name) as unknown as Insides;
const leader = (): string => NAMES.find((name) => insides(name).group.replica.isLeader) ?? '';

/** So many entries that the next check of the state is among them. */
async function untilNextCheck(): Promise<void> {
  for (let i = 0; i < CHECK_EVERY; i++) {
    const transfer = { debitAccount: 'Alice', creditAccount: 'Bob', amount: '0.01' };
    expect((await client.transfer(transfer, { timeoutMs: 60_000 })).result).toBe('ok');
  }
}

async function eventually(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`Waited in vain for ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

function flipABit(name: string): void {
  const { accounts } = insides(name).group.machine.state.tables;
  const bob = 2;
  const page = accounts.hot.pageOf(bob);
  page[accounts.hot.startOf(bob) + Hot.CREDITS_POSTED] =
    (page[accounts.hot.startOf(bob) + Hot.CREDITS_POSTED] as number) ^ 4;
}

test.each([
  ['a follower', false],
  ['the leader', true],
])(
  '%s whose memory is wrong shuts itself off, and the others go on',
  async (_who, leads) => {
    await untilNextCheck();
    await eventually('all to have compared', async () => {
      const texts = await Promise.all(NAMES.map((name) => insides(name).service.metricsText()));
      return texts.every(
        (text) => Number(/ledger_state_compared_index\{group="0"\} (\d+)/.exec(text)?.[1]) >= CHECK_EVERY,
      );
    });
    for (const name of NAMES) expect(insides(name).service.readiness().ready).toBe(true);

    const broken = NAMES.find((name) => (name === leader()) === leads)!;
    flipABit(broken);
    await untilNextCheck();
    const { service, group } = insides(broken);
    await eventually('it to be noticed', () => !service.readiness().ready);
    expect(service.readiness().why).toMatch(/At entry \d+ the state of this node was not that of the majority/);
    expect(
      events
        .get(broken)!
        .of('error')
        .map(({ message }) => message),
    ).toContainEqual(expect.stringContaining('is wrong'));
    expect(await service.metricsText()).toContain('ledger_state_diverged{group="0"} 1');
    const refused = { code: 'UNAVAILABLE', reason: 'STATE_DIVERGED' };
    expect(() => service.barrier({ level: 'STALE', maxStalenessMs: 0 }, 1_000)).toThrow(
      expect.objectContaining(refused) as Error,
    );
    expect(() => service.readRecords(0, 1, 1_000)).toThrow(expect.objectContaining(refused) as Error);
    expect(() => service.rehearse(Buffer.alloc(0), () => undefined)).toThrow(expect.objectContaining(refused) as Error);
    await expect(service.readRows({ sql: 'SELECT 1', maxRows: 1 }, '', 1_000)).rejects.toMatchObject(refused);
    await expect(service.past({ kind: 'bearings' } as never, {} as never, 1_000)).rejects.toMatchObject(refused);
    await expect(service.waitForOffset(0, new AbortController().signal)).rejects.toMatchObject(refused);
    await expect(service.backup(1_000)).rejects.toMatchObject(refused);
    expect(() => service.head()).toThrow(expect.objectContaining(refused) as Error);
    await expect(service.takeSnapshot()).rejects.toMatchObject(refused);
    await expect(group.takeSnapshot()).rejects.toThrow('No snapshot is taken');

    await eventually('another leader', () => leader() !== '' && leader() !== broken);
    await untilNextCheck();
    for (const name of NAMES.filter((other) => other !== broken)) {
      expect(insides(name).service.readiness().ready).toBe(true);
      expect(await insides(name).service.metricsText()).toContain('ledger_state_diverged{group="0"} 0');
    }
    const expected = (CHECK_EVERY * 3) / 100;
    expect((await client.balance('Bob', { timeoutMs: 60_000 })).posted).toBe(expected.toFixed(2));

    // It had no snapshot of what was wrong: a start from the log makes it right.
    await nodes.stop(broken);
    await nodes.start(broken, rulesUpTo(1));
    await untilNextCheck();
    await eventually('it to be compared again', async () => {
      const text = await insides(broken).service.metricsText();
      return Number(/ledger_state_compared_index\{group="0"\} (\d+)/.exec(text)?.[1]) >= 4 * CHECK_EVERY;
    });
    expect(insides(broken).service.readiness().ready).toBe(true);
  },
  PATIENCE,
);
