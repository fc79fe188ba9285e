import { CopyRows } from './copy-rows';
import { UsualRows } from './usual-rows';

/** New rows of one table. */
export interface TableRows {
  readonly table: string;
  readonly columns: readonly string[];
  readonly rows: CopyRows;
}

/** Of `ledger.transfers`, for which the part may be known that they go to. */
export interface TransferTableRows extends TableRows {
  /** From the boundary on that the rows were made with. */
  readonly isBeyond: boolean;
}

export const TRANSFERS = 'ledger.transfers';

/** Of transfers, the columns in which usual ones differ: the others have their defaults. User data stands between these two. */
const USUAL = [
  ...['partition', 'log_offset', 'time', 'id', 'debit_account', 'credit_account', 'ledger', 'amount', 'amount_moved'],
  'code',
] as const;
const TOTALS_OF_USUAL = ['payer_debits', 'payer_credits', 'payee_debits', 'payee_credits'] as const;

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
    'imported_time',
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
    'kind',
    'result',
    'spends_id',
    'debit_account',
    'credit_account',
    'ledger',
    'amount',
    'amount_moved',
    'code',
    'user_data',
    'payer_debits',
    'payer_credits',
    'payer_debits_pending',
    'payer_credits_pending',
    'payee_debits',
    'payee_credits',
    'payee_debits_pending',
    'payee_credits_pending',
    'balancing',
    'unknown_debit',
    'unknown_credit',
    'unscaled_amount',
    'amount_held',
    'amount_released',
    'hold',
    'expires_at',
    'metadata',
    'effective_time',
    'imported_time',
    'refers_to',
    'group_id',
    'group_index',
    'group_size',
  ],
  usual: [...USUAL, ...TOTALS_OF_USUAL],
  usualWithUserData: [...USUAL, 'user_data', ...TOTALS_OF_USUAL],
  holds: [
    'partition',
    'number',
    'log_offset',
    'debit_account',
    'credit_account',
    'amount',
    'expires_at',
    'status',
    'ended_offset',
  ],
  account_changes: [
    'partition',
    'log_offset',
    'time',
    'result',
    'account',
    'unknown_account',
    'min_balance_before',
    'max_balance_before',
    'closed_before',
    'min_balance',
    'max_balance',
    'closed',
  ],
  batches: ['partition', 'last_offset', 'first_offset', 'time'],
  malformed_records: ['partition', 'log_offset', 'time', 'bytes'],
} as const;

type TableName = keyof typeof COLUMNS;

/** New transfers on one side of a boundary between two parts. */
export class NewTransfers {
  readonly any = rowsOf('transfers');
  /** Plain ones that were done, with no amounts on hold. */
  readonly usual = new UsualRows(false);
  /** The same with user data. Numbers with a bound on their digits take Postgres so long that zeros are left to the default. */
  readonly usualWithUserData = new UsualRows(true);

  get count(): number {
    return this.any.count + this.usual.count + this.usualWithUserData.count;
  }

  tables(isBeyond: boolean): readonly TransferTableRows[] {
    const { any, usual, usualWithUserData } = this;
    const kinds = [tableOf('usual', usual), tableOf('usualWithUserData', usualWithUserData), tableOf('transfers', any)];
    return kinds.map((kind) => ({ ...kind, table: TRANSFERS, isBeyond }));
  }
}

/** What one transaction adds to the tables; copied in this order, so that what is referred to is there. */
export class NewRows {
  readonly ledgers = rowsOf('ledgers');
  readonly accounts = rowsOf('accounts');
  readonly balances = rowsOf('balances');
  readonly transfers = new NewTransfers();
  readonly transfersBeyond = new NewTransfers();
  readonly holds = rowsOf('holds');
  readonly changes = rowsOf('account_changes');
  readonly batches = rowsOf('batches');
  readonly malformed = rowsOf('malformed_records');

  /** @param boundary offset from which on transfers are kept apart: no part of the table is there for them yet */
  constructor(readonly boundary: number) {}

  /** Where a transfer goes that has an offset. */
  transfersAt(offset: number): NewTransfers {
    return offset < this.boundary ? this.transfers : this.transfersBeyond;
  }

  tables(): readonly (TableRows | TransferTableRows)[] {
    return [
      tableOf('ledgers', this.ledgers),
      tableOf('accounts', this.accounts),
      tableOf('balances', this.balances),
      ...this.transfers.tables(false),
      ...this.transfersBeyond.tables(true),
      tableOf('holds', this.holds),
      tableOf('account_changes', this.changes),
      tableOf('batches', this.batches),
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
