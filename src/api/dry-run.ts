/** What openings of accounts and transfers would come to on this node's own state; nothing of it is done. */
import { encodeCommand } from '../ledger/command-codec';
import { decodeOutcomeRow, OUTCOME_ROW_BYTES, type OutcomeRow } from '../ledger/outcome-row';
import { type LedgerReader } from '../ledger/reader';
import { encodeValues, RecordType } from '../log/chunk';
import { type AccountSpec, type Transfer } from '../proto/ledger-v1';
import { openAccountCommand } from './account-item';
import { type Budget } from './deadline';
import { Fault } from './errors';
import { ItemFault } from './item-fault';
import { type Limits } from './limits';
import { type Consistency, type NodePort } from './node-port';
import { type AccountState, readAt, type ReadPosition, stateOf } from './reads';
import { checkBytes, checkCount } from './submit-items';
import { type GroupRun, transferBatch } from './transfer-batch';

export interface DryRunItems {
  readonly accounts: readonly AccountSpec[];
  readonly transfers: readonly Transfer[];
}

type Outcome = OutcomeRow | ItemFault;

export interface DryRunAnswer {
  readonly accounts: readonly Outcome[];
  readonly transfers: readonly Outcome[];
  readonly groups: readonly GroupRun[];
  /** As they would be, in the order in which the outcomes name them; the handle of an account that would be opened is 0. */
  readonly balances: readonly AccountState[];
  /** Of the state that it was decided on. */
  readonly position: ReadPosition;
}

/**
 * As many items as a batch of writes takes: applying such a batch is one step of every node, and so is this of the node that is
 * asked, no longer and no more often than a caller asks.
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
  const openings = items.accounts.map((spec) => openAccountCommand(spec, reader));
  const { commands, groups } = transferBatch(items.transfers, reader);
  const all = [...openings, ...commands];
  const records = all.flatMap((item) => (item instanceof ItemFault ? [] : [encodeCommand(item)]));
  // Every item is refused for its shape: there is nothing to decide.
  if (records.length === 0) {
    return { accounts: openings as ItemFault[], transfers: commands as readonly ItemFault[], groups, balances: [] };
  }
  const chunk = encodeValues(RecordType.Ledger, records);
  checkBytes(chunk.length, limits, 'transfers');
  const nextOffset = port.position().offset + 1;
  const { accounts } = reader.counts();
  const { outcomes, balances } = port.rehearse(chunk, (rows) => {
    let row = 0;
    const decided = all.map((item) =>
      item instanceof ItemFault ? item : decodeOutcomeRow(rows, OUTCOME_ROW_BYTES * row++),
    );
    return { outcomes: decided, balances: balancesOf(decided, reader, accounts) };
  });
  const shown = outcomes.map((outcome) => withoutPlace(outcome, nextOffset, accounts));
  return { accounts: shown.slice(0, openings.length), transfers: shown.slice(openings.length), groups, balances };
}

function balancesOf(outcomes: readonly Outcome[], reader: LedgerReader, known: number): AccountState[] {
  const handles = new Set<number>();
  for (const outcome of outcomes) {
    if (outcome instanceof ItemFault) continue;
    for (const handle of [outcome.debitHandle, outcome.creditHandle]) if (handle !== 0) handles.add(handle);
  }
  return [...handles].flatMap((handle) => {
    const account = reader.accountByHandle(handle);
    if (account === undefined) return [];
    const { balance } = stateOf(reader, account);
    return [{ account: { ...account, handle: handle > known ? 0 : handle }, balance }];
  });
}

/** What did not happen has no place in the log, and what was not opened no handle; what happened before keeps both. */
function withoutPlace(outcome: Outcome, nextOffset: number, known: number): Outcome {
  if (outcome instanceof ItemFault) return outcome;
  const creditHandle = outcome.creditHandle > known ? 0 : outcome.creditHandle;
  const isOld = outcome.replayed && outcome.offset < nextOffset;
  return isOld ? { ...outcome, creditHandle } : { ...outcome, creditHandle, offset: -1, timestamp: 0 };
}
