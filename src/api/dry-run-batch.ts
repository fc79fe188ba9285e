/** Items of a dry run as the ledger's records, and what became of them as it is shown. */
import { encodeValues, RecordType } from '../log/chunk';
import { encodeCommand, type OpenAccountCommand } from '../ledger/command-codec';
import { decodeOutcomeRow, OUTCOME_ROW_BYTES, type OutcomeRow } from '../ledger/outcome-row';
import { type LedgerReader } from '../ledger/reader';
import { type AccountSpec, type Transfer } from '../proto/ledger-v1';
import { openAccountCommand } from './account-item';
import { ItemFault } from './item-fault';
import { type Limits } from './limits';
import { type AccountState, type ReadPosition, stateOf } from './reads';
import { checkBytes } from './submit-items';
import { type GroupRun, transferBatch } from './transfer-batch';
import { type TransferItem } from './transfer-item';

export interface DryRunItems {
  readonly accounts: readonly AccountSpec[];
  readonly transfers: readonly Transfer[];
}

export type TriedOutcome = OutcomeRow | ItemFault;

export interface DryRunAnswer {
  readonly accounts: readonly TriedOutcome[];
  readonly transfers: readonly TriedOutcome[];
  readonly groups: readonly GroupRun[];
  /** As they would be, in the order in which the outcomes name them; the handle of an account that would be opened is 0. */
  readonly balances: readonly AccountState[];
  /** Of the state that it was decided on. */
  readonly position: ReadPosition;
}

/** The items in the order in which they are decided: accounts, then transfers. */
export interface DryRunBatch {
  readonly openings: readonly (OpenAccountCommand | ItemFault)[];
  readonly commands: readonly (TransferItem | ItemFault)[];
  readonly groups: readonly GroupRun[];
  /** Of those with the right shape. */
  readonly records: number;
  /** The records; undefined where there is none, and so nothing to decide. */
  readonly chunk: Buffer | undefined;
}

/** What a state's outcomes are measured by: what stood before. */
export interface StateBefore {
  readonly nextOffset: number;
  readonly accounts: number;
}

/** Throws a Fault where it is larger than a batch may be; that the items are not too many is the caller's to check. */
export function dryRunBatch(items: DryRunItems, reader: LedgerReader, limits: Limits): DryRunBatch {
  const openings = items.accounts.map((spec) => openAccountCommand(spec, reader));
  const { commands, groups } = transferBatch(items.transfers, reader);
  const records = [...openings, ...commands].flatMap((item) =>
    item instanceof ItemFault ? [] : [encodeCommand(item)],
  );
  if (records.length === 0) return { openings, commands, groups, records: 0, chunk: undefined };
  const chunk = encodeValues(RecordType.Ledger, records);
  checkBytes(chunk.length, limits, 'transfers');
  return { openings, commands, groups, records: records.length, chunk };
}

/** @param rows of the outcomes, one for each record */
export function outcomesOf({ openings, commands }: DryRunBatch, rows: Buffer): TriedOutcome[] {
  let row = 0;
  return [...openings, ...commands].map((item) =>
    item instanceof ItemFault ? item : decodeOutcomeRow(rows, OUTCOME_ROW_BYTES * row++),
  );
}

/** Handles of the accounts that outcomes name, those of one outcome by those who paid first. */
export function* handlesIn(outcomes: readonly TriedOutcome[]): Generator<number> {
  for (const outcome of outcomes) {
    if (outcome instanceof ItemFault) continue;
    if (outcome.debitHandle !== 0) yield outcome.debitHandle;
    if (outcome.creditHandle !== 0) yield outcome.creditHandle;
  }
}

export function balancesOf(handles: Iterable<number>, reader: LedgerReader, before: StateBefore): AccountState[] {
  const balances: AccountState[] = [];
  for (const handle of handles) {
    const account = reader.accountByHandle(handle);
    if (account === undefined) continue;
    const { balance } = stateOf(reader, account);
    balances.push({ account: { ...account, handle: handle > before.accounts ? 0 : handle }, balance });
  }
  return balances;
}

/** The outcomes apart again, for who asked. */
export function shownOutcomes(
  { openings, groups }: DryRunBatch,
  outcomes: readonly TriedOutcome[],
  before: StateBefore,
): Pick<DryRunAnswer, 'accounts' | 'transfers' | 'groups'> {
  const shown = outcomes.map((outcome) => withoutPlace(outcome, before));
  return { accounts: shown.slice(0, openings.length), transfers: shown.slice(openings.length), groups };
}

/** What did not happen has no place in the log, and what was not opened no handle; what happened before keeps both. */
function withoutPlace(outcome: TriedOutcome, before: StateBefore): TriedOutcome {
  if (outcome instanceof ItemFault) return outcome;
  const creditHandle = outcome.creditHandle > before.accounts ? 0 : outcome.creditHandle;
  const isOld = outcome.replayed && outcome.offset < before.nextOffset;
  return isOld ? { ...outcome, creditHandle } : { ...outcome, creditHandle, offset: -1, timestamp: 0 };
}
