import { type Database, DatabaseLostError } from './database';
import { makeMissingIndexes, partsWithoutIndexes } from './transfer-parts';

/**
 * Makes the large indexes of parts of the transfers that are full, one part after the other, on a connection of its own, while
 * the next part is being filled on another: two processes of a server have something to do then.
 */
export class PartIndexer {
  private working: Promise<void> = Promise.resolve();
  private failure: Error | undefined;
  private database: Database | undefined;
  private isClosed = false;

  constructor(private readonly open: () => Promise<Database>) {}

  /**
   * Begins with what an earlier session has left without indexes; where there is no other connection to be had (a server may
   * allow its user one only), that is made before this resolves, and the session makes its indexes itself.
   */
  static async over(
    database: Database,
    openBeside: (() => Promise<Database>) | undefined,
  ): Promise<PartIndexer | undefined> {
    const indexer = openBeside && (await canBeOpened(openBeside)) ? new PartIndexer(openBeside) : undefined;
    for (const part of await partsWithoutIndexes(database)) {
      if (indexer) indexer.add(part);
      else await makeMissingIndexes(database, part);
    }
    return indexer;
  }

  /** @param part its name */
  add(part: string): void {
    this.working = this.working.then(() => this.make(part));
  }

  /** Throws what went wrong, if something did: then nothing more is made. */
  check(): void {
    if (this.failure) throw this.failure;
  }

  /** Resolves when there is nothing more to make; rejects as {@link check} throws. */
  async settled(): Promise<void> {
    await this.working;
    this.check();
  }

  /** What is being made is left to the server: it is made, or the next session finds that it is not. */
  async close(): Promise<void> {
    this.isClosed = true;
    await this.database?.close();
    await this.working;
  }

  private async make(part: string): Promise<void> {
    if (this.isClosed || this.failure) return;
    try {
      const database = await this.open();
      this.database = database;
      try {
        if (!this.isClosed) await makeMissingIndexes(database, part);
      } finally {
        this.database = undefined;
        await database.close();
      }
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.failure = new Error(`The indexes of ledger.${part} could not be made: ${why}`, { cause: error });
    }
  }
}

async function canBeOpened(open: () => Promise<Database>): Promise<boolean> {
  try {
    const database = await open();
    await database.close();
    return true;
  } catch (error) {
    if (error instanceof DatabaseLostError) return false;
    throw error;
  }
}
