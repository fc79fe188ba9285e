/** Ledgers and accounts, made and changed through every door. */
import { type LimitSpec, type OpenAccountCommand, type UpdateAccountCommand } from '../../../src/ledger/commands';
import { LimitChange } from '../../../src/proto/ledger-v1';
import { clientDefinition } from '../../../src/proto/load';
import { ledger } from '../../cli/ledger/run-command';
import { expectEqual } from '../../ledger/long-history/agreement';
import { type DoorsHistory } from './history';

const LEDGER = clientDefinition('ledger.v1.Ledger');
const PATIENCE = 60_000;
const SOME = 12;
const NONE = { userData: 0n, metadata: Buffer.alloc(0) };

const MADE = [
  { code: 'JPY', scale: 0, default_min_balance: '-500', default_max_balance: '5000' },
  { code: 'WEI', scale: 18, default_no_min_balance: true },
  { code: 'DEV', scale: 2, auto_open: true, rounding: 1, default_no_min_balance: true },
];
const OF_THE_MODEL = [
  { code: 'JPY', scale: 0, autoOpen: false, rounding: 0, defaultMinBalance: -500n, defaultMaxBalance: 5000n },
  { code: 'WEI', scale: 18, autoOpen: false, rounding: 0, defaultMinBalance: undefined, defaultMaxBalance: undefined },
  { code: 'DEV', scale: 2, autoOpen: true, rounding: 1, defaultMinBalance: undefined, defaultMaxBalance: undefined },
];

export async function start(history: DoorsHistory): Promise<void> {
  const { doors, model } = history;
  const usd = {
    code: 'USD',
    scale: 2,
    autoOpen: false,
    rounding: 0,
    defaultMinBalance: 0n,
    defaultMaxBalance: undefined,
  };
  // The cluster makes it for itself, and it takes no offset.
  model.applyAll([{ kind: 'create_ledger', ...usd }], -1, 1);
  await doors.grpc.at(history.node()).unary(LEDGER.CreateLedgers, { ledgers: MADE }, PATIENCE);
  history.decide(OF_THE_MODEL.map((spec) => ({ kind: 'create_ledger' as const, ...spec })));
  for (const code of ['USD', 'JPY', 'WEI']) {
    const body = { name: `bank ${code}`, ledger: code, min_balance: null, max_balance: null };
    const { status } = await doors.request(history.node(), 'POST', '/api/v1/accounts', body);
    expectEqual(status, 201, `opening the bank of ${code}`);
    const none: LimitSpec = { kind: 'none' };
    history.decide([{ kind: 'open_account', name: `bank ${code}`, ledger: code, min: none, max: none, ...NONE }]);
  }
}

/** Enough accounts for a transfer to be done now and then. */
export async function openSome(history: DoorsHistory): Promise<void> {
  for (let n = 0; n < SOME; n++)
    await open(history, history.draw.account(n % 3 === 0 ? 'JPY' : 'USD'), n % 3 === 0 ? 'JPY' : 'USD');
}

/** One account is opened, closed, opened again, or given other limits. */
export async function changeAccount(history: DoorsHistory): Promise<void> {
  const { draw } = history;
  const ledgerCode = draw.one(['USD', 'USD', 'JPY', 'WEI'])!;
  const name = draw.account(ledgerCode);
  history.count('account');
  if (draw.below(3) > 0) return open(history, name, ledgerCode);
  const max = draw.one([undefined, 'default', '5000', '3'] as const);
  const closed = draw.one([undefined, true, false, false] as const);
  if (max === undefined && closed === undefined) return open(history, name, ledgerCode);
  const spec: LimitSpec | undefined = max === 'default' ? { kind: 'default' } : max && { kind: 'given', text: max };
  const command: UpdateAccountCommand = {
    kind: 'update_account',
    account: { name },
    min: undefined,
    max: spec,
    closed,
  };
  const found = await update(history, name, max, closed);
  expectEqual(found, history.decide([command])[0]?.result, `changing ${name}: ${String(max)}, ${String(closed)}`);
}

async function open(history: DoorsHistory, name: string, ledgerCode: string): Promise<void> {
  const { draw, doors } = history;
  const min = draw.one(['0', '-50'])!;
  const said = draw.named(name);
  const node = history.node();
  const spec = { name: said, ledger: ledgerCode, min_balance: min };
  const door = draw.below(3);
  let found: string | undefined;
  if (door === 0) {
    const { results } = await doors.grpc.at(node).unary(LEDGER.OpenAccounts, { accounts: [spec] }, PATIENCE);
    found = results[0]?.result?.result;
  } else if (door === 1) {
    const { json, status } = await doors.request(node, 'POST', '/api/v1/accounts', spec);
    found = status === 201 ? 'ok' : String(json['code']);
  } else {
    const at = ['--addr', doors.cluster.addresses[node]!, '--output', 'json', 'account', 'open', said];
    const { json } = await ledger([...at, '--ledger', ledgerCode, `--min-balance=${min}`]);
    found = (json()[0]!['results'] as { result: string }[])[0]?.result;
  }
  const limits = { min: { kind: 'given', text: min }, max: { kind: 'default' } } as const;
  const command: OpenAccountCommand = { kind: 'open_account', name, ledger: ledgerCode, ...limits, ...NONE };
  expectEqual(found, history.decide([command])[0]?.result, `opening ${name} with ${min}`);
}

async function update(
  history: DoorsHistory,
  name: string,
  max: string | undefined,
  closed: boolean | undefined,
): Promise<string | undefined> {
  const { draw, doors } = history;
  const at = history.node();
  if (draw.below(2) === 0) {
    const change =
      max === 'default' ? LimitChange.LEDGER_DEFAULT : max === undefined ? LimitChange.KEEP : LimitChange.SET;
    const limits = { max_change: change, max_balance: change === LimitChange.SET ? (max ?? '') : '' };
    const accounts = [{ account: draw.named(name), ...limits, ...(closed === undefined ? {} : { closed }) }];
    const { results } = await doors.grpc.at(at).unary(LEDGER.UpdateAccounts, { accounts }, PATIENCE);
    return results[0]?.result;
  }
  const body = { ...(max && { max_balance: max }), ...(closed !== undefined && { closed }) };
  const { json, status } = await doors.request(at, 'PATCH', `/api/v1/accounts/${encodeURIComponent(name)}`, body);
  return status === 200 ? 'ok' : String(json['code']);
}
