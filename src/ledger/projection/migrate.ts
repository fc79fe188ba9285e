import { type Database, type Transaction } from './database';
import { BASE, schemaSteps } from './schema';

/** Milliseconds: a step may have to write every row of a large database again. */
const STEP_PATIENCE = 24 * 3600 * 1000;

/**
 * Brings the schema to this version, each step in a transaction together with the note that it was taken. Only the holder
 * of a projector's lock may call it.
 * @throws Error when the schema is newer than this program, or is somebody else's
 */
export async function migrate(database: Database): Promise<void> {
  await database.transaction(async (transaction) => {
    // Projectors of other groups hold other locks.
    await transaction.query(`SELECT pg_advisory_xact_lock(hashtextextended('ledger-node schema', 0))`);
    await refuseForeignSchema(transaction);
    await transaction.script(BASE);
    const steps = schemaSteps(database.persistence);
    const taken = await stepsTaken(transaction);
    if (taken > steps.length) {
      throw new Error(
        `The schema "ledger" of the database is at version ${taken}, this program knows ${steps.length}: ` +
          'a newer program has been here. Upgrade this node, or give it another database.',
      );
    }
    for (const [i, step] of steps.entries()) {
      if (i < taken) continue;
      await transaction.script(step.sql, STEP_PATIENCE);
      await transaction.query('INSERT INTO ledger.migrations (version, name) VALUES ($1::text::integer, $2)', [
        String(i + 1),
        step.name,
      ]);
    }
  });
}

async function stepsTaken(transaction: Transaction): Promise<number> {
  const { rows } = await transaction.query('SELECT coalesce(max(version), 0)::text AS version FROM ledger.migrations');
  return Number(rows[0]?.['version']);
}

/** Somebody else's tables in a schema of this name are not to be written among. */
async function refuseForeignSchema(transaction: Transaction): Promise<void> {
  const { rows } = await transaction.query(
    `SELECT string_agg(tablename, ', ') AS tables FROM pg_catalog.pg_tables
      WHERE schemaname = 'ledger' HAVING bool_and(tablename <> 'migrations')`,
  );
  if (rows[0]) {
    throw new Error(
      `The database has a schema "ledger" that is not this program's (tables: ${rows[0]['tables']}): ` +
        'give the node another database.',
    );
  }
}
