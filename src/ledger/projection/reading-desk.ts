import { type Database } from './database';
import { PostgresDatabase } from './postgres-database';
import { type ReadAnswer, ReadRefusedError, type ReadRequest, readRows } from './read-rows';

/** Connections to a server that reads use, beside the projector's own. */
const MOST_AT_ONCE = 4;
/** Reads that wait for one of them. */
const MOST_WAITING = 64;

/** Answers reads of the rows, a bounded number of them at a time. */
export interface ReadingDesk {
  read(request: ReadRequest): Promise<ReadAnswer>;
  close(): Promise<void>;
}

/** On a server, through connections of its own, which are kept: the projector does not notice. */
export class ServerDesk implements ReadingDesk {
  private readonly idle: Database[] = [];
  private readonly waiting: (() => void)[] = [];
  private busy = 0;
  private closed = false;

  constructor(private readonly url: string) {}

  async read(request: ReadRequest): Promise<ReadAnswer> {
    await this.turn();
    try {
      const database = this.idle.pop() ?? (await PostgresDatabase.connect(this.url, 'ledger-node reader'));
      return await this.readWith(database, request);
    } finally {
      const next = this.waiting.shift();
      // Whoever waited has this one's place now.
      if (next) next();
      else this.busy--;
    }
  }

  async close(): Promise<void> {
    this.closed = true;
    await Promise.all(this.idle.splice(0).map((database) => database.close()));
  }

  /** A connection that failed in any way but by what it was asked is not used again. */
  private async readWith(database: Database, request: ReadRequest): Promise<ReadAnswer> {
    let usable = true;
    try {
      return await readRows(database, request, true);
    } catch (error) {
      usable = error instanceof ReadRefusedError;
      throw error;
    } finally {
      if (usable && !this.closed) this.idle.push(database);
      else await database.close();
    }
  }

  private async turn(): Promise<void> {
    if (this.busy < MOST_AT_ONCE) {
      this.busy++;
      return;
    }
    if (this.waiting.length >= MOST_WAITING) throw tooMany();
    await new Promise<void>((resolve) => this.waiting.push(resolve));
  }
}

/** In the embedded database, which the projector and all reads take in turns. */
export class EmbeddedDesk implements ReadingDesk {
  private waiting = 0;

  /** @param current the database while it is open */
  constructor(private readonly current: () => Database | undefined) {}

  async read(request: ReadRequest): Promise<ReadAnswer> {
    const database = this.current();
    if (!database) throw new ReadRefusedError('unavailable', 'The embedded Postgres is not open yet; try again soon.');
    if (this.waiting >= MOST_WAITING) throw tooMany();
    this.waiting++;
    try {
      return await readRows(database, request, false);
    } finally {
      this.waiting--;
    }
  }

  /** The projector closes it. */
  async close(): Promise<void> {}
}

function tooMany(): ReadRefusedError {
  return new ReadRefusedError('busy', `${MOST_WAITING} reads of the projection wait already; try again later.`);
}
