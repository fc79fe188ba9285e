/** In the end every door of every node shows what the model says: balances, transfers, lists, statements, the past. */
import { clientDefinition } from '../../../src/proto/load';
import { expectEqual } from '../../ledger/long-history/agreement';
import { keyOf, type ModelAccount, type Remembered } from '../../ledger/model/facts';
import { normaliseId } from '../../../src/ledger/identifiers';
import { type DoorsHistory } from './history';

const LEDGER = clientDefinition('ledger.v1.Ledger');
const PATIENCE = 60_000;
const PAGE = 40;
/** The node that has rows in Postgres. */
const WITH_ROWS = 0;

type Json = Readonly<Record<string, unknown>>;

export async function expectEverywhere(history: DoorsHistory): Promise<void> {
  const { doors } = history;
  for (const [node] of doors.cluster.nodes.entries()) {
    await expectBalances(history, node);
    const { json } = await doors.request(node, 'GET', '/api/v1/cluster');
    const [group] = json['groups'] as { next_offset: number }[];
    expectEqual(group?.next_offset, history.nextOffset, `the records in the log of node ${node + 1}`);
  }
  for (const id of history.ids) await expectTransfer(history, id);
  await expectLists(history);
  for (const { offset, posted } of history.past) await expectPast(history, offset, posted);
  for (const account of history.model.facts.accounts) await expectStatement(history, account);
}

function decimal(minor: bigint, { ledger: { scale } }: ModelAccount): string {
  const digits = (minor < 0n ? -minor : minor).toString().padStart(scale + 1, '0');
  const text = scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
  return minor < 0n ? `-${text}` : text;
}

async function expectBalances({ doors, model }: DoorsHistory, node: number): Promise<void> {
  const known = model.facts.accounts;
  const { balances } = await doors.grpc
    .at(node)
    .unary(LEDGER.GetBalances, { accounts: known.map(({ name }) => name) }, PATIENCE);
  const query = known.map(({ name }) => `account=${encodeURIComponent(name)}`).join('&');
  const { json } = await doors.request(node, 'GET', `/api/v1/balances?${query}`);
  known.forEach((account, i) => {
    const { credits, debits, creditsHeld, debitsHeld, min } = account;
    const amounts = [debits, credits, debitsHeld, creditsHeld, credits - debits].map((one) => decimal(one, account));
    const available = min === undefined ? null : decimal(credits - debits - debitsHeld - min, account);
    const found = balances[i]!;
    expectEqual(
      [
        found.debits_posted,
        found.credits_posted,
        found.debits_pending,
        found.credits_pending,
        found.posted,
        found.available ?? null,
      ],
      [...amounts, available],
      `the balance of ${account.name} at node ${node + 1}`,
    );
    const shown = (json['balances'] as Json[])[i]!;
    expectEqual(
      ['debits_posted', 'credits_posted', 'debits_pending', 'credits_pending', 'posted', 'available'].map(
        (name) => shown[name],
      ),
      [...amounts, available],
      `the balance of ${account.name} over HTTP at node ${node + 1}`,
    );
  });
}

async function expectTransfer({ doors, draw, model }: DoorsHistory, id: string): Promise<void> {
  const known = normaliseId(id);
  const remembered = known && model.facts.transfers.get(keyOf(known));
  const node = draw.below(doors.cluster.nodes.length);
  const path = `/api/v1/transfers/${encodeURIComponent(draw.spelled(id))}`;
  const { json, status } = await doors.request(node, 'GET', path);
  if (remembered === undefined) {
    expectEqual(status, known ? 404 : 400, `looking ${id} up, which is bound to nothing`);
    return;
  }
  const { outcome, content, debit, credit } = remembered;
  const hold = model.facts.holdOf.get(content.id);
  const refersTo = json['pending_id'] ?? json['reverses'];
  expectEqual(
    {
      ...{ result: json['result'], offset: json['offset'], timestamp: json['timestamp'], kind: json['kind'] },
      ...{ balancing: json['balancing'], code: json['code'], user_data: json['user_data'], metadata: json['metadata'] },
      ...{
        timeout: json['timeout_ms'] ?? 0,
        effective: json['effective_time'] ?? 0,
        imported: json['imported_time'] ?? 0,
      },
      refersTo: typeof refersTo === 'string' ? keyOf(normaliseId(refersTo)!) : '',
      hold: (json['hold'] as { status: string } | null)?.status ?? null,
    },
    {
      ...{ result: outcome.result, offset: outcome.offset, timestamp: outcome.time },
      kind: content.kind === 'reverse' ? 'reversal' : content.kind,
      ...{ balancing: content.balancing, code: content.code, user_data: String(content.userData) },
      metadata: Buffer.from(content.metadata, 'hex').toString('base64'),
      ...{ timeout: content.timeoutMs, effective: content.effective, imported: content.imported },
      ...{ refersTo: content.to, hold: hold?.status ?? null },
    },
    `the transfer ${id} at node ${node + 1}`,
  );
  if (outcome.result === 'ok') expectParties(json, debit, credit, remembered, id);
}

function expectParties(
  json: Json,
  debit: ModelAccount | undefined,
  credit: ModelAccount | undefined,
  { moved }: Remembered,
  id: string,
): void {
  expectEqual(
    [json['from'], json['to'], json['amount_moved']],
    [debit?.name, credit?.name, debit && decimal(moved, debit)],
    `what the transfer ${id} did`,
  );
}

/** Page by page, each from another node that has rows: here there is one. */
async function expectLists({ doors, model }: DoorsHistory): Promise<void> {
  const found: string[] = [];
  let token = '';
  do {
    const page = { page_size: PAGE, page_token: token, kinds: ['plain', 'pending', 'post', 'void', 'reversal'] };
    const answer = await doors.grpc.at(WITH_ROWS).unary(LEDGER.ListTransfers, page, PATIENCE);
    found.push(...answer.transfers.map(({ transfer }) => transfer?.id ?? ''));
    token = answer.next_page_token;
  } while (token !== '');
  const done = [...model.facts.transfers.values()].filter(({ outcome }) => outcome.result === 'ok');
  const byOffset = done.sort((a, b) => a.outcome.offset - b.outcome.offset).map(({ content }) => content.id);
  expectEqual(
    found.map((id) => keyOf(normaliseId(id)!)),
    byOffset,
    'the list of all transfers that were done',
  );
}

async function expectPast(
  { doors, draw }: DoorsHistory,
  offset: number,
  posted: ReadonlyMap<string, bigint>,
): Promise<void> {
  const names = [...posted.keys()];
  const name = draw.one(names);
  if (name === undefined) return;
  const path = `/api/v1/accounts/${encodeURIComponent(name)}/balance?at=${offset}`;
  const { json } = await doors.request(WITH_ROWS, 'GET', path);
  expectEqual(
    BigInt(String(json['posted']).replace('.', '')),
    posted.get(name),
    `the balance of ${name} after offset ${offset}`,
  );
}

async function expectStatement({ doors }: DoorsHistory, account: ModelAccount): Promise<void> {
  const path = `/api/v1/accounts/${encodeURIComponent(account.name)}/statement?page_size=1000`;
  const { json } = await doors.request(WITH_ROWS, 'GET', path);
  const entries = json['entries'] as { change: string }[];
  const sum = entries.reduce((total, { change }) => total + BigInt(change.replace('.', '')), 0n);
  const posted = account.credits - account.debits;
  const closing = (json['closing'] as Json | null)?.['posted'];
  expectEqual([sum, closing], [posted, decimal(posted, account)], `the statement of ${account.name}`);
}
