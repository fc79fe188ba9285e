/**
 * The tables of the projection, as numbered steps: a database that has the first n of them gets the rest when a projector
 * opens it. A step that was released is never changed; what is to be different is a further step.
 */
import { type Database } from './database';
import { DATED_TOTALS_BY_SIDE } from './dated-totals-by-side';
import { EFFECTIVE_BALANCES } from './effective-balances';
import { EVERY_KIND_TABLES } from './every-kind-tables';
import { EVERY_KIND_VIEWS } from './every-kind-views';
import { PAST_INDEX } from './past-index';
import { TRANSFER_PARTS } from './transfer-parts-tables';
import { USER_DATA_DEFAULT } from './user-data-default';
import { VIEWS } from './views';

export interface SchemaStep {
  readonly name: string;
  readonly sql: string;
}

/** The schema and the list of its steps; may be run any number of times. */
export const BASE = `
CREATE SCHEMA IF NOT EXISTS ledger;
CREATE TABLE IF NOT EXISTS ledger.migrations (
  version integer PRIMARY KEY,
  name text NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT now()
);
`;

const TABLES = `
CREATE TABLE ledger.checkpoint (
  partition integer PRIMARY KEY,
  cluster_id text NOT NULL,
  raft_index bigint NOT NULL,
  log_offset bigint NOT NULL,
  batch_hash bytea NOT NULL,
  batch_time timestamptz,
  epoch bigint NOT NULL,
  projector text NOT NULL,
  updated_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 10);
COMMENT ON TABLE ledger.checkpoint IS 'How far the rows have come; written in the transaction of the rows.';
COMMENT ON COLUMN ledger.checkpoint.raft_index IS 'The last batch that the rows reflect; 0: none.';
COMMENT ON COLUMN ledger.checkpoint.log_offset IS 'The last record that the rows reflect; -1: none.';
COMMENT ON COLUMN ledger.checkpoint.batch_hash IS 'SHA-256 of that batch: the next one names it.';
COMMENT ON COLUMN ledger.checkpoint.epoch IS 'Grows with every projector; one with an older epoch cannot write.';

CREATE TABLE ledger.ledgers (
  code text COLLATE "C" PRIMARY KEY,
  number integer NOT NULL UNIQUE,
  scale integer NOT NULL,
  auto_open boolean NOT NULL,
  rounding text NOT NULL,
  default_min_balance numeric,
  default_max_balance numeric,
  created_at timestamptz NOT NULL,
  created_offset bigint NOT NULL
);
COMMENT ON COLUMN ledger.ledgers.default_min_balance IS 'Null: no limit.';
COMMENT ON COLUMN ledger.ledgers.created_offset IS 'The record''s offset; -1 for one that the system made.';

CREATE TABLE ledger.accounts (
  handle bigint PRIMARY KEY,
  name text COLLATE "C" NOT NULL UNIQUE,
  ledger text COLLATE "C" NOT NULL REFERENCES ledger.ledgers (code),
  min_balance numeric,
  max_balance numeric,
  closed boolean NOT NULL,
  user_data numeric(20, 0) NOT NULL,
  metadata bytea NOT NULL,
  opened_at timestamptz NOT NULL,
  opened_offset bigint NOT NULL
);
COMMENT ON COLUMN ledger.accounts.min_balance IS 'Null: no limit.';

-- Room in each page, so that an update stays in it and no index has to be touched.
CREATE TABLE ledger.balances (
  account bigint PRIMARY KEY REFERENCES ledger.accounts (handle),
  debits_posted numeric NOT NULL,
  credits_posted numeric NOT NULL,
  debits_pending numeric NOT NULL,
  credits_pending numeric NOT NULL,
  posted numeric NOT NULL GENERATED ALWAYS AS (credits_posted - debits_posted) STORED,
  version bigint NOT NULL,
  as_of_offset bigint NOT NULL
) WITH (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.05);
COMMENT ON COLUMN ledger.balances.as_of_offset IS 'The record that changed the balance last; -1: none has.';

-- No foreign keys to accounts: they would be looked up twice for each of millions of rows, and the one who writes here
-- has just looked.
CREATE TABLE ledger.transfers (
  log_offset bigint NOT NULL,
  debit_account bigint,
  credit_account bigint,
  time timestamptz NOT NULL,
  code bigint NOT NULL,
  partition integer NOT NULL,
  spends_id boolean NOT NULL,
  id text COLLATE "C" NOT NULL,
  ledger text COLLATE "C",
  amount numeric,
  amount_moved numeric NOT NULL,
  result text COLLATE "C" NOT NULL,
  user_data numeric(20, 0) NOT NULL,
  metadata bytea,
  unknown_debit text,
  unknown_credit text,
  unscaled_amount numeric,
  PRIMARY KEY (partition, log_offset)
);
COMMENT ON COLUMN ledger.transfers.spends_id IS 'The id is answered with this row for ever: it was done, or refused for good.';
COMMENT ON COLUMN ledger.transfers.amount IS 'As asked for. Null: only minor units are known, and no scale (unscaled_amount), or it has more than 128 digits.';
COMMENT ON COLUMN ledger.transfers.unknown_debit IS 'What the refused command called the account, where there is none.';
-- One row may spend an id; others that name it are told apart by their offset. By id alone it finds all of them.
CREATE UNIQUE INDEX transfers_id ON ledger.transfers
  (id, partition, (CASE WHEN spends_id THEN -1 ELSE log_offset END));
CREATE INDEX transfers_debit ON ledger.transfers (debit_account, log_offset);
CREATE INDEX transfers_credit ON ledger.transfers (credit_account, log_offset);
CREATE INDEX transfers_time ON ledger.transfers USING brin (time);

CREATE TABLE ledger.malformed_records (
  partition integer NOT NULL,
  log_offset bigint NOT NULL,
  time timestamptz NOT NULL,
  bytes bytea NOT NULL,
  PRIMARY KEY (partition, log_offset)
);
COMMENT ON TABLE ledger.malformed_records IS 'Records of the ledger that nobody could decode; they changed nothing.';
`;

/** A table in parts has no rows of its own, and no persistence. */
const TABLE_WITH_ROWS = /CREATE TABLE(?! ledger\.transfers \(LIKE)/g;

export function schemaSteps(persistence: Database['persistence']): readonly SchemaStep[] {
  const steps = [
    { name: 'tables', sql: TABLES },
    { name: 'views', sql: VIEWS },
    { name: 'tables for transfers of every kind', sql: EVERY_KIND_TABLES },
    { name: 'views for transfers of every kind', sql: EVERY_KIND_VIEWS },
    { name: 'balances as of an effective time', sql: EFFECTIVE_BALANCES },
    { name: 'an index for lists by effective time', sql: PAST_INDEX },
    { name: 'transfers in parts', sql: TRANSFER_PARTS },
    { name: 'debits and credits as of an effective time', sql: DATED_TOTALS_BY_SIDE },
    { name: 'no user data by default', sql: USER_DATA_DEFAULT },
  ];
  if (persistence === 'LOGGED') return steps;
  return steps.map(({ name, sql }) => ({ name, sql: sql.replaceAll(TABLE_WITH_ROWS, 'CREATE UNLOGGED TABLE') }));
}
