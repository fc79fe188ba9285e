/**
 * Step 3 of the schema: transfers of every kind, holds, changes of accounts, and what the balance of an account was at
 * any record. Rows of the steps before were all plain transfers; they are carried over, and their running totals added up.
 */
export const EVERY_KIND_TABLES = `
DROP VIEW ledger.account_statement, ledger.transfer_history, ledger.account_balances;
DROP INDEX ledger.transfers_id, ledger.transfers_debit, ledger.transfers_credit, ledger.transfers_time;
ALTER TABLE ledger.transfers RENAME TO plain_transfers;
ALTER TABLE ledger.plain_transfers RENAME CONSTRAINT transfers_pkey TO plain_transfers_pkey;

ALTER TABLE ledger.accounts ADD COLUMN imported_time timestamptz;
COMMENT ON COLUMN ledger.accounts.imported_time IS 'When it was opened in the books that it was imported from.';

CREATE TABLE ledger.transfers (
  log_offset bigint NOT NULL,
  debit_account bigint,
  credit_account bigint,
  time timestamptz NOT NULL,
  effective_time timestamptz,
  imported_time timestamptz,
  expires_at timestamptz,
  hold bigint,
  code bigint NOT NULL,
  partition integer NOT NULL,
  group_index integer,
  group_size integer,
  spends_id boolean NOT NULL,
  balancing boolean NOT NULL,
  kind text COLLATE "C" NOT NULL,
  id text COLLATE "C",
  ledger text COLLATE "C",
  result text COLLATE "C" NOT NULL,
  amount numeric,
  amount_moved numeric NOT NULL,
  payer_debits numeric,
  payer_credits numeric,
  payer_debits_pending numeric,
  payer_credits_pending numeric,
  payee_debits numeric,
  payee_credits numeric,
  payee_debits_pending numeric,
  payee_credits_pending numeric,
  user_data numeric(20, 0) NOT NULL,
  amount_held numeric,
  amount_released numeric,
  refers_to text COLLATE "C",
  group_id text COLLATE "C",
  metadata bytea,
  unknown_debit text,
  unknown_credit text,
  unscaled_amount numeric
);
COMMENT ON COLUMN ledger.transfers.kind IS 'plain, pending, post, void, reversal; expiry: of a hold, which the ledger let go of by itself.';
COMMENT ON COLUMN ledger.transfers.id IS 'Null: an expiry.';
COMMENT ON COLUMN ledger.transfers.spends_id IS 'The id is answered with this row for ever: it was done, or refused for good.';
COMMENT ON COLUMN ledger.transfers.effective_time IS 'When it counts as having happened, where that was said; null: at its time.';
COMMENT ON COLUMN ledger.transfers.amount IS 'As asked for. Null: only minor units are known, and no scale (unscaled_amount); or it has more than 128 digits; or it was refused and had left the amount to the transfer that it refers to.';
COMMENT ON COLUMN ledger.transfers.amount_held IS 'What was put on hold. Null: nothing.';
COMMENT ON COLUMN ledger.transfers.amount_released IS 'What of a hold was let go. Null: nothing.';
COMMENT ON COLUMN ledger.transfers.hold IS 'The hold that it made, posted, voided, or that expired: see holds.';
COMMENT ON COLUMN ledger.transfers.refers_to IS 'Id of the transfer that it posts, voids or reverses.';
COMMENT ON COLUMN ledger.transfers.payer_debits IS 'Of the debit account, the total of all debits after this record, whether or not it moved anything. Null: no such account.';
COMMENT ON COLUMN ledger.transfers.payer_debits_pending IS 'Null: zero, or no such account.';
COMMENT ON COLUMN ledger.transfers.payee_debits IS 'Of the credit account, likewise.';
COMMENT ON COLUMN ledger.transfers.unknown_debit IS 'What the refused command called the account, where there is none.';

INSERT INTO ledger.transfers
  (log_offset, debit_account, credit_account, time, code, partition, spends_id, balancing, kind, id, ledger, result,
   amount, amount_moved, payer_debits, payer_credits, payee_debits, payee_credits, user_data, metadata, unknown_debit,
   unknown_credit, unscaled_amount)
WITH sides AS (
  SELECT partition, log_offset, true AS pays, debit_account AS account, amount_moved AS debit, 0 AS credit
    FROM ledger.plain_transfers WHERE debit_account IS NOT NULL
  UNION ALL
  SELECT partition, log_offset, false, credit_account, 0, amount_moved
    FROM ledger.plain_transfers WHERE credit_account IS NOT NULL
), totals AS (
  SELECT s.partition, s.log_offset, s.pays, round(sum(s.debit) OVER w, l.scale) AS debits,
         round(sum(s.credit) OVER w, l.scale) AS credits
    FROM sides s
    JOIN ledger.accounts a ON a.handle = s.account
    JOIN ledger.ledgers l ON l.code = a.ledger
  WINDOW w AS (PARTITION BY s.account ORDER BY s.log_offset)
)
SELECT t.log_offset, t.debit_account, t.credit_account, t.time, t.code, t.partition, t.spends_id, false, 'plain', t.id,
       t.ledger, t.result, t.amount, t.amount_moved, p.debits, p.credits, r.debits, r.credits, t.user_data, t.metadata,
       t.unknown_debit, t.unknown_credit, t.unscaled_amount
  FROM ledger.plain_transfers t
  LEFT JOIN totals p ON p.partition = t.partition AND p.log_offset = t.log_offset AND p.pays
  LEFT JOIN totals r ON r.partition = t.partition AND r.log_offset = t.log_offset AND NOT r.pays
 ORDER BY t.partition, t.log_offset;

-- Which offsets have which time: far fewer rows than an index over the times of transfers has entries.
CREATE TABLE ledger.batches (
  partition integer NOT NULL,
  last_offset bigint NOT NULL,
  first_offset bigint NOT NULL,
  time timestamptz NOT NULL,
  PRIMARY KEY (partition, last_offset)
);
COMMENT ON TABLE ledger.batches IS 'The time of each batch of records; it grows with the offset.';
INSERT INTO ledger.batches (partition, last_offset, first_offset, time)
SELECT partition, max(log_offset), min(log_offset), time
  FROM (SELECT partition, log_offset, time FROM ledger.plain_transfers
        UNION ALL
        SELECT (SELECT min(partition) FROM ledger.checkpoint), opened_offset, opened_at FROM ledger.accounts) r
 GROUP BY partition, time;
CREATE UNIQUE INDEX batches_time ON ledger.batches (partition, time);
DROP TABLE ledger.plain_transfers;

ALTER TABLE ledger.transfers ADD PRIMARY KEY (partition, log_offset);
-- One row may spend an id; others that name it are told apart by their offset. By id alone it finds all of them.
CREATE UNIQUE INDEX transfers_id ON ledger.transfers
  (id, partition, (CASE WHEN spends_id THEN -1 ELSE log_offset END)) WHERE id IS NOT NULL;
-- These two find the balance of an account at any offset, too: it stands in the last row before it.
CREATE INDEX transfers_debit ON ledger.transfers (debit_account, log_offset);
CREATE INDEX transfers_credit ON ledger.transfers (credit_account, log_offset);
CREATE INDEX transfers_time ON ledger.transfers USING brin (time);
-- Only of transfers that say when they count: all others are in the order of their offsets.
CREATE INDEX transfers_debit_effective ON ledger.transfers
  (debit_account, effective_time, log_offset) WHERE effective_time IS NOT NULL;
CREATE INDEX transfers_credit_effective ON ledger.transfers
  (credit_account, effective_time, log_offset) WHERE effective_time IS NOT NULL;
CREATE INDEX transfers_refers_to ON ledger.transfers (refers_to, log_offset) WHERE refers_to IS NOT NULL;
CREATE INDEX transfers_group ON ledger.transfers (group_id, log_offset) WHERE group_id IS NOT NULL;

CREATE TABLE ledger.holds (
  partition integer NOT NULL,
  number bigint NOT NULL,
  log_offset bigint NOT NULL,
  debit_account bigint NOT NULL,
  credit_account bigint NOT NULL,
  amount numeric NOT NULL,
  expires_at timestamptz,
  status text COLLATE "C" NOT NULL,
  ended_offset bigint,
  PRIMARY KEY (partition, number)
) WITH (fillfactor = 80);
COMMENT ON COLUMN ledger.holds.number IS 'Given in the order in which holds were made.';
COMMENT ON COLUMN ledger.holds.log_offset IS 'Of the pending transfer that made it.';
COMMENT ON COLUMN ledger.holds.status IS 'pending, posted, voided, expired.';
COMMENT ON COLUMN ledger.holds.ended_offset IS 'Of the transfer that posted or voided it, or of its expiry. Null: pending.';

CREATE TABLE ledger.account_changes (
  partition integer NOT NULL,
  log_offset bigint NOT NULL,
  time timestamptz NOT NULL,
  account bigint,
  result text COLLATE "C" NOT NULL,
  min_balance_before numeric,
  max_balance_before numeric,
  closed_before boolean,
  min_balance numeric,
  max_balance numeric,
  closed boolean,
  unknown_account text,
  PRIMARY KEY (partition, log_offset)
);
CREATE INDEX account_changes_account ON ledger.account_changes (account, log_offset);
COMMENT ON TABLE ledger.account_changes IS 'Accounts closed, opened again, and given other limits; refused changes, too.';
COMMENT ON COLUMN ledger.account_changes.min_balance IS 'After it; null: no limit.';
`;
