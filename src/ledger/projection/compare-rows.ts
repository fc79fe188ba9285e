/**
 * Holds the rows against the state at their own place in the log: every ledger, account, balance and hold, how many rows there
 * are, and what the transfers add up to. What each row says by itself is held against the log while that is gone through
 * (compare-log.ts).
 */
import { type LedgerReader } from '../reader';
import { ResultCode } from '../result-codes';
import { compareAccounts, compareLedgers, type LastChangeOf } from './compare-accounts';
import { compareDatedTotals } from './compare-dated-totals';
import { compareHolds } from './compare-holds';
import { compareRunningTotals } from './compare-running-totals';
import { COMPARING } from './compare-text';
import { type Database, type Queries } from './database';
import { Differences } from './differences';

export interface Comparison {
  readonly accounts: number;
  readonly transfers: number;
  /** A sentence each; the last one may say how many more there are. */
  readonly differences: readonly string[];
  /** How many there are. */
  readonly found: number;
}

export function told(differences: Differences): Pick<Comparison, 'differences' | 'found'> {
  return { differences: differences.list(), found: differences.count };
}

/** Tables whose rows are of a partition. */
const OF_PARTITIONS = ['transfers', 'holds', 'account_changes', 'batches', 'malformed_records', 'checkpoint'];

/**
 * Without the log.
 * @param onTransfers told now and then how many transfers it has been through, and of how many
 */
export async function compareRows(
  database: Database,
  reader: LedgerReader,
  onTransfers: (done: number, total: number) => void = () => undefined,
): Promise<Comparison> {
  const differences = new Differences();
  const transfers = transferRows(reader);
  await database.transaction(async (queries) => {
    await queries.script(COMPARING);
    await compareState(queries, 0, reader, differences, () => undefined);
    // Expiries are rows, too: there may be some more.
    await compareRunningTotals(queries, reader, differences, {
      onRows: (done) => onTransfers(Math.min(done, transfers), transfers),
    });
    await compareDatedTotals(queries, reader, differences);
  });
  return { accounts: reader.counts().accounts, transfers, ...told(differences) };
}

/** @param queries of a transaction, begun with COMPARING (compare-text.ts) */
export async function compareState(
  queries: Queries,
  group: number,
  reader: LedgerReader,
  differences: Differences,
  lastChangeOf: LastChangeOf,
): Promise<void> {
  await compareCounts(queries, reader, differences);
  await comparePartitions(queries, group, differences);
  await compareLedgers(queries, reader, differences);
  await compareAccounts(queries, reader, differences, lastChangeOf);
  await compareHolds(queries, reader, differences);
}

/** Records that are no repeats, and expiries; a record that nobody could decode is a row elsewhere. */
export function transferRows(reader: LedgerReader): number {
  const { transfersByResult } = reader.counts();
  const all = transfersByResult.reduce((sum, count) => sum + count, 0);
  return all - (transfersByResult[ResultCode.MALFORMED_RECORD] ?? 0);
}

async function compareCounts(queries: Queries, reader: LedgerReader, differences: Differences): Promise<void> {
  const { accounts, ledgers, transfers } = reader.counts();
  const expected = {
    ledgers,
    accounts,
    balances: accounts,
    transfers: transferRows(reader),
    'spent ids': transfers,
  };
  const { rows } = await queries.query(
    `SELECT (SELECT count(*) FROM ledger.ledgers) AS ledgers, (SELECT count(*) FROM ledger.accounts) AS accounts,
            (SELECT count(*) FROM ledger.balances) AS balances,
            (SELECT count(*) FROM ledger.transfers WHERE kind <> 'expiry') AS transfers,
            (SELECT count(*) FROM ledger.transfers WHERE spends_id) AS "spent ids"`,
  );
  for (const [what, count] of Object.entries(expected)) {
    const found = Number(rows[0]?.[what]);
    // Ids that were forgotten (--dedup-age) stay in the rows.
    const isRight = what === 'spent ids' && reader.dedupAgeMs() > 0 ? found >= count : found === count;
    if (!isRight) differences.add(`The rows have ${found} ${what}, the state has ${count}.`);
  }
}

/** Rows of another partition are of no log that there is. */
async function comparePartitions(queries: Queries, group: number, differences: Differences): Promise<void> {
  for (const table of OF_PARTITIONS) {
    const { rows } = await queries.table(
      `SELECT partition, count(*) FROM ledger.${table} WHERE partition <> $1::text::integer GROUP BY 1 ORDER BY 1 LIMIT 10`,
      [String(group)],
    );
    for (const [partition, count] of rows) {
      differences.add(`The rows have ${count} rows of ${table} of partition ${partition}; the log is of ${group}.`);
    }
  }
}
