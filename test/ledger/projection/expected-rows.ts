import { BatchKind, payloadOf, readHeader } from '../../../src/log/batch';
import { formatMinor } from '../../../src/ledger/amounts';
import { parseUuid } from '../../../src/ledger/identifiers';
import { decodeOutcomeRow, isOutcomeRowSet } from '../../../src/ledger/outcome-row';
import { type LedgerReader } from '../../../src/ledger/reader';
import { burnsId, ResultCode, resultName } from '../../../src/ledger/result-codes';
import { type Queries, type TextRow } from '../../../src/ledger/projection/database';
import { type History } from './history';

const MICROS = '(extract(epoch FROM %) * 1000000)::bigint';
const micros = (column: string) => MICROS.replace('%', column);
const EVERYTHING = Number.MAX_SAFE_INTEGER;

/** The database at its own checkpoint is what the state machine has there: ledgers, accounts, balances and every transfer. */
export async function expectRowsToEqualState(database: Queries, history: History): Promise<number> {
  const [checkpoint] = (await database.query('SELECT raft_index, log_offset FROM ledger.checkpoint')).rows;
  const index = Number(checkpoint?.['raft_index']);
  const state = history.stateAt(index);
  expect(checkpoint).toEqual({ raft_index: String(index), log_offset: String(state.nextOffset - 1) });
  await expectLedgers(database, state.reader);
  await expectAccounts(database, state.reader);
  await expectTransfers(database, state.reader, history, index);
  return index;
}

async function expectLedgers(database: Queries, reader: LedgerReader): Promise<void> {
  const { rows } = await database.query(
    `SELECT code, number, scale, auto_open::text, rounding, default_min_balance, default_max_balance,
            ${micros('created_at')} AS at, created_offset FROM ledger.ledgers ORDER BY number`,
  );
  const expected = reader.ledgers().map((ledger) => ({
    code: ledger.code,
    number: String(ledger.number),
    scale: String(ledger.scale),
    auto_open: String(ledger.autoOpen),
    rounding: ledger.rounding,
    default_min_balance: limit(ledger.defaultMinBalance, ledger.scale),
    default_max_balance: limit(ledger.defaultMaxBalance, ledger.scale),
    at: String(ledger.createdAt),
    created_offset: String(ledger.offset),
  }));
  expect(rows).toEqual(expected);
}

async function expectAccounts(database: Queries, reader: LedgerReader): Promise<void> {
  const { rows } = await database.query(
    `SELECT a.handle, a.name, a.ledger, a.min_balance, a.max_balance, a.closed::text, a.user_data, a.metadata,
            ${micros('a.opened_at')} AS at, a.opened_offset, b.debits_posted, b.credits_posted, b.debits_pending,
            b.credits_pending, b.posted, v.available, b.version, v.account
       FROM ledger.accounts a JOIN ledger.balances b ON b.account = a.handle
       JOIN ledger.account_balances v ON v.handle = a.handle ORDER BY a.handle`,
  );
  const expected = reader.accountsFrom(1, EVERYTHING).map((account): TextRow => {
    const balance = reader.balance(account.handle);
    const { scale } = account.ledger;
    if (!balance) throw new Error(`Account ${account.handle} has no balance.`);
    return {
      handle: String(account.handle),
      name: account.name,
      account: account.name,
      ledger: account.ledger.code,
      min_balance: limit(account.minBalance, scale),
      max_balance: limit(account.maxBalance, scale),
      closed: String(account.closed),
      user_data: String(account.userData),
      metadata: `\\x${account.metadata.toString('hex')}`,
      at: String(account.openedAt),
      opened_offset: String(account.offset),
      debits_posted: formatMinor(balance.debitsPosted, scale),
      credits_posted: formatMinor(balance.creditsPosted, scale),
      debits_pending: formatMinor(balance.debitsPending, scale),
      credits_pending: formatMinor(balance.creditsPending, scale),
      posted: formatMinor(balance.posted, scale),
      available: limit(balance.available, scale),
      version: String(balance.version),
    };
  });
  expect(rows).toEqual(expected);
}

