/**
 * Step 7 of the schema: transfers in parts. What is there becomes the first part as it is, with its indexes, so that no row
 * is written again; a view of somebody else's on the table would go on to see that part alone, so it is refused.
 */
import { ACCOUNT_STATEMENT, TRANSFER_HISTORY } from './every-kind-views';

export const TRANSFER_PARTS = `
DO $check$
DECLARE
  others text;
BEGIN
  SELECT string_agg(DISTINCT r.ev_class::regclass::text, ', ') INTO others
    FROM pg_depend d
    JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
    JOIN pg_class c ON c.oid = r.ev_class
   WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = 'ledger.transfers'::regclass
     AND c.relnamespace <> (SELECT relnamespace FROM pg_class WHERE oid = 'ledger.transfers'::regclass);
  IF others IS NOT NULL THEN
    RAISE EXCEPTION 'the table ledger.transfers is to be replaced by one in parts, and these depend on it: %', others
      USING HINT = 'Drop them, and make them again afterwards.';
  END IF;
END
$check$;

ALTER TABLE ledger.transfers RENAME TO transfers_0;
ALTER TABLE ledger.transfers_0 RENAME CONSTRAINT transfers_pkey TO transfers_0_pkey;
ALTER INDEX ledger.transfers_id RENAME TO transfers_0_id;
ALTER INDEX ledger.transfers_debit RENAME TO transfers_0_debit;
ALTER INDEX ledger.transfers_credit RENAME TO transfers_0_credit;
ALTER INDEX ledger.transfers_time RENAME TO transfers_0_time;
ALTER INDEX ledger.transfers_debit_effective RENAME TO transfers_0_debit_effective;
ALTER INDEX ledger.transfers_credit_effective RENAME TO transfers_0_credit_effective;
ALTER INDEX ledger.transfers_effective RENAME TO transfers_0_effective;
ALTER INDEX ledger.transfers_refers_to RENAME TO transfers_0_refers_to;
ALTER INDEX ledger.transfers_group RENAME TO transfers_0_group;

CREATE TABLE ledger.transfers (LIKE ledger.transfers_0 INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING COMMENTS)
  PARTITION BY RANGE (log_offset);
COMMENT ON TABLE ledger.transfers IS 'Every transfer, and every expiry of a hold, in parts by offset: each part has the indexes.';
-- What nearly every row has need not be sent for each.
ALTER TABLE ledger.transfers
  ALTER COLUMN kind SET DEFAULT 'plain', ALTER COLUMN result SET DEFAULT 'ok',
  ALTER COLUMN spends_id SET DEFAULT true, ALTER COLUMN balancing SET DEFAULT false;

DO $carry$
DECLARE
  beyond bigint;
  may record;
BEGIN
  -- Whoever may read it may go on to.
  FOR may IN SELECT a.privilege_type, a.grantee FROM pg_class c, aclexplode(c.relacl) a
              WHERE c.oid = 'ledger.transfers_0'::regclass AND a.grantee <> c.relowner LOOP
    EXECUTE format('GRANT %s ON ledger.transfers TO %s', may.privilege_type,
                   CASE may.grantee WHEN 0 THEN 'PUBLIC' ELSE may.grantee::regrole::text END);
  END LOOP;
  SELECT (max(log_offset) / 2097152 + 1) * 2097152 INTO beyond FROM ledger.transfers_0;
  IF beyond IS NULL THEN
    DROP TABLE ledger.transfers_0 CASCADE;
  ELSE
    EXECUTE format('ALTER TABLE ledger.transfers ATTACH PARTITION ledger.transfers_0 FOR VALUES FROM (MINVALUE) TO (%s)', beyond);
  END IF;
END
$carry$;

${TRANSFER_HISTORY.replace('CREATE VIEW', 'CREATE OR REPLACE VIEW')}
${ACCOUNT_STATEMENT.replace('CREATE VIEW', 'CREATE OR REPLACE VIEW')}
`;
