import type { LedgerReader } from '../../src/ledger/reader';
import type { OutcomeRow } from '../../src/ledger/outcome-row';
import { ResultCode, burnsId, resultName } from '../../src/ledger/result-codes';
import { normaliseId } from '../../src/ledger/identifiers';
import { checkAccount, type AccountOperation } from './linearizability';
import { metadataOf } from './metadata';
import { violated } from './violation';

/** One transfer as the client that asked for it knows it; it keeps its id over all attempts. */
export interface TransferOperation {
  readonly id: string;
  readonly debit: string;
  readonly credit: string;
  readonly amount: bigint;
  readonly called: number;
  answered: number;
  /** An attempt ended without an answer that says what became of it. */
  doubtful: boolean;
  outcome: Pick<OutcomeRow, 'result' | 'offset' | 'timestamp' | 'amountMoved'> | undefined;
}

interface ReadOperation {
  readonly account: string;
  readonly called: number;
  readonly answered: number;
  readonly balance: bigint;
}

export interface HistoryReport {
  readonly transfers: number;
  readonly acknowledged: number;
  readonly doubtful: number;
  readonly reads: number;
  readonly undecidedAccounts: number;
}

/** Of all that clients did. */
export interface RunReport extends HistoryReport {
  /** Transfers that were done by the client that makes holds, groups and reversals. */
  readonly kinds: number;
}

/** All that clients asked for and were told, in the order in which it happened. */
export class ClientHistory {
  readonly transfers: TransferOperation[] = [];
  /** Accounts whose history somebody else keeps. */
  readonly apart = new Set<string>();
  private readonly reads: ReadOperation[] = [];
  private readonly opened: string[] = [];
  private moments = 0;
  /** The highest index that was acknowledged up to a time, ascending in both. */
  private readonly floors: { readonly at: number; readonly index: number }[] = [];

  /** Calls and answers in one order. */
  moment(): number {
    this.moments += 1;
    return this.moments;
  }

  call(id: string, debit: string, credit: string, amount: bigint): TransferOperation {
    const called = this.moment();
    const operation = { id, debit, credit, amount, called, answered: Infinity, doubtful: false, outcome: undefined };
    this.transfers.push(operation);
    return operation;
  }

  read(account: string, called: number, balance: bigint): void {
    this.reads.push({ account, called, answered: this.moment(), balance });
  }

  accountOpened(name: string): void {
    this.opened.push(name);
  }

  /** Something at `index` was acknowledged at `time`: later reads must not miss it. */
  acknowledged(time: number, index: number): void {
    if (index > (this.floors.at(-1)?.index ?? 0)) this.floors.push({ at: time, index });
  }

  /** The index that every state reflects which knows all that was acknowledged up to `time`. */
  floorAt(time: number): number {
    for (let at = this.floors.length - 1; at >= 0; at -= 1)
      if (this.floors[at]!.at <= time) return this.floors[at]!.index;
    return 0;
  }

  /** Compares everything that clients were told with the state the cluster ended in. */
  check(reader: LedgerReader): HistoryReport {
    for (const name of this.opened) {
      if (!reader.account(name))
        violated('durability', `account ${name} was opened and acknowledged, and is not there`);
    }
    for (const operation of this.transfers) expectTold(reader, operation);
    const undecidedAccounts = this.checkAccounts(reader);
    return {
      transfers: this.transfers.length,
      acknowledged: this.transfers.filter((operation) => operation.outcome).length,
      doubtful: this.transfers.filter((operation) => operation.doubtful).length,
      reads: this.reads.length,
      undecidedAccounts,
    };
  }

