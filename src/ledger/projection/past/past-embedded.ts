import { type Queries, type TextRow } from '../database';
import { failureOf, type PastDatabase, PastNotReadyError, type PastStatement } from './past-database';

/**
 * The past from the database that the projector has open in this process. One statement at a time, so that rows that wait
 * to be written wait for one statement at most: whoever comes first is served first.
 */
export class PastEmbedded implements PastDatabase {
  readonly lanes = 1;
  private database: Queries | undefined;

  /** Each time that the projector has opened its database. */
  use(database: Queries): void {
    this.database = database;
  }

  async rows({ sql }: PastStatement, parameters: readonly (string | null)[]): Promise<readonly TextRow[]> {
    const { database } = this;
    if (!database) throw new PastNotReadyError('the database is being opened');
    try {
      return (await database.query(sql, parameters)).rows;
    } catch (error) {
      const failure = failureOf(error);
      // Without an SQLSTATE it is the database itself: it is closed, and opened again by the projector.
      if (failure instanceof PastNotReadyError || 'code' in failure) throw failure;
      if (this.database === database) this.database = undefined;
      throw new PastNotReadyError(`the database is being opened again: ${failure.message}`, { cause: failure });
    }
  }

  /** The projector closes what it opened. */
  async close(): Promise<void> {
    this.database = undefined;
  }
}
