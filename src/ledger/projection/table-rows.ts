import { CopyRows } from './copy-rows';

/** New rows of one table. */
export interface TableRows {
  readonly table: string;
  readonly columns: readonly string[];
  readonly rows: CopyRows;
}

const COLUMNS = {
  ledgers: [
    'code',
    'number',
    'scale',
    'auto_open',
    'rounding',
    'default_min_balance',
    'default_max_balance',
    'created_at',
    'created_offset',
  ],
  accounts: [
    'handle',
    'name',
    'ledger',
    'min_balance',
    'max_balance',
    'closed',
    'user_data',
    'metadata',
    'opened_at',
    'opened_offset',
  ],
  balances: [
    'account',
    'debits_posted',
    'credits_posted',
    'debits_pending',
    'credits_pending',
    'version',
    'as_of_offset',
  ],
  transfers: [
    'partition',
    'log_offset',
    'time',
    'id',
    'debit_account',
    'credit_account',
    'unknown_debit',
    'unknown_credit',
    'ledger',
    'amount',
    'unscaled_amount',
    'amount_moved',
    'code',
    'user_data',
    'metadata',
    'result',
    'spends_id',
  ],
  malformed_records: ['partition', 'log_offset', 'time', 'bytes'],
} as const;

type TableName = keyof typeof COLUMNS;

/** What one transaction adds to the tables; copied in this order, so that what is referred to is there. */
export class NewRows {
  readonly ledgers = rowsOf('ledgers');
  readonly accounts = rowsOf('accounts');
  readonly balances = rowsOf('balances');
  readonly transfers = rowsOf('transfers');
  readonly malformed = rowsOf('malformed_records');

  tables(): readonly TableRows[] {
    return [
      tableOf('ledgers', this.ledgers),
      tableOf('accounts', this.accounts),
      tableOf('balances', this.balances),
      tableOf('transfers', this.transfers),
      tableOf('malformed_records', this.malformed),
    ];
  }
}

function rowsOf(table: TableName): CopyRows {
  return new CopyRows(COLUMNS[table].length);
}

function tableOf(table: TableName, rows: CopyRows): TableRows {
  return { table: `ledger.${table}`, columns: COLUMNS[table], rows };
}
