import { formatId, normaliseId, type TransferId } from '../../src/ledger/identifiers';
import type { OutcomeRow } from '../../src/ledger/outcome-row';
import type { LedgerReader, TransferView } from '../../src/ledger/reader';
import { ResultCode, burnsId, resultName } from '../../src/ledger/result-codes';
import type { TransferItem } from '../../src/api/transfer-item';
import { violated } from './violation';

/** One transfer, of whatever kind, as the client that asked for it knows it. */
export interface KindsOperation {
  readonly command: TransferItem;
  /** Some attempt ended without an answer that says what became of it. */
  doubtful: boolean;
  outcome: OutcomeRow | undefined;
}

/** What a client that makes holds, groups and reversals asked for and was told, between accounts that nobody else touches. */
export class KindsHistory {
  readonly operations: KindsOperation[] = [];

  call(command: TransferItem): KindsOperation {
    const operation = { command, doubtful: false, outcome: undefined };
    this.operations.push(operation);
    return operation;
  }

  /** Compares all of it with the state that the cluster ended in. @returns how many were done */
  check(reader: LedgerReader, accounts: readonly string[]): number {
    const views = new Map<string, TransferView>();
    for (const operation of this.operations) {
      const { id } = operation.command;
      const view = reader.transferById(id);
      expectTold(operation, view);
      if (view?.result === ResultCode.OK) views.set(formatId(id), view);
    }
    this.expectWholeGroups(views);
    for (const view of views.values()) {
      expectResolved(view, views);
      expectReversed(view, views);
    }
    for (const account of accounts) expectSums(reader, account, [...views.values()]);
    return views.size;
  }

  private expectWholeGroups(views: ReadonlyMap<string, TransferView>): void {
    const done = new Map<string, number>();
    for (const { command } of this.operations) {
      const { group, id } = command;
      if (group === undefined) continue;
      const count = (done.get(formatId(group.id)) ?? 0) + (views.has(formatId(id)) ? 1 : 0);
      done.set(formatId(group.id), count);
      const isLast = group.index === group.size - 1;
      if (isLast && count !== 0 && count !== group.size) {
        violated('all or nothing', `of the ${group.size} transfers of group ${formatId(group.id)} ${count} were done`);
      }
    }
  }
}

/** An acknowledged outcome is there and has not changed; what was certainly refused has left no trace. */
function expectTold({ command, outcome, doubtful }: KindsOperation, view: TransferView | undefined): void {
  const id = formatId(command.id);
  if (!outcome) {
    if (view && !doubtful) violated('refused is refused', `${id} happened; its client was told that it did not`);
    return;
  }
  const binds = outcome.result === ResultCode.OK || burnsId(outcome.result);
  if (!binds) return;
  if (!view) violated('durability', `${id} was acknowledged as ${resultName(outcome.result)}, and is not there`);
  const told = `${resultName(outcome.result)} at ${outcome.offset}, ${outcome.timestamp}, moved ${outcome.amountMoved}`;
  const moved = outcome.result === ResultCode.OK ? view.moved : 0n;
  const is = `${resultName(view.result)} at ${view.offset}, ${view.timestamp}, moved ${moved}`;
  if (told !== is) violated('outcomes never change', `${id} was acknowledged as ${told}, and is ${is}`);
}

/** A hold ends once: by the transfer that it names, or by its time. */
function expectResolved({ id, hold }: TransferView, views: ReadonlyMap<string, TransferView>): void {
  if (!hold) return;
  const resolving = [...views.values()].filter(({ kind, refersTo }) => refersTo === id && kind !== 'reversal');
  const isOpen = hold.status === 'pending' || hold.status === 'expired';
  const expected = isOpen ? [] : [hold.resolvedBy];
  if (resolving.map((view) => view.id).join() !== expected.join()) {
    violated('a hold ends once', `${id} is ${hold.status}, and ${resolving.map((view) => view.id).join()} ended it`);
  }
  if (hold.status === 'expired' && hold.expiresAt === undefined) violated('a hold ends once', `${id} expired, ever`);
  const moved = resolving[0]?.moved ?? 0n;
  if (moved > hold.amount || (hold.status === 'voided' && moved > 0n)) {
    violated('a hold ends once', `${id} held ${hold.amount} and was ${hold.status} with ${moved}`);
  }
}

function expectReversed({ id, moved, reversedBy }: TransferView, views: ReadonlyMap<string, TransferView>): void {
  const reversals = [...views.values()].filter(({ kind, refersTo }) => refersTo === id && kind === 'reversal');
  const sum = reversals.reduce((total, reversal) => total + reversal.moved, 0n);
  const named = reversals.map((reversal) => reversal.id).sort();
  if (sum > moved) violated('reversals', `${id} moved ${moved}, and ${sum} of it came back`);
  if (named.join() !== [...reversedBy].sort().join()) {
    violated('reversals', `${id} names ${reversedBy.join()}; ${named.join()} reverse it`);
  }
}

/** An account has what its transfers moved, and what is held of it is what its holds hold. */
function expectSums(reader: LedgerReader, name: string, views: readonly TransferView[]): void {
  const account = reader.account(name);
  const balance = account && reader.balance(account.handle);
  if (!balance) violated('durability', `account ${name} was opened and acknowledged, and is not there`);
  let posted = 0n;
  let held = 0n;
  for (const { debitAccount, creditAccount, moved, hold } of views) {
    if (debitAccount === name) posted -= moved;
    if (creditAccount === name) posted += moved;
    if (debitAccount === name && hold?.status === 'pending') held += hold.amount;
  }
  if (posted === balance.posted && held === balance.debitsPending) return;
  const has = `${balance.posted}, ${balance.debitsPending} of it held`;
  violated('exactly once', `account ${name} has ${has}; its transfers come to ${posted}, and ${held} held`);
}

export function textId(text: string): TransferId {
  const id = normaliseId(text);
  if (id === undefined) throw new Error(`${text} is no id.`);
  return id;
}
