import { formatMinor } from '../../../src/ledger/amounts';
import { type LedgerReader } from '../../../src/ledger/reader';
import { type Queries, type TextRow } from '../../../src/ledger/projection/database';
import { expectBalanceHistory } from './expected-balances';
import { expectTransfers, micros } from './expected-transfers';
import { type History } from './history';

const EVERYTHING = Number.MAX_SAFE_INTEGER;

/** The database at its own checkpoint is what the state machine has there: ledgers, accounts, balances and every transfer. */
export async function expectRowsToEqualState(database: Queries, history: History): Promise<number> {
  const [checkpoint] = (await database.query('SELECT raft_index, log_offset FROM ledger.checkpoint')).rows;
  const index = Number(checkpoint?.['raft_index']);
  const state = history.stateAt(index);
  expect(checkpoint).toEqual({ raft_index: String(index), log_offset: String(state.nextOffset - 1) });
  await expectLedgers(database, state.reader);
  await expectAccounts(database, state.reader);
  await expectHolds(database, state.reader);
  await expectAccountChanges(database);
  await expectTransfers(database, state.reader, history, index);
  await expectBalanceHistory(database, state.reader, history, index);
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
            ${micros('a.opened_at')} AS at, a.opened_offset, ${micros('a.imported_time')} AS imported, b.debits_posted, b.credits_posted, b.debits_pending,
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
      imported: account.importedTime === undefined ? null : String(account.importedTime),
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

async function expectHolds(database: Queries, reader: LedgerReader): Promise<void> {
  const { rows } = await database.query(
    `SELECT h.number, h.amount, h.status, ${micros('h.expires_at')} AS expires, made.id, made.hold,
            h.debit_account = made.debit_account AND h.credit_account = made.credit_account AS same, ended.kind,
            ended.id AS by, ended.hold AS ended_hold, made.ledger
       FROM ledger.holds h JOIN ledger.transfers made USING (partition, log_offset)
       LEFT JOIN ledger.transfers ended ON ended.partition = h.partition AND ended.log_offset = h.ended_offset
      ORDER BY h.number`,
  );
  const kinds = { pending: null, posted: 'post', voided: 'void', expired: 'expiry' };
  let number = 0;
  for (const row of rows) {
    const hold = reader.hold(++number);
    if (!hold) throw new Error(`The state has no hold ${number}.`);
    const scale = reader.ledger(row['ledger'] ?? '')?.scale ?? 0;
    expect({ ...row, ledger: '' }).toEqual({
      number: String(number),
      amount: formatMinor(hold.amount, scale),
      status: hold.status,
      expires: hold.expiresAt === undefined ? null : String(hold.expiresAt),
      id: hold.transferId,
      hold: String(number),
      same: 't',
      kind: kinds[hold.status],
      by: hold.resolvedBy ?? null,
      ended_hold: hold.status === 'pending' ? null : String(number),
      ledger: '',
    });
  }
  expect(reader.hold(number + 1)).toBeUndefined();
}

/** Each change begins where the one before it ended, and the last one is what the account has now. */
async function expectAccountChanges(database: Queries): Promise<void> {
  const { rows } = await database.query(
    `SELECT c.log_offset, c.result, (c.min_balance, c.max_balance, c.closed)::text AS after,
            (c.min_balance_before, c.max_balance_before, c.closed_before)::text AS before,
            lead((c.min_balance_before, c.max_balance_before, c.closed_before)::text) OVER w AS next,
            (a.min_balance, a.max_balance, a.closed)::text AS now, c.unknown_account
       FROM ledger.account_changes c LEFT JOIN ledger.accounts a ON a.handle = c.account
     WINDOW w AS (PARTITION BY c.account ORDER BY c.log_offset)`,
  );
  for (const { result, after, before, next, now, unknown_account: unknown } of rows) {
    if (result === 'account_not_found') {
      expect(unknown).not.toBeNull();
      continue;
    }
    if (result !== 'ok') expect(after).toBe(before);
    expect(next ?? now).toBe(after);
  }
}
