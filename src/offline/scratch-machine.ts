import { randomInt } from 'node:crypto';
import { LedgerMachine } from '../node/ledger-machine';

const SEEDS = 2 ** 32;

/** An empty ledger that keeps no outcomes: whoever applies a batch gets them and decides. */
export function scratchMachine(): LedgerMachine {
  const nowhere = { write: () => undefined, sync: () => Promise.resolve() };
  return new LedgerMachine(nowhere, randomInt(SEEDS));
}
