/** The rows of a fold, in the transaction that writes them. */
import { type Transaction } from './database';
import { addDatedTotals, endHolds, updateTerms } from './row-updates';
import { type TransactionFold } from './transaction-fold';
import { type TransferPart } from './transfer-parts';

/**
 * All but balances, which are updated once for several folds.
 * @param group its partition
 * @param filled a part that this transaction has made, for all rows that no other part is there for
 */
export async function writeFold(
  transaction: Transaction,
  fold: TransactionFold,
  group: number,
  filled: TransferPart | undefined,
): Promise<void> {
  for (const copied of fold.copies()) {
    const { table, columns, rows } = copied;
    if (rows.count === 0) continue;
    // Rows before the boundary of the fold are in the part that was there before it.
    const isFilled =
      filled !== undefined && 'isBeyond' in copied && (copied.isBeyond || fold.firstOffset >= filled.first);
    const target = isFilled ? `ledger.${filled.name}` : table;
    const written = await transaction.copy(target, columns, rows.finish(), isFilled);
    assertCount(target, written, rows.count);
  }
  const { accounts, dated, holds } = fold;
  if (accounts.termUpdates > 0) {
    assertCount('ledger.accounts', await updateTerms(transaction, accounts), accounts.termUpdates);
  }
  if (holds.updates > 0) assertCount('ledger.holds', await endHolds(transaction, holds, group), holds.updates);
  if (dated.size > 0) assertCount('ledger.dated_totals', await addDatedTotals(transaction, dated), dated.size);
}

/** A row that is not there, or is there twice, is damage: better no further row than a wrong one. */
export function assertCount(table: string, written: number, expected: number): void {
  if (written !== expected) {
    throw new Error(`${table} took ${written} rows where ${expected} were expected; the transaction is rolled back.`);
  }
}
