import { randomInt } from 'node:crypto';
import { dirname, join } from 'node:path';
import type { FileSystem } from '../log/files';
import { IDS, IdStore } from '../node/ids/id-store';
import { LedgerMachine } from '../node/ledger-machine';

const SEEDS = 2 ** 32;

const SILENT = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

/**
 * An empty ledger that keeps no outcomes: whoever applies a batch gets them and decides. It writes nothing.
 * @param snapshots the folder of the snapshots that it may be restored from: what they lean on is beside it
 */
export function scratchMachine(files: FileSystem, snapshots: string): LedgerMachine {
  const nowhere = { write: () => undefined, sync: () => Promise.resolve() };
  const seed = randomInt(SEEDS);
  const directory = join(dirname(snapshots), IDS);
  const ids = IdStore.readOnly({ files, directory, seed, events: SILENT });
  return new LedgerMachine(nowhere, seed, undefined, ids);
}
