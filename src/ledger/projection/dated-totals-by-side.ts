/**
 * Step 8 of the schema: what dated transfers moved, of debits and of credits apart, so that a balance by effective time has
 * its totals; and a function for the balance at an offset that is planned once a session, not for every part at each call.
 */
export const DATED_TOTALS_BY_SIDE = `
ALTER TABLE ledger.dated_totals ADD COLUMN debits numeric, ADD COLUMN credits numeric;
UPDATE ledger.dated_totals d SET debits = t.debits, credits = t.credits
  FROM (SELECT account, by_effective, level,
               CASE level WHEN 0 THEN moment WHEN 1 THEN date_trunc('hour', moment, 'UTC') ELSE date_trunc('day', moment, 'UTC') END AS at,
               sum(debit) AS debits, sum(credit) AS credits
          FROM (SELECT debit_account AS account, amount_moved AS debit, 0 AS credit, effective_time, time FROM ledger.transfers
                 WHERE effective_time IS NOT NULL AND result = 'ok' AND amount_moved > 0
                UNION ALL
                SELECT credit_account, 0, amount_moved, effective_time, time FROM ledger.transfers
                 WHERE effective_time IS NOT NULL AND result = 'ok' AND amount_moved > 0) s
         CROSS JOIN LATERAL (VALUES (true, effective_time), (false, time)) b (by_effective, moment)
         CROSS JOIN generate_series(0, 2) level
         WHERE moment <> 'infinity'
         GROUP BY 1, 2, 3, 4) t
 WHERE d.account = t.account AND d.by_effective = t.by_effective AND d.level = t.level AND d.at = t.at;
ALTER TABLE ledger.dated_totals ALTER COLUMN debits SET NOT NULL, ALTER COLUMN credits SET NOT NULL, DROP COLUMN net;

-- Days before that day, hours before that hour, and what is left.
CREATE FUNCTION ledger.dated_totals_until(of_account bigint, effective boolean, moment timestamptz)
RETURNS TABLE (debits numeric, credits numeric)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 1 AS $function$
  SELECT coalesce(sum(p.debits), 0), coalesce(sum(p.credits), 0) FROM (
    SELECT t.debits, t.credits FROM ledger.dated_totals t
     WHERE t.account = of_account AND t.by_effective = effective AND t.level = 2 AND t.at < date_trunc('day', moment, 'UTC')
    UNION ALL
    SELECT t.debits, t.credits FROM ledger.dated_totals t
     WHERE t.account = of_account AND t.by_effective = effective AND t.level = 1
       AND t.at >= date_trunc('day', moment, 'UTC') AND t.at < date_trunc('hour', moment, 'UTC')
    UNION ALL
    SELECT t.debits, t.credits FROM ledger.dated_totals t
     WHERE t.account = of_account AND t.by_effective = effective AND t.level = 0
       AND t.at >= date_trunc('hour', moment, 'UTC') AND t.at <= moment) p
$function$;

CREATE OR REPLACE FUNCTION ledger.dated_sum(of_account bigint, effective boolean, moment timestamptz) RETURNS numeric
LANGUAGE sql STABLE PARALLEL SAFE AS $function$
  SELECT t.credits - t.debits FROM ledger.dated_totals_until(of_account, effective, moment) t
$function$;

-- No row: the account was not open yet. Each half is one look into the index of each part, from the last one on.
CREATE OR REPLACE FUNCTION ledger.balance_at_offset(of_account bigint, at_offset bigint)
RETURNS TABLE (debits_posted numeric, credits_posted numeric, debits_pending numeric, credits_pending numeric,
               posted numeric, as_of_offset bigint)
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 1 SET plan_cache_mode = force_generic_plan AS $function$
BEGIN
  RETURN QUERY
  SELECT coalesce(e.debits, 0), coalesce(e.credits, 0), coalesce(e.debits_pending, 0), coalesce(e.credits_pending, 0),
         coalesce(e.credits - e.debits, 0), coalesce(e.log_offset, -1)
    FROM ledger.accounts a
    LEFT JOIN LATERAL (
      (SELECT t.log_offset, t.payer_debits AS debits, t.payer_credits AS credits, t.payer_debits_pending AS debits_pending,
              t.payer_credits_pending AS credits_pending
         FROM ledger.transfers t WHERE t.debit_account = of_account AND t.log_offset <= at_offset
        ORDER BY t.log_offset DESC LIMIT 1)
      UNION ALL
      (SELECT t.log_offset, t.payee_debits, t.payee_credits, t.payee_debits_pending, t.payee_credits_pending
         FROM ledger.transfers t WHERE t.credit_account = of_account AND t.log_offset <= at_offset
        ORDER BY t.log_offset DESC LIMIT 1)
      ORDER BY log_offset DESC LIMIT 1) e ON true
   WHERE a.handle = of_account AND a.opened_offset <= at_offset;
END
$function$;
`;
