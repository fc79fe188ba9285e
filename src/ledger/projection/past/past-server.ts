import { type ClientBase, Pool } from 'pg';
import { type TextRow } from '../database';
import { failureOf, type PastDatabase, type PastStatement } from './past-database';

/** Connections beside the projector's own; they are closed when nobody asks. */
const CONNECTIONS = 4;
const IDLE_MILLIS = 30_000;
const CONNECT_DEADLINE = 2_000;
/** Milliseconds. Each statement looks at a bounded number of rows by an index: none takes as long on a healthy server. */
const STATEMENT_DEADLINE = 5_000;

/**
 * A statement is planned once a session: planning looks at every part of the transfers, while a plan that is there opens none
 * but those that the values at hand can be in. It goes by the indexes that are there for it: without statistics (a young
 * table) the planner would rather read all of it.
 */
const SESSION_SETTINGS = `
  SET default_transaction_read_only = on;
  SET search_path = pg_catalog;
  SET plan_cache_mode = force_generic_plan;
  SET enable_seqscan = off;
  SET enable_bitmapscan = off;
  SET jit = off;
  SET statement_timeout = '${STATEMENT_DEADLINE}ms';
`;

/** Everything as Postgres prints it. */
const asText = () => (value: string) => value;

/** The past from a Postgres server: a few read-only sessions, so that a long answer holds up neither rows nor short ones. */
export class PastServer implements PastDatabase {
  readonly lanes = CONNECTIONS;
  private readonly pool: Pool;

  constructor(url: string) {
    this.pool = new Pool({
      connectionString: url,
      application_name: 'ledger-node history',
      max: CONNECTIONS,
      idleTimeoutMillis: IDLE_MILLIS,
      connectionTimeoutMillis: CONNECT_DEADLINE,
      // A server that says nothing at all: the session is given up then.
      query_timeout: 2 * STATEMENT_DEADLINE,
      keepAlive: true,
      types: { getTypeParser: asText as never },
      // The pool waits for it, which its types do not say: where it fails, whoever asked is told.
      onConnect: (client: ClientBase) => client.query(SESSION_SETTINGS) as unknown as void,
    });
    // Of a session that nobody uses just now; the pool makes another one for the next who asks.
    this.pool.on('error', () => undefined);
  }

  async rows({ name, sql }: PastStatement, parameters: readonly (string | null)[]): Promise<readonly TextRow[]> {
    try {
      return (await this.pool.query<TextRow>({ name, text: sql, values: [...parameters] })).rows;
    } catch (error) {
      throw failureOf(error);
    }
  }

  close(): Promise<void> {
    return this.pool.end();
  }
}
