/** Step 9 of the schema: what nearly every row has need not be sent for each; see table-rows.ts. */
export const USER_DATA_DEFAULT = `
ALTER TABLE ledger.transfers ALTER COLUMN user_data SET DEFAULT 0;
`;
