/**
 * The projection's process: started by the node ({@link ProjectionProcess}), talks to nothing but the node and the
 * database, ends when the node is gone.
 */
import { readdirSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { type Database, type ProjectionTarget } from './database';
import { EmbeddedDatabase } from './embedded-database';
import { EmbeddedFolder } from './embedded-folder';
import { NodeLink } from './node-link';
import { PastDesk } from './past/past-desk';
import { PastEmbedded } from './past/past-embedded';
import { PastServer } from './past/past-server';
import { Backoff } from './pause';
import { PostgresDatabase } from './postgres-database';
import { Projector } from './projector';
import { ReadRefusedError } from './read-rows';
import { EmbeddedDesk, type ReadingDesk, ServerDesk } from './reading-desk';
import { type ProjectionConfig } from './protocol';

/** Milliseconds. */
const FIRST_RETRY = 250;
const LONGEST_RETRY = 15_000;
/** Milliseconds to close the database in when the node is gone; the next one waits for the folder meanwhile. */
const ORPHAN_DEADLINE = 30_000;

async function main(): Promise<void> {
  lowerPriority();
  const stop = new AbortController();
  let desk: ReadingDesk | undefined;
  const notYet = new ReadRefusedError('unavailable', 'The projection is being started; try again soon.');
  const link = new NodeLink(
    () => stop.abort(),
    (request) => (desk ? desk.read(request) : Promise.reject(notYet)),
  );
  // Ctrl-C and a service manager's stop reach this process too; when to end is the node's to say.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
  process.once('disconnect', () => {
    stop.abort();
    setTimeout(() => process.exit(1), ORPHAN_DEADLINE).unref();
  });

  const config = await link.configuration;
  if (stop.signal.aborted) {
    link.close();
  } else if (config.target.kind === 'embedded' && !(await EmbeddedFolder.isClean(config.target.dir))) {
    await (await EmbeddedDatabase.open(config.target.dir)).close();
    link.startAgain();
  } else {
    const opened: { current?: Database } = {};
    desk =
      config.target.kind === 'postgres' ? new ServerDesk(config.target.url) : new EmbeddedDesk(() => opened.current);
    await project(config, link, stop.signal, opened);
    await desk.close();
  }
  if (process.connected) process.disconnect();
}

/** @param opened where the database is put while it is open */
async function project(
  config: ProjectionConfig,
  link: NodeLink,
  signal: AbortSignal,
  opened: { current?: Database },
): Promise<void> {
  const embedded = new PastEmbedded();
  const past = config.target.kind === 'postgres' ? new PastServer(config.target.url) : embedded;
  const desk = new PastDesk(past, config.group, () => performance.now());
  link.answerWith((question, needs, deadlineMs) => desk.ask(question, needs, deadlineMs));
  const projector = new Projector({
    identity: config,
    openDatabase: async () => {
      delete opened.current;
      const database = await openDatabase(config.target);
      opened.current = database;
      embedded.use(database);
      return database;
    },
    openBeside: besideOf(config.target),
    source: link,
    onStatus: (status) => {
      link.tell(status);
      desk.told(status);
    },
    monotonic: () => performance.now(),
    backoff: new Backoff(FIRST_RETRY, LONGEST_RETRY),
  });
  try {
    await projector.run(signal);
  } finally {
    await past.close();
    link.close();
  }
}

function openDatabase(target: ProjectionTarget): Promise<Database> {
  return target.kind === 'postgres' ? PostgresDatabase.connect(target.url) : EmbeddedDatabase.open(target.dir);
}

function besideOf(target: ProjectionTarget): (() => Promise<Database>) | undefined {
  return target.kind === 'postgres' ? () => PostgresDatabase.connect(target.url) : undefined;
}

/** Consensus comes first on a busy machine. On Linux a priority belongs to a thread, and V8 has started some already. */
function lowerPriority(): void {
  const low = constants.priority.PRIORITY_BELOW_NORMAL;
  setPriority(low);
  if (process.platform !== 'linux') return;
  for (const thread of readdirSync('/proc/self/task')) setPriority(Number(thread), low);
}

main().catch((error: unknown) => {
  // The node reads the end of this process's stderr into the reason that it shows.
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exit(1);
});
