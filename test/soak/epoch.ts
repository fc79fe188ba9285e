import { checkAccount, type AccountOperation } from '../simulator/linearizability';
import type { Findings } from './findings';

/** A transfer as its caller knows it when it has been answered. */
export interface AnsweredTransfer {
  readonly debit: string;
  readonly credit: string;
  /** In cents. */
  readonly amount: bigint;
  readonly called: number;
  readonly answered: number;
  readonly result: string;
  readonly offset: number;
}

/** Cents of a decimal with two digits. */
export function cents(text: string): bigint {
  return BigInt(text.replace('.', ''));
}

/**
 * Some accounts, used for some seconds and then never again: so a run of hours is checked while it goes on, piece by piece,
 * each small enough for the search.
 */
export class Epoch {
  readonly bank: string;
  readonly wallets: readonly string[];
  private readonly transfers: AnsweredTransfer[] = [];
  private readonly reads: { account: string; balance: bigint; called: number; answered: number }[] = [];
  private underWay = 0;
  private over = false;

  constructor(
    readonly number: number,
    wallets: number,
  ) {
    this.bank = `soak:${number}:bank`;
    this.wallets = Array.from({ length: wallets }, (_, at) => `soak:${number}:${at}`);
  }

  get accounts(): readonly string[] {
    return [this.bank, ...this.wallets];
  }

  get operations(): number {
    return this.transfers.length + this.reads.length;
  }

  /** Nothing begins here any more. */
  close(): void {
    this.over = true;
  }

  get isSettled(): boolean {
    return this.over && this.underWay === 0;
  }

  begin(): void {
    this.underWay += 1;
  }

  end(): void {
    this.underWay -= 1;
  }

  transferred(transfer: AnsweredTransfer): void {
    this.transfers.push(transfer);
  }

  read(account: string, balance: bigint, called: number, answered: number): void {
    this.reads.push({ account, balance, called, answered });
  }

  /** @returns accounts whose history was too long to decide */
  check(findings: Findings): number {
    let undecided = 0;
    for (const account of this.accounts) {
      const verdict = checkAccount(this.operationsOf(account));
      if (verdict.kind === 'undecided') undecided += 1;
      if (verdict.kind !== 'impossible') continue;
      const { balance, stuck } = verdict;
      findings.add(
        'linearizability',
        `${account}: at balance ${balance} none of these could come next: ${stuck.join('; ')}`,
      );
    }
    return undecided;
  }

  /** What the transfers that were done come to. */
  expectedBalance(account: string): bigint {
    return this.transfers.reduce((sum, one) => (one.result === 'ok' ? sum + changeOf(one, account) : sum), 0n);
  }

  private operationsOf(account: string): AccountOperation[] {
    const operations: AccountOperation[] = [];
    const limited = account !== this.bank;
    for (const transfer of this.transfers) {
      const change = changeOf(transfer, account);
      if (change === 0n) continue;
      const { called, answered, offset, result } = transfer;
      const base = { called, answered, hint: offset, text: `${change} (${result} at ${offset})` };
      const breaks = (balance: bigint): boolean => limited && change < 0n && balance + change < 0n;
      if (result === 'ok') {
        const step = (balance: bigint): bigint | undefined => (breaks(balance) ? undefined : balance + change);
        operations.push({ ...base, readOnly: false, step });
      } else if (change < 0n) {
        // A refusal for want of money is a statement about the payer's balance.
        operations.push({ ...base, readOnly: true, step: (balance) => (breaks(balance) ? balance : undefined) });
      }
    }
    for (const { account: of, balance, called, answered } of this.reads) {
      if (of !== account) continue;
      const step = (now: bigint): bigint | undefined => (now === balance ? now : undefined);
      operations.push({ called, answered, step, readOnly: true, hint: called, text: `read ${balance}` });
    }
    return operations;
  }
}

function changeOf({ debit, credit, amount }: AnsweredTransfer, account: string): bigint {
  if (debit === account) return -amount;
  return credit === account ? amount : 0n;
}
