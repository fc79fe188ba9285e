/** What openings of accounts and transfers would come to on this node's own state; nothing of it is done. */
import { type LedgerReader } from '../ledger/reader';
import { type Budget } from './deadline';
import {
  balancesOf,
  type DryRunAnswer,
  dryRunBatch,
  type DryRunItems,
  handlesIn,
  outcomesOf,
  shownOutcomes,
} from './dry-run-batch';
import { Fault } from './errors';
import { type Limits } from './limits';
import { type Consistency, type NodePort } from './node-port';
import { readAt } from './reads';
import { checkCount } from './submit-items';

/**
 * As many items as a batch of writes takes: applying such a batch is one step of every node, and so is this of the node that is
 * asked, no longer and no more often than a caller asks. More of them are tried by DryRunCopy.
 */
export async function dryRun(
  port: NodePort,
  limits: Limits,
  items: DryRunItems,
  consistency: Consistency,
  budget: Budget,
): Promise<DryRunAnswer> {
  checkCount(items.accounts.length + items.transfers.length, limits, 'transfers');
  const { value, position } = await readAt(port, consistency, budget, (reader) =>
    rehearse(port, limits, items, reader),
  );
  return { ...value, position };
}

/** All in one turn, so that the state is the one of the position. */
function rehearse(
  port: NodePort,
  limits: Limits,
  items: DryRunItems,
  reader: LedgerReader,
): Omit<DryRunAnswer, 'position'> {
  if (!port.rehearse) throw new Fault('UNIMPLEMENTED', 'UNIMPLEMENTED', 'DryRun is not available on this node.');
  const batch = dryRunBatch(items, reader, limits);
  const before = { nextOffset: port.position().offset + 1, accounts: reader.counts().accounts };
  // Every item is refused for its shape: there is nothing to decide.
  if (!batch.chunk) return { ...shownOutcomes(batch, outcomesOf(batch, NO_ROWS), before), balances: [] };
  const { outcomes, balances } = port.rehearse(batch.chunk, (rows) => {
    const decided = outcomesOf(batch, rows);
    return { outcomes: decided, balances: balancesOf(new Set(handlesIn(decided)), reader, before) };
  });
  return { ...shownOutcomes(batch, outcomes, before), balances };
}

const NO_ROWS = Buffer.alloc(0);