  private checkAccounts(reader: LedgerReader): number {
    let undecided = 0;
    for (const { name, handle, minBalance, maxBalance } of reader.accountsFrom(1, 1_000_000)) {
      if (this.apart.has(name)) continue;
      const operations: AccountOperation[] = [];
      let balance = 0n;
      for (const transfer of this.transfers) {
        const side = sideOf(transfer, name);
        const result = side === 0n ? undefined : finalResult(reader, transfer.id);
        if (!result) continue;
        const amount = side * transfer.amount;
        if (result.code === ResultCode.OK) balance += amount;
        const operation = stepOf(transfer, result, amount, { min: minBalance, max: maxBalance });
        if (operation) operations.push(operation);
      }
      const last = reader.balance(handle)?.posted;
      if (last !== balance) {
        violated('exactly once', `account ${name} has ${last}, and its transfers sum to ${balance}`);
      }
      for (const read of this.reads) if (read.account === name) operations.push(readStep(read));
      const verdict = checkAccount(operations);
      if (verdict.kind === 'undecided') undecided += 1;
      if (verdict.kind !== 'impossible') continue;
      violated(
        'linearizability',
        `account ${name}: at balance ${verdict.balance} none of these could come next: ${verdict.stuck.join('; ')}`,
      );
    }
    return undecided;
  }
}

interface Result {
  readonly code: ResultCode;
  readonly offset: number;
}

function finalResult(reader: LedgerReader, id: string): Result | undefined {
  const view = reader.transferById(normaliseId(id)!);
  return view && { code: view.result, offset: view.offset };
}

/** An acknowledged outcome is there and has not changed; what was certainly refused has left no trace. */
function expectTold(reader: LedgerReader, { id, outcome, doubtful }: TransferOperation): void {
  const view = reader.transferById(normaliseId(id)!);
  if (!outcome) {
    if (view && !doubtful)
      violated('refused is refused', `transfer ${id} happened; its client was told that it did not`);
    return;
  }
  if (!view) {
    if (outcome.result !== ResultCode.OK && !burnsId(outcome.result)) return;
    violated('durability', `transfer ${id} was acknowledged as ${resultName(outcome.result)}, and is not there`);
  }
  const told = `${resultName(outcome.result)} at ${outcome.offset}, ${outcome.timestamp}, moved ${outcome.amountMoved}`;
  const is = `${resultName(view.result)} at ${view.offset}, ${view.timestamp}, moved ${view.moved}`;
  if (told !== is) violated('outcomes never change', `transfer ${id} was acknowledged as ${told}, and is ${is}`);
  const metadata = Buffer.from(view.metadata);
  if (!metadata.equals(metadataOf(id)))
    violated(
      'outcomes never change',
      `transfer ${id} has other metadata than it was sent with: ${metadata.toString()}`,
    );
}

function sideOf(transfer: TransferOperation, account: string): bigint {
  if (transfer.debit === account) return -1n;
  return transfer.credit === account ? 1n : 0n;
}

interface Limits {
  readonly min: bigint | undefined;
  readonly max: bigint | undefined;
}

function stepOf(
  transfer: TransferOperation,
  { code, offset }: Result,
  amount: bigint,
  { min, max }: Limits,
): AccountOperation | undefined {
  const breaks = (balance: bigint): boolean => {
    const after = balance + amount;
    return amount < 0n ? min !== undefined && after < min : max !== undefined && after > max;
  };
  const { called, answered, id } = transfer;
  const base = { called, answered, hint: offset, text: `${id} ${amount} (${resultName(code)})` };
  if (code === ResultCode.OK) {
    return { ...base, readOnly: false, step: (balance) => (breaks(balance) ? undefined : balance + amount) };
  }
  // A refusal for want of money is a statement about the balance of the side that it names.
  const named = amount < 0n ? ResultCode.INSUFFICIENT_FUNDS : ResultCode.EXCEEDS_MAX_BALANCE;
  if (code !== named) return undefined;
  return { ...base, readOnly: true, step: (balance) => (breaks(balance) ? balance : undefined) };
}

function readStep({ account, called, answered, balance }: ReadOperation): AccountOperation {
  const step = (now: bigint): bigint | undefined => (now === balance ? now : undefined);
  return { called, answered, step, readOnly: true, hint: called, text: `read ${account} = ${balance}` };
}
