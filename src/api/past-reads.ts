/** Reading the past at a stated consistency: as new as asked for, or a refusal that says why not. */
import { type AnswerTo, type AsOf, type HistoryQuestion } from '../ledger/history';
import { type LedgerReader } from '../ledger/reader';
import { type Budget, within } from './deadline';
import { Fault } from './errors';
import { type Consistency, type NodePort } from './node-port';
import { type ReadPosition } from './reads';

/** What any rows reflect. */
const ANYTHING: AsOf = { index: 0, offset: -1 };
/** Milliseconds that a question has at least, however long the wait for the state was. */
const LEAST_WORK = 1;

/** @param make the question; called when the state of this node is as new as asked for */
export async function readPast<Q extends HistoryQuestion>(
  port: NodePort,
  consistency: Consistency,
  budget: Budget,
  make: (reader: LedgerReader) => Q,
): Promise<AnswerTo<Q>> {
  const from = performance.now();
  const left = (millis: number): number => Math.max(LEAST_WORK, millis - (performance.now() - from));
  await within(port.barrier(consistency, budget.workMs), budget.patienceMs, 'read');
  const question = make(port.ledger);
  const needs = needsOf(question, consistency, port);
  if (!port.past) throw new Fault('UNAVAILABLE', 'NO_PROJECTION', 'This node keeps no history; ask another one.');
  return within(port.past(question, needs, left(budget.workMs)), left(budget.patienceMs), 'read');
}

function needsOf(question: HistoryQuestion, consistency: Consistency, port: NodePort): AsOf {
  if (question.kind === 'transfers' && question.after) return question.after.asOf;
  const { appliedIndex, offset } = port.position();
  const wanted = question.kind === 'balance' && 'offset' in question.at ? question.at.offset : -1;
  if (wanted > offset) {
    const message = `There is no record at offset ${wanted} yet; the last one is at ${offset}.`;
    throw new Fault('OUT_OF_RANGE', 'OFFSET_NOT_REACHED', message, { details: { next_offset: String(offset + 1) } });
  }
  const isContent = consistency.level === 'STALE' && consistency.maxStalenessMs === 0;
  return { index: isContent ? ANYTHING.index : appliedIndex, offset: wanted };
}

export function positionAt(port: NodePort, index: number, offset: number): ReadPosition {
  return { token: port.tokenFor(index), offset };
}
