import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NodeConfig } from './config/node-config';
import { nodeLogger } from './event-log';
import { letHeapGrow } from './heap-growth';
import { LedgerNode } from './ledger-node';

/** The longest that a stop may take; what is not closed by then is left to the recovery at the next start. */
const STOP_DEADLINE_MILLIS = 9_500;

/**
 * Runs one node until it is told to stop. SIGTERM and SIGINT are a stop, not a leave: the membership does not change.
 * @returns the exit status
 */
export async function runNode(given: NodeConfig): Promise<number> {
  letHeapGrow();
  const config = given.dev ? { ...given, dataDir: await mkdtemp(join(tmpdir(), 'ledger-node-dev-')) } : given;
  const log = nodeLogger(config);
  const fatal = (error: unknown): void => {
    log.fatal(
      { err: error },
      'this node cannot go on: what is acknowledged is safe on its disk and on a majority; start it again',
    );
    log.flush();
    process.exit(1);
  };
  process.on('uncaughtException', fatal);
  process.on('unhandledRejection', fatal);
  try {
    return await runUntilStopped(new LedgerNode(config, log, fatal), log);
  } finally {
    if (config.dev) await rm(config.dataDir, { recursive: true, force: true });
  }
}

async function runUntilStopped(node: LedgerNode, log: ReturnType<typeof nodeLogger>): Promise<number> {
  const stopped = Promise.race([stopOnSignals(node, log), stopWhenRemoved(node, log)]);
  try {
    await node.start();
  } catch (error) {
    if (node.isStopping) return stopped;
    await node.stop();
    throw error;
  }
  return stopped;
}

/** A node that is no member must not answer as if it were one. Started again it is told again: see docs/operations.md. */
async function stopWhenRemoved(node: LedgerNode, log: ReturnType<typeof nodeLogger>): Promise<number> {
  await node.untilRemoved;
  log.fatal(
    'this node was removed from the cluster and serves no more; to bring it back say "ledger member add" with its name and ' +
      'start it again, or remove its data directory and let it join as a new node',
  );
  await node.stop();
  return 1;
}

function stopOnSignals(node: LedgerNode, log: ReturnType<typeof nodeLogger>): Promise<number> {
  return new Promise((resolve) => {
    const stop = (signal: NodeJS.Signals): void => {
      if (node.isStopping) return;
      log.info({ signal }, 'stopping');
      const late = setTimeout(() => {
        log.error('the stop took too long; leaving the rest to the recovery at the next start');
        log.flush();
        process.exit(0);
      }, STOP_DEADLINE_MILLIS);
      late.unref();
      void node.stop().then(() => {
        log.info('stopped');
        resolve(0);
      });
    };
    process.on('SIGTERM', stop);
    process.on('SIGINT', stop);
  });
}
