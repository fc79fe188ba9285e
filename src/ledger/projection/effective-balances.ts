/** Step 5 of the schema: balances as of an effective time. */
export const EFFECTIVE_BALANCES = `
CREATE TABLE ledger.dated_totals (
  account bigint NOT NULL,
  by_effective boolean NOT NULL,
  level smallint NOT NULL,
  at timestamptz NOT NULL,
  net numeric NOT NULL,
  PRIMARY KEY (account, by_effective, level, at)
);
COMMENT ON TABLE ledger.dated_totals IS 'What transfers with an effective time of their own moved on an account.';
COMMENT ON COLUMN ledger.dated_totals.by_effective IS 'Summed up by when they count, or by when they were posted.';
COMMENT ON COLUMN ledger.dated_totals.level IS '0: of one moment; 1: of an hour; 2: of a day (UTC), from its begin on.';

INSERT INTO ledger.dated_totals (account, by_effective, level, at, net)
SELECT account, by_effective, level,
       CASE level WHEN 0 THEN moment WHEN 1 THEN date_trunc('hour', moment, 'UTC') ELSE date_trunc('day', moment, 'UTC') END,
       sum(change)
  FROM (SELECT debit_account AS account, -amount_moved AS change, effective_time, time FROM ledger.transfers
         WHERE effective_time IS NOT NULL AND result = 'ok' AND amount_moved > 0
        UNION ALL
        SELECT credit_account, amount_moved, effective_time, time FROM ledger.transfers
         WHERE effective_time IS NOT NULL AND result = 'ok' AND amount_moved > 0) t
 CROSS JOIN LATERAL (VALUES (true, effective_time), (false, time)) b (by_effective, moment)
 CROSS JOIN generate_series(0, 2) level
 WHERE moment <> 'infinity'
 GROUP BY 1, 2, 3, 4;

-- Days before that day, hours before that hour, and what is left.
CREATE FUNCTION ledger.dated_sum(of_account bigint, effective boolean, moment timestamptz) RETURNS numeric
LANGUAGE sql STABLE PARALLEL SAFE AS $function$
  SELECT coalesce(sum(net), 0) FROM (
    SELECT net FROM ledger.dated_totals
     WHERE account = of_account AND by_effective = effective AND level = 2 AND at < date_trunc('day', moment, 'UTC')
    UNION ALL
    SELECT net FROM ledger.dated_totals
     WHERE account = of_account AND by_effective = effective AND level = 1
       AND at >= date_trunc('day', moment, 'UTC') AND at < date_trunc('hour', moment, 'UTC')
    UNION ALL
    SELECT net FROM ledger.dated_totals
     WHERE account = of_account AND by_effective = effective AND level = 0
       AND at >= date_trunc('hour', moment, 'UTC') AND at <= moment) parts
$function$;

CREATE FUNCTION ledger.effective_balance(account_name text, moment timestamptz) RETURNS numeric
LANGUAGE sql STABLE PARALLEL SAFE AS $function$
  SELECT coalesce((SELECT b.posted FROM ledger.balance_at_offset(a.handle, ledger.offset_at(moment)) b), 0)
         + ledger.dated_sum(a.handle, true, moment) - ledger.dated_sum(a.handle, false, moment)
    FROM ledger.accounts a WHERE a.name = account_name
$function$;
COMMENT ON FUNCTION ledger.effective_balance(text, timestamptz) IS
  'The posted balance of an account of all that counts up to a moment, whenever it was posted. Null: no such account.';
`;
