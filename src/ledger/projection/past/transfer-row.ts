/** One transfer of the past: its columns, and what they make. */
import { type PastHold, type PastTransfer, type StatementEntry } from '../../history';
import { formatMinor } from '../../amounts';
import { type TextRow } from '../database';
import { atScale, minorOf, whole } from './exact-text';
import { microsOf } from './sql-parts';

const MICROS_PER_MILLI = 1000;

/** Of `t`, with {@link JOINS}; what came after $6, the last offset that counts, is as if it had not happened. */
export const COLUMNS = `
       t.log_offset::text AS log_offset, ${microsOf('t.time')} AS time, ${microsOf('t.effective_time')} AS effective_time,
       ${microsOf('t.imported_time')} AS imported_time, ${microsOf('t.expires_at')} AS expires_at, t.id, t.kind, t.result,
       t.debit_account::text AS debit_handle, t.credit_account::text AS credit_handle,
       coalesce(d.name, t.unknown_debit) AS debit_account, coalesce(c.name, t.unknown_credit) AS credit_account,
       t.ledger, l.scale::text AS scale, dl.scale::text AS payer_scale, cl.scale::text AS payee_scale,
       coalesce(t.amount, t.unscaled_amount)::text AS amount,
       t.amount_moved::text AS amount_moved, t.amount_held::text AS amount_held,
       t.amount_released::text AS amount_released, t.code::text AS code, t.user_data::text AS user_data,
       encode(t.metadata, 'hex') AS metadata, t.balancing::text AS balancing, t.group_id,
       (CASE WHEN t.kind <> 'expiry' THEN t.refers_to ELSE (
          SELECT p.id FROM ledger.holds e JOIN ledger.transfers p ON p.partition = e.partition AND p.log_offset = e.log_offset
           WHERE e.partition = t.partition AND e.number = t.hold) END) AS refers_to,
       t.payer_debits::text AS payer_debits, t.payer_credits::text AS payer_credits,
       t.payee_debits::text AS payee_debits, t.payee_credits::text AS payee_credits,
       h.number::text AS hold_number, h.amount::text AS hold_amount, ${microsOf('h.expires_at')} AS hold_expires_at,
       (CASE WHEN h.ended_offset <= $6::text::bigint THEN h.status ELSE 'pending' END) AS hold_status,
       (SELECT r.id FROM ledger.transfers r WHERE r.partition = t.partition AND r.log_offset = h.ended_offset
           AND h.ended_offset <= $6::text::bigint) AS resolved_by,
       (SELECT json_agg(r.id ORDER BY r.log_offset)::text FROM ledger.transfers r
         WHERE r.refers_to = t.id AND t.result = 'ok' AND r.kind = 'reversal' AND r.result = 'ok'
           AND r.log_offset <= $6::text::bigint) AS reversed_by`;

export const JOINS = `
      LEFT JOIN ledger.accounts d ON d.handle = t.debit_account
      LEFT JOIN ledger.accounts c ON c.handle = t.credit_account
      LEFT JOIN ledger.ledgers l ON l.code = t.ledger
      LEFT JOIN ledger.ledgers dl ON dl.code = d.ledger
      LEFT JOIN ledger.ledgers cl ON cl.code = c.ledger
      LEFT JOIN ledger.holds h ON h.partition = t.partition AND h.number = t.hold AND t.kind = 'pending'`;

export function transferOf(row: TextRow): PastTransfer {
  const text = (column: string): string => row[column] ?? '';
  const timestamp = whole(row['time']);
  const scale = row['scale'] === null ? 0 : whole(row['scale']);
  const expiresAt = optional(row['expires_at']);
  const effectiveTime = optional(row['effective_time']);
  const importedTime = optional(row['imported_time']);
  return {
    ...{ offset: whole(row['log_offset']), timestamp, id: text('id'), kind: text('kind') as PastTransfer['kind'] },
    ...{ debitHandle: optional(row['debit_handle']) ?? 0, creditHandle: optional(row['credit_handle']) ?? 0 },
    ...{ debitAccount: text('debit_account'), creditAccount: text('credit_account'), ledger: text('ledger') },
    ...{ amount: text('amount'), moved: atScale(row['amount_moved'], scale), result: text('result') },
    ...{ code: whole(row['code']), userData: text('user_data'), metadata: text('metadata') },
    balancing: row['balancing'] === 'true',
    timeoutMs: expiresAt === undefined ? 0 : (expiresAt - timestamp) / MICROS_PER_MILLI,
    ...(row['refers_to'] !== null && { refersTo: text('refers_to') }),
    ...(effectiveTime !== undefined && { effectiveTime }),
    ...(importedTime !== undefined && { importedTime }),
    ...(row['group_id'] !== null && { group: text('group_id') }),
    ...(row['hold_number'] !== null && { hold: holdOf(row, scale) }),
    reversedBy: row['reversed_by'] === null ? [] : (JSON.parse(text('reversed_by')) as string[]),
  };
}

function holdOf(row: TextRow, scale: number): PastHold {
  const expiresAt = optional(row['hold_expires_at']);
  const resolvedBy = row['resolved_by'] ?? undefined;
  return {
    number: whole(row['hold_number']),
    amount: atScale(row['hold_amount'], scale),
    status: (row['hold_status'] ?? 'pending') as PastHold['status'],
    ...(expiresAt !== undefined && { expiresAt }),
    ...(resolvedBy !== undefined && { resolvedBy }),
  };
}

/** What it did to one of its accounts, in minor units of the account's ledger. */
export interface Effect {
  readonly side: 'debit' | 'credit';
  readonly change: bigint;
  readonly pendingChange: bigint;
  /** The posted balance that the row itself says, after it in the order of the log. */
  readonly posted: bigint;
  readonly scale: number;
}

export function effectOn(row: TextRow, account: number): Effect {
  const isPayer = row['debit_handle'] === String(account);
  const side = isPayer ? 'payer' : 'payee';
  // The account's own: a transfer between two ledgers was refused, and is of none.
  const scale = whole(row[`${side}_scale`]);
  const minor = (column: string): bigint => (row['result'] === 'ok' ? minorOf(row[column], scale) : 0n);
  const moved = minor('amount_moved');
  return {
    side: isPayer ? 'debit' : 'credit',
    change: isPayer ? -moved : moved,
    pendingChange: minor('amount_held') - minor('amount_released'),
    posted: minorOf(row[`${side}_credits`], scale) - minorOf(row[`${side}_debits`], scale),
    scale,
  };
}

/** @param posted the balance after it; undefined: it is not known in the order of the list */
export function entryOf({ side, change, pendingChange, scale }: Effect, posted: bigint | undefined): StatementEntry {
  return {
    side,
    change: formatMinor(change, scale),
    pendingChange: formatMinor(pendingChange, scale),
    ...(posted !== undefined && { balance: formatMinor(posted, scale) }),
  };
}

function optional(text: string | null | undefined): number | undefined {
  return text === null || text === undefined ? undefined : whole(text);
}
