import { BatchKind, payloadOf, readHeader } from '../../../src/log/batch';
import { formatMinor } from '../../../src/ledger/amounts';
import { parseUuid } from '../../../src/ledger/identifiers';
import { decodeOutcomeRow, isOutcomeRowSet, type OutcomeRow } from '../../../src/ledger/outcome-row';
import { type LedgerReader } from '../../../src/ledger/reader';
import { ResultCode, resultName } from '../../../src/ledger/result-codes';
import { type Queries, type TextRow } from '../../../src/ledger/projection/database';
import { History } from './history';

const MICROS = '(extract(epoch FROM %) * 1000000)::bigint';
export const micros = (column: string): string => MICROS.replace('%', column);

/** One record that is no repeat, and no producer's value. */
export interface Event {
  readonly offset: number;
  readonly time: number;
  readonly kind: ReturnType<typeof History.kindOf> | 'malformed';
  readonly outcome: OutcomeRow;
}

export function eventsOf(history: History, index: number): Event[] {
  const events: Event[] = [];
  for (const { batch, outcomes } of history.batches.slice(0, index)) {
    const { kind, baseOffset, time } = readHeader(batch);
    if (kind !== BatchKind.Records) continue;
    for (let at = 0; at < outcomes.length; at += 64) {
      if (!isOutcomeRowSet(outcomes, at)) continue;
      const outcome = decodeOutcomeRow(outcomes, at);
      if (outcome.replayed) continue;
      const ordinal = at / 64;
      const isMalformed = outcome.result === ResultCode.MALFORMED_RECORD;
      const kindOf = isMalformed ? 'malformed' : History.kindOf(payloadOf(batch), ordinal);
      events.push({ offset: baseOffset + ordinal, time, kind: kindOf, outcome });
    }
  }
  return events;
}

/** Whether it is a row of `ledger.transfers`. */
export function isTransferRow({ kind, outcome }: Event): boolean {
  return kind === 'transfer' || kind === 'refer' || (kind === 'expire_hold' && outcome.effect === 'released');
}

/** What the outcomes say of each transfer that is no repeat, and what the state says of those whose ids are spent. */
export async function expectTransfers(
  database: Queries,
  reader: LedgerReader,
  history: History,
  index: number,
): Promise<void> {
  const { rows } = await database.query(
    `SELECT t.log_offset, t.result, t.spends_id::text, t.ledger, t.amount_moved, t.debit_account, t.credit_account,
            ${micros('t.time')} AS at, t.id, h.debit_account AS debit, h.credit_account AS credit,
            coalesce(t.amount, t.unscaled_amount) AS amount, t.code, t.user_data, coalesce(t.metadata, '') AS metadata,
            t.kind, t.balancing::text, t.refers_to, t.group_id, ${micros('t.effective_time')} AS effective,
            ${micros('t.imported_time')} AS imported, ${micros('h.effective_time')} AS counts_at, t.hold, t.amount_held
       FROM ledger.transfers t JOIN ledger.transfer_history h USING (partition, log_offset) ORDER BY t.log_offset`,
  );
  const events = eventsOf(history, index);
  const expected = events.filter(isTransferRow).map((event) => outcomeOf(event, reader));
  expect(rows.map(outcomeColumns)).toEqual(expected);
  const malformed = await database.query('SELECT log_offset FROM ledger.malformed_records ORDER BY 1');
  expect(malformed.rows.map((row) => Number(row['log_offset']))).toEqual(
    events.filter((event) => event.kind === 'malformed').map(({ offset }) => offset),
  );
  const spent = rows.filter((row) => row['spends_id'] === 'true');
  expect(spent).toHaveLength(reader.counts().transfers);
  for (const row of spent) expectSpentId(row, reader);
}

function outcomeColumns(row: TextRow): TextRow {
  const { log_offset, result, ledger, amount_moved, debit_account, credit_account, at } = row;
  return { log_offset, result, ledger, amount_moved, debit_account, credit_account, at } as TextRow;
}

function outcomeOf({ offset, time, outcome }: Event, reader: LedgerReader): TextRow {
  return {
    log_offset: String(offset),
    result: resultName(outcome.result),
    ledger: reader.ledgerByNumber(outcome.ledgerNumber)?.code ?? null,
    amount_moved: formatMinor(outcome.amountMoved, outcome.scale),
    debit_account: outcome.debitHandle === 0 ? null : String(outcome.debitHandle),
    credit_account: outcome.creditHandle === 0 ? null : String(outcome.creditHandle),
    at: String(time),
  };
}

function expectSpentId(row: TextRow, reader: LedgerReader): void {
  const id = row['id'] ?? '';
  const bytes = parseUuid(id);
  const view = reader.transferById(bytes ? { kind: 'uuid', bytes } : { kind: 'text', text: id });
  if (!view) throw new Error(`The state knows no transfer "${id}".`);
  const { amount_held, hold, kind, result } = row;
  const made = view.hold;
  const scale = view.ledger?.scale ?? 0;
  // Of a refusal the state works out what was left to another transfer; the row says that it was left.
  const amount = row['amount'] ?? view.amount;
  expect({ ...row, amount, hold: kind === 'pending' ? hold : null }).toMatchObject({
    log_offset: String(view.offset),
    debit: view.debitAccount === '' ? null : view.debitAccount,
    credit: view.creditAccount === '' ? null : view.creditAccount,
    amount: view.amount,
    amount_moved: formatMinor(view.moved, scale),
    code: String(view.code),
    user_data: String(view.userData),
    metadata: `\\x${view.metadata.toString('hex')}`,
    result: resultName(view.result),
    kind: view.kind,
    balancing: String(view.balancing),
    refers_to: view.refersTo ?? null,
    group_id: view.group ?? null,
    effective: view.effectiveTime === undefined ? null : String(view.effectiveTime),
    imported: view.importedTime === undefined ? null : String(view.importedTime),
    counts_at: String(view.effectiveTime ?? view.timestamp),
    hold: made === undefined ? null : String(made.number),
  });
  if (made) expect(amount_held).toBe(formatMinor(made.amount, scale));
  if (result === 'ok') expect(row['amount']).not.toBeNull();
}
