/** A batch call: what has the right shape goes to the log in one chunk, and every item comes back with its own result. */
import { encodeValues, RecordType } from '../log/chunk';
import { type Command, encodeCommand } from '../ledger/command-codec';
import { decodeOutcomeRow, OUTCOME_ROW_BYTES, type OutcomeRow } from '../ledger/outcome-row';
import { type Budget, within } from './deadline';
import { invalid } from './errors';
import { ItemFault } from './item-fault';
import { type Limits } from './limits';
import { type Committed, type NodePort } from './node-port';

/** Where a write is in the log: what its answer says, and what a later read can wait for. */
export interface WritePosition {
  readonly token: string;
  /** Offset of the last record; -1 where nothing has ever been written. */
  readonly offset: number;
}

export interface SubmittedItems {
  /** In the order of the items. */
  readonly outcomes: readonly (OutcomeRow | ItemFault)[];
  /** Undefined where every item was refused for its shape: then nothing reached the log. */
  readonly committed: Committed | undefined;
  readonly position: WritePosition;
}

/** @param field name of the repeated field, for faults of the batch as a whole */
export async function submitItems(
  port: NodePort,
  limits: Limits,
  items: readonly (Command | ItemFault)[],
  field: string,
  budget: Budget,
): Promise<SubmittedItems> {
  checkCount(items.length, limits, field);
  const records = items.flatMap((item) => (item instanceof ItemFault ? [] : [encodeCommand(item)]));
  if (records.length === 0) {
    return { outcomes: items as readonly ItemFault[], committed: undefined, position: port.position() };
  }
  const chunk = encodeValues(RecordType.Ledger, records);
  checkBytes(chunk.length, limits, field);
  const committed = await submitChunk(port, chunk, records.length, budget);
  let row = 0;
  const outcomes = items.map((item) =>
    item instanceof ItemFault ? item : decodeOutcomeRow(committed.outcomes, OUTCOME_ROW_BYTES * row++),
  );
  return { outcomes, committed, position: positionOf(port, committed, records.length) };
}

/** Commits one chunk of the ledger's records and makes sure that each of them has an outcome. */
export async function submitChunk(port: NodePort, chunk: Buffer, count: number, budget: Budget): Promise<Committed> {
  const submitted = port.submit({ type: 1, kind: 'records', chunk, count, subject: '' }, budget.workMs);
  const committed = await within(submitted, budget.patienceMs, 'write');
  if (committed.outcomes.length !== count * OUTCOME_ROW_BYTES) {
    throw new Error(`The node answered ${committed.outcomes.length} bytes of outcomes for ${count} records.`);
  }
  return committed;
}

export function positionOf(port: NodePort, committed: Committed, count: number): WritePosition {
  return { token: port.tokenFor(committed.index), offset: committed.baseOffset + count - 1 };
}

export function checkCount(count: number, limits: Limits, field: string): void {
  if (count === 0) throw invalid(field, 'BATCH_EMPTY', 'A batch has at least one item.');
  if (count > limits.batchItems) {
    const message = `The batch has ${count} items; at most ${limits.batchItems} are taken.`;
    throw invalid(field, 'BATCH_TOO_LARGE', message);
  }
}

export function checkBytes(bytes: number, limits: Limits, field: string): void {
  // A chunk of one largest record is larger than the record by its frame.
  if (bytes > limits.batchBytes + 64) {
    const message = `The batch takes ${bytes} bytes in the log; at most ${limits.batchBytes} are taken. Send it in parts.`;
    throw invalid(field, 'BATCH_TOO_LARGE', message);
  }
}
