import { Level } from 'level';

/** A change to one key: a new value, or none. */
export type Change = readonly [key: string, value: Buffer | undefined];

/** The small database below a StableStore. */
export interface KeyValues {
  /** Everything that is in it. */
  entries(): Promise<readonly (readonly [key: string, value: Buffer])[]>;
  /** All changes or none, durable when it resolves. After a rejection nothing is known until it is opened again. */
  write(changes: readonly Change[]): Promise<void>;
  close(): Promise<void>;
}

export type KeyValuesFault = 'locked' | 'damaged' | 'full' | 'failed';

export class KeyValuesError extends Error {
  override readonly name = 'KeyValuesError';

  constructor(
    readonly fault: KeyValuesFault,
    message: string,
    options: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Uncompressed, so that every block can be verified without LevelDB; see level-audit.ts. There is little of it. */
const OPTIONS = { keyEncoding: 'utf8', valueEncoding: 'buffer', compression: false } as const;

/** The real one: a `level` database, written with `sync` always. Its own lock keeps other processes out. */
export class LevelKeyValues implements KeyValues {
  private constructor(private readonly db: Level<string, Buffer>) {}

  static async open(directory: string): Promise<LevelKeyValues> {
    const db = new Level<string, Buffer>(directory, OPTIONS);
    try {
      await db.open();
    } catch (error) {
      throw wrapped(error, `the database in ${directory} could not be opened`);
    }
    return new LevelKeyValues(db);
  }

  async entries(): Promise<readonly (readonly [string, Buffer])[]> {
    try {
      return await this.db.iterator().all();
    } catch (error) {
      throw wrapped(error, 'the database could not be read');
    }
  }

  async write(changes: readonly Change[]): Promise<void> {
    const operations = changes.map(([key, value]) =>
      value === undefined ? ({ type: 'del', key } as const) : ({ type: 'put', key, value } as const),
    );
    try {
      // Without `sync`, level answers before the disk has it.
      await this.db.batch(operations, { sync: true });
    } catch (error) {
      throw wrapped(error, 'the database could not be written');
    }
  }

  async close(): Promise<void> {
    await this.db.close();
  }
}

/** LevelDB puts the system's words into its message and keeps the number to itself. */
const FULL = /no space left on device|disk quota exceeded|file too large/i;

function wrapped(error: unknown, what: string): KeyValuesError {
  // Opening wraps the reason once more.
  const outer = error as { code?: string; cause?: { code?: string; message?: string }; message?: string };
  const reason = outer.cause?.code === undefined ? outer : outer.cause;
  return new KeyValuesError(faultOf(reason), `${what}: ${reason.message ?? 'no reason was given'}`, { cause: error });
}

function faultOf(reason: { code?: string; message?: string }): KeyValuesFault {
  if (reason.code === 'LEVEL_LOCKED') return 'locked';
  if (reason.code === 'LEVEL_CORRUPTION') return 'damaged';
  return FULL.test(reason.message ?? '') ? 'full' : 'failed';
}
