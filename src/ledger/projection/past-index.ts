/** A step of the schema: lists of all transfers by effective time. */
export const PAST_INDEX = `
-- Only of transfers that say when they count, as the two by account: others cost nothing.
CREATE INDEX transfers_effective ON ledger.transfers (effective_time, log_offset) WHERE effective_time IS NOT NULL;
`;
