/** These two are made again where the table that they are of is another one. */
export const TRANSFER_HISTORY = `\
CREATE VIEW ledger.transfer_history AS
SELECT t.partition,
       t.log_offset,
       t.time,
       t.id,
       t.kind,
       coalesce(d.name, t.unknown_debit) AS debit_account,
       coalesce(c.name, t.unknown_credit) AS credit_account,
       t.ledger,
       t.amount,
       t.amount_moved,
       t.result,
       t.code,
       t.user_data,
       t.metadata,
       coalesce(t.effective_time, t.time) AS effective_time,
       t.imported_time,
       t.balancing,
       t.refers_to,
       t.hold,
       t.amount_held,
       t.amount_released,
       h.status AS hold_status,
       t.expires_at,
       t.group_id,
       t.group_index,
       t.group_size
  FROM ledger.transfers t
  LEFT JOIN ledger.accounts d ON d.handle = t.debit_account
  LEFT JOIN ledger.accounts c ON c.handle = t.credit_account
  LEFT JOIN ledger.holds h ON h.partition = t.partition AND h.number = t.hold;
`;

export const ACCOUNT_STATEMENT = `\
CREATE VIEW ledger.account_statement AS
SELECT a.name AS account,
       a.ledger,
       e.partition,
       e.log_offset,
       e.time,
       coalesce(e.effective_time, e.time) AS effective_time,
       e.id,
       e.kind,
       e.side,
       o.name AS other_account,
       e.change,
       e.pending_change,
       e.credits - e.debits AS balance_after,
       coalesce(e.debits_pending, 0) AS debits_pending_after,
       coalesce(e.credits_pending, 0) AS credits_pending_after,
       e.code,
       e.user_data
  FROM (SELECT debit_account AS account, credit_account AS other, 'debit' AS side, -amount_moved AS change,
               coalesce(amount_held, 0) - coalesce(amount_released, 0) AS pending_change,
               payer_debits AS debits, payer_credits AS credits, payer_debits_pending AS debits_pending,
               payer_credits_pending AS credits_pending,
               partition, log_offset, time, effective_time, id, kind, code, user_data, result
          FROM ledger.transfers
        UNION ALL
        SELECT credit_account, debit_account, 'credit', amount_moved,
               coalesce(amount_held, 0) - coalesce(amount_released, 0),
               payee_debits, payee_credits, payee_debits_pending, payee_credits_pending,
               partition, log_offset, time, effective_time, id, kind, code, user_data, result
          FROM ledger.transfers) e
  JOIN ledger.accounts a ON a.handle = e.account
  JOIN ledger.accounts o ON o.handle = e.other
 WHERE e.result = 'ok';
`;

/** Step 4 of the schema: what people and reports read. Names instead of handles, and what can be derived from the tables. */
export const EVERY_KIND_VIEWS = `
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

${TRANSFER_HISTORY}COMMENT ON VIEW ledger.transfer_history IS 'Transfers with names, refused ones too (amount_moved 0), and expiries of holds.';
COMMENT ON COLUMN ledger.transfer_history.hold_status IS 'What became of the hold that it has to do with.';

-- The two halves have no conditions of their own, so that each is read by its index.
${ACCOUNT_STATEMENT}COMMENT ON VIEW ledger.account_statement IS 'What moved on an account or was held, with its balance after each. Name the account.';
COMMENT ON COLUMN ledger.account_statement.pending_change IS 'Of debits pending (side debit) or credits pending (side credit).';

CREATE FUNCTION ledger.offset_at(moment timestamptz, of_partition integer DEFAULT 0) RETURNS bigint
LANGUAGE sql STABLE PARALLEL SAFE AS $function$
  SELECT coalesce((SELECT last_offset FROM ledger.batches
                    WHERE partition = of_partition AND time <= moment ORDER BY time DESC LIMIT 1), -1)
$function$;
COMMENT ON FUNCTION ledger.offset_at(timestamptz, integer) IS 'The last record up to a time of the ledger; -1: there was none.';

-- No row: the account was not open yet. Each half is one look into its index.
CREATE FUNCTION ledger.balance_at_offset(of_account bigint, at_offset bigint)
RETURNS TABLE (debits_posted numeric, credits_posted numeric, debits_pending numeric, credits_pending numeric,
               posted numeric, as_of_offset bigint)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 1 AS $function$
  SELECT coalesce(e.debits, 0), coalesce(e.credits, 0), coalesce(e.debits_pending, 0), coalesce(e.credits_pending, 0),
         coalesce(e.credits - e.debits, 0), coalesce(e.log_offset, -1)
    FROM ledger.accounts a
    LEFT JOIN LATERAL (
      (SELECT log_offset, payer_debits AS debits, payer_credits AS credits, payer_debits_pending AS debits_pending,
              payer_credits_pending AS credits_pending
         FROM ledger.transfers WHERE debit_account = of_account AND log_offset <= at_offset
        ORDER BY log_offset DESC LIMIT 1)
      UNION ALL
      (SELECT log_offset, payee_debits, payee_credits, payee_debits_pending, payee_credits_pending
         FROM ledger.transfers WHERE credit_account = of_account AND log_offset <= at_offset
        ORDER BY log_offset DESC LIMIT 1)
      ORDER BY log_offset DESC LIMIT 1) e ON true
   WHERE a.handle = of_account AND a.opened_offset <= at_offset
$function$;
COMMENT ON FUNCTION ledger.balance_at_offset(bigint, bigint) IS
  'The totals of an account (by its handle) after the record at an offset.';

-- As by a token, for whoever has the offset of an answer.
CREATE PROCEDURE ledger.wait_for_offset(wanted bigint, timeout interval DEFAULT '5 seconds', of_partition integer DEFAULT 0)
LANGUAGE plpgsql AS $procedure$
DECLARE
  give_up_at timestamptz := clock_timestamp() + timeout;
  reached bigint;
BEGIN
  LOOP
    SELECT log_offset INTO reached FROM ledger.checkpoint WHERE partition = of_partition;
    EXIT WHEN reached >= wanted;
    IF clock_timestamp() >= give_up_at THEN
      RAISE EXCEPTION 'the projection has come to offset %, % was asked for', coalesce(reached, -1), wanted
        USING ERRCODE = 'query_canceled', HINT = 'Try again later, or with a longer timeout.';
    END IF;
    COMMIT;
    PERFORM pg_sleep(0.01);
  END LOOP;
END
$procedure$;
COMMENT ON PROCEDURE ledger.wait_for_offset(bigint, interval, integer) IS
  'Returns when the rows reflect the record at an offset; to be called outside a transaction.';

CREATE FUNCTION ledger.balance_at(account_name text, moment timestamptz)
RETURNS TABLE (debits_posted numeric, credits_posted numeric, debits_pending numeric, credits_pending numeric,
               posted numeric, as_of_offset bigint)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 1 AS $function$
  SELECT b.* FROM ledger.accounts a, ledger.balance_at_offset(a.handle, ledger.offset_at(moment)) b
   WHERE a.name = account_name
$function$;
COMMENT ON FUNCTION ledger.balance_at(text, timestamptz) IS 'The totals of an account at a time of the ledger (posting time).';
`;
