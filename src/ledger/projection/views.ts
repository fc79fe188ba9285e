/** What people and reports read: names instead of handles, and what can be derived from the tables. */
export const VIEWS = `
CREATE VIEW ledger.account_balances AS
SELECT a.name AS account,
       a.ledger,
       b.posted,
       b.posted - b.debits_pending - a.min_balance AS available,
       b.debits_posted,
       b.credits_posted,
       b.debits_pending,
       b.credits_pending,
       a.min_balance,
       a.max_balance,
       a.closed,
       b.version,
       b.as_of_offset,
       a.handle
  FROM ledger.accounts a
  JOIN ledger.balances b ON b.account = a.handle;
COMMENT ON COLUMN ledger.account_balances.available IS 'What may still be debited; null: there is no lower limit.';

CREATE VIEW ledger.transfer_history AS
SELECT t.partition,
       t.log_offset,
       t.time,
       t.id,
       coalesce(d.name, t.unknown_debit) AS debit_account,
       coalesce(c.name, t.unknown_credit) AS credit_account,
       t.ledger,
       t.amount,
       t.amount_moved,
       t.result,
       t.code,
       t.user_data,
       t.metadata
  FROM ledger.transfers t
  LEFT JOIN ledger.accounts d ON d.handle = t.debit_account
  LEFT JOIN ledger.accounts c ON c.handle = t.credit_account;
COMMENT ON VIEW ledger.transfer_history IS 'Transfers with names, refused ones too (amount_moved 0).';

-- The window is over the name, not the handle, so that a condition on the name is applied before it; and the two halves
-- have no conditions of their own, so that each is read by its index.
CREATE VIEW ledger.account_statement AS
SELECT a.name AS account,
       a.ledger,
       e.partition,
       e.log_offset,
       e.time,
       e.id,
       e.side,
       o.name AS other_account,
       e.change,
       sum(e.change) OVER (PARTITION BY a.name ORDER BY e.partition, e.log_offset) AS balance_after,
       e.code,
       e.user_data
  FROM (SELECT debit_account AS account, credit_account AS other, 'debit' AS side, -amount_moved AS change,
               partition, log_offset, time, id, code, user_data, result
          FROM ledger.transfers
        UNION ALL
        SELECT credit_account, debit_account, 'credit', amount_moved,
               partition, log_offset, time, id, code, user_data, result
          FROM ledger.transfers) e
  JOIN ledger.accounts a ON a.handle = e.account
  JOIN ledger.accounts o ON o.handle = e.other
 WHERE e.result = 'ok';
COMMENT ON VIEW ledger.account_statement IS 'What moved on an account, with its running balance. Name the account.';

-- A token: base64url of u8 version (1), u8 reserved, u16 partition, u64 Raft index, the first 8 bytes of the cluster id;
-- all little-endian. Each round is a transaction of its own, so that it sees what was committed meanwhile.
CREATE PROCEDURE ledger.wait_for_offset(token text, timeout interval DEFAULT '5 seconds')
LANGUAGE plpgsql AS $procedure$
DECLARE
  give_up_at timestamptz := clock_timestamp() + timeout;
  bytes bytea;
  wanted numeric := 0;
  reached ledger.checkpoint%ROWTYPE;
BEGIN
  IF token !~ '^[A-Za-z0-9_-]{27}$' THEN
    RAISE EXCEPTION 'the token is not one that a node of this software gave' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  bytes := decode(translate(token, '-_', '+/') || '=', 'base64');
  IF get_byte(bytes, 0) <> 1 THEN
    RAISE EXCEPTION 'the token has a version that this schema does not know' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  FOR i IN REVERSE 11..4 LOOP
    wanted := wanted * 256 + get_byte(bytes, i);
  END LOOP;
  LOOP
    SELECT * INTO reached FROM ledger.checkpoint WHERE partition = get_byte(bytes, 2) + 256 * get_byte(bytes, 3);
    IF left(reached.cluster_id, 16) <> encode(substr(bytes, 13, 8), 'hex') THEN
      RAISE EXCEPTION 'the token was given by another cluster' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    EXIT WHEN reached.raft_index >= wanted;
    IF clock_timestamp() >= give_up_at THEN
      RAISE EXCEPTION 'the projection has come to Raft index %, the token needs %', coalesce(reached.raft_index, 0), wanted
        USING ERRCODE = 'query_canceled', HINT = 'Try again later, or with a longer timeout.';
    END IF;
    COMMIT;
    PERFORM pg_sleep(0.01);
  END LOOP;
END
$procedure$;
COMMENT ON PROCEDURE ledger.wait_for_offset(text, interval) IS
  'Returns when the rows reflect the answer that the token came with; to be called outside a transaction.';
`;