function limit(minor: bigint | undefined, scale: number): string | null {
  return minor === undefined ? null : formatMinor(minor, scale);
}

/** What the outcomes say of each transfer that is no repeat, and what the state says of those whose ids are spent. */
async function expectTransfers(
  database: Queries,
  reader: LedgerReader,
  history: History,
  index: number,
): Promise<void> {
  const { rows } = await database.query(
    `SELECT t.log_offset, t.result, t.spends_id::text, t.ledger, t.amount_moved, t.debit_account, t.credit_account,
            ${micros('t.time')} AS at, t.id, h.debit_account AS debit, h.credit_account AS credit,
            coalesce(t.amount, t.unscaled_amount) AS amount, t.code, t.user_data, coalesce(t.metadata, '') AS metadata
       FROM ledger.transfers t JOIN ledger.transfer_history h USING (partition, log_offset) ORDER BY t.log_offset`,
  );
  const expected = expectedOutcomes(history, index, reader);
  expect(rows.map(outcomeColumns)).toEqual(expected.transfers);
  const malformed = await database.query('SELECT log_offset FROM ledger.malformed_records ORDER BY 1');
  expect(malformed.rows.map((row) => Number(row['log_offset']))).toEqual(expected.malformed);
  const spent = rows.filter((row) => row['spends_id'] === 'true');
  expect(spent).toHaveLength(reader.counts().transfers);
  for (const row of spent) expectSpentId(row, reader);
}

function outcomeColumns(row: TextRow): TextRow {
  const { log_offset, result, spends_id, ledger, amount_moved, debit_account, credit_account, at } = row;
  return { log_offset, result, spends_id, ledger, amount_moved, debit_account, credit_account, at } as TextRow;
}

function expectedOutcomes(
  history: History,
  index: number,
  reader: LedgerReader,
): { transfers: TextRow[]; malformed: number[] } {
  const transfers: TextRow[] = [];
  const malformed: number[] = [];
  for (const { batch, outcomes } of history.batches.slice(0, index)) {
    const { kind, baseOffset, time } = readHeader(batch);
    if (kind !== BatchKind.Records) continue;
    for (let at = 0; at < outcomes.length; at += 64) {
      if (!isOutcomeRowSet(outcomes, at)) continue;
      const outcome = decodeOutcomeRow(outcomes, at);
      const offset = baseOffset + at / 64;
      if (outcome.replayed) continue;
      if (outcome.result === ResultCode.MALFORMED_RECORD) malformed.push(offset);
      else if (!history.isAboutAccounts(payloadOf(batch), at / 64)) {
        transfers.push({
          log_offset: String(offset),
          result: resultName(outcome.result),
          spends_id: String(outcome.result === ResultCode.OK || burnsId(outcome.result)),
          ledger: reader.ledgerByNumber(outcome.ledgerNumber)?.code ?? null,
          amount_moved: formatMinor(outcome.amountMoved, outcome.scale),
          debit_account: outcome.debitHandle === 0 ? null : String(outcome.debitHandle),
          credit_account: outcome.creditHandle === 0 ? null : String(outcome.creditHandle),
          at: String(time),
        });
      }
    }
  }
  return { transfers, malformed };
}

function expectSpentId(row: TextRow, reader: LedgerReader): void {
  const id = row['id'] ?? '';
  const bytes = parseUuid(id);
  const view = reader.transferById(bytes ? { kind: 'uuid', bytes } : { kind: 'text', text: id });
  if (!view) throw new Error(`The state knows no transfer "${id}".`);
  const { log_offset, debit, credit, amount, code, user_data, metadata, result } = row;
  expect({ log_offset, debit, credit, amount, code, user_data, metadata, result }).toEqual({
    log_offset: String(view.offset),
    debit: view.debitAccount,
    credit: view.creditAccount,
    amount: view.amount,
    code: String(view.code),
    user_data: String(view.userData),
    metadata: `\\x${view.metadata.toString('hex')}`,
    result: resultName(view.result),
  });
}
