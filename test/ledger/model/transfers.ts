import { type AccountRef } from '../../../src/ledger/command-codec';
import { LARGEST, minorOf, readDecimal, strip } from './decimals';
import {
  type Content,
  type Facts,
  type ModelAccount,
  type ModelHold,
  type ModelLedger,
  type Remembered,
} from './facts';

/** A transfer as the rules found it: a result, and what it would do. */
export interface Decision {
  result: string;
  debit: ModelAccount | undefined;
  credit: ModelAccount | undefined;
  ledger: ModelLedger | undefined;
  minor: bigint | undefined;
  /** What is moved or held: less than was asked for where it is balancing. */
  amount: bigint;
  hold: ModelHold | undefined;
  reversed: Remembered | undefined;
}

export function find(facts: Facts, ref: AccountRef | undefined): ModelAccount | undefined {
  if (ref === undefined) return undefined;
  return 'handle' in ref ? facts.accounts[ref.handle - 1] : facts.accounts.find((one) => one.name === ref.name);
}

/** Rule 1, as far as the random histories break it. */
export function shapeFault(facts: Facts, content: Content): string | undefined {
  const { amount, debit, credit } = content;
  if (amount !== undefined) {
    if ('text' in amount ? readDecimal(amount.text).coefficient === 0n : amount.minor === 0n) {
      return 'amount_must_not_be_zero';
    }
    if ('minor' in amount && amount.minor > LARGEST) return 'amount_too_large';
    if ('text' in amount && (amount.text.split('.')[0] as string).length > 38) return 'amount_too_large';
  }
  if (debit === undefined || credit === undefined) return undefined;
  const same = JSON.stringify(debit) === JSON.stringify(credit);
  const account = find(facts, debit);
  return same || (account !== undefined && account === find(facts, credit)) ? 'accounts_must_be_different' : undefined;
}

/** Rules 3 to 6. */
export function decide(facts: Facts, content: Content, time: number): Decision {
  const named = facts.ledgers.get(content.ledger);
  const debit = find(facts, content.debit);
  const credit = find(facts, content.credit);
  const decision: Decision = {
    result: 'ok',
    debit,
    credit,
    ledger: content.ledger === '' ? (debit ?? credit)?.ledger : named,
    minor: content.amount !== undefined && 'minor' in content.amount ? content.amount.minor : undefined,
    amount: 0n,
    hold: undefined,
    reversed: undefined,
  };
  decision.result = fault(facts, content, time, decision);
  return decision;
}

function fault(facts: Facts, content: Content, time: number, decision: Decision): string {
  const { debit, credit } = decision;
  const refers = content.to !== '';
  const opens = (ref: AccountRef | undefined): boolean =>
    refers ? ref === undefined : facts.ledgers.get(content.ledger)?.autoOpen === true && 'name' in (ref as AccountRef);
  if (debit === undefined && !opens(content.debit)) return 'debit_account_not_found';
  if (credit === undefined && !opens(content.credit)) return 'credit_account_not_found';
  const nothingNamed = debit === undefined && credit === undefined && content.ledger === '';
  const others = [debit, credit].some((one) => one !== undefined && one.ledger !== decision.ledger);
  if (!(refers && nothingNamed) && (decision.ledger === undefined || others)) {
    return 'accounts_must_have_the_same_ledger';
  }
  if (content.imported > time) return 'imported_time_in_future';
  if (content.kind === 'post' || content.kind === 'void') return holdFault(facts, content, time, decision);
  const why = content.kind === 'reverse' ? reversalFault(facts, content, decision) : amountFault(content, decision);
  if (why !== 'ok') return why;
  if (decision.debit?.closed === true) return 'debit_account_closed';
  if (decision.credit?.closed === true) return 'credit_account_closed';
  return limitFault(content, decision);
}

function amountFault(content: Content, decision: Decision): string {
  if (content.amount === undefined) return 'ok';
  const minor = minorOf(content.amount, decision.ledger as ModelLedger);
  if (typeof minor === 'string') return minor;
  if (minor === 0n) return 'amount_must_not_be_zero';
  decision.minor = decision.amount = minor;
  return 'ok';
}

/** Takes accounts and ledger over from the transfer that is referred to, unless it has others. */
function takeOver(decision: Decision, from: ModelAccount, to: ModelAccount, different: string): string {
  const { debit = from, credit = to, ledger = from.ledger } = decision;
  if (debit !== from || credit !== to) return different;
  if (ledger !== from.ledger) return 'accounts_must_have_the_same_ledger';
  Object.assign(decision, { debit, credit, ledger });
  return 'ok';
}

function holdFault(facts: Facts, content: Content, time: number, decision: Decision): string {
  const target = facts.transfers.get(content.to);
  if (target === undefined || target.outcome.result !== 'ok') return 'pending_transfer_not_found';
  const hold = facts.holdOf.get(content.to);
  if (hold === undefined) return 'pending_transfer_not_pending';
  const accounts = takeOver(decision, hold.debit, hold.credit, 'pending_transfer_has_different_accounts');
  if (accounts !== 'ok') return accounts;
  decision.minor = decision.amount = hold.amount;
  const why = amountFault(content, decision);
  if (why !== 'ok') return why;
  if (decision.amount > hold.amount) return 'pending_transfer_amount_exceeded';
  if (hold.status === 'posted' || hold.status === 'voided') return `pending_transfer_already_${hold.status}`;
  if (hold.status === 'expired' || hold.expiresAt <= time) return 'pending_transfer_expired';
  decision.hold = hold;
  return 'ok';
}

function reversalFault(facts: Facts, content: Content, decision: Decision): string {
  const target = facts.transfers.get(content.to);
  if (target === undefined) return 'reversed_transfer_not_found';
  if (target.moved === 0n) return 'reversed_transfer_not_posted';
  const [from, to] = [target.credit as ModelAccount, target.debit as ModelAccount];
  const accounts = takeOver(decision, from, to, 'reversed_transfer_has_different_accounts');
  if (accounts !== 'ok') return accounts;
  decision.minor = decision.amount = target.moved;
  const why = amountFault(content, decision);
  if (why !== 'ok') return why;
  if (target.reversed + decision.amount > target.moved) return 'reversed_transfer_amount_exceeded';
  decision.reversed = target;
  return 'ok';
}

function limitFault(content: Content, decision: Decision): string {
  const ledger = decision.ledger as ModelLedger;
  const empty = { min: ledger.min, max: ledger.max, debits: 0n, credits: 0n, debitsHeld: 0n, creditsHeld: 0n };
  const payer = decision.debit ?? empty;
  const payee = decision.credit ?? empty;
  if (payer.min !== undefined) {
    const available = payer.credits - payer.debits - payer.debitsHeld - payer.min;
    if (content.balancing && available < decision.amount) decision.amount = available;
    if (decision.amount === 0n || decision.amount > available) return 'insufficient_funds';
  }
  const received = payee.credits + payee.creditsHeld - payee.debits + decision.amount;
  if (payee.max !== undefined && received > payee.max) return 'exceeds_max_balance';
  const debits = payer.debits + payer.debitsHeld + decision.amount;
  const credits = payee.credits + payee.creditsHeld + decision.amount;
  return debits > LARGEST || credits > LARGEST ? 'overflow' : 'ok';
}

/** Rule 2: what of a known id's content is another, or undefined. */
export function difference(facts: Facts, first: Remembered, content: Content): string | undefined {
  const then = first.content;
  const kind = (one: Content): string => (one.kind === 'reverse' ? 'plain' : one.kind);
  if (kind(then) !== kind(content) || then.balancing !== content.balancing) return 'flags';
  if (then.to !== content.to) return then.kind === 'post' || then.kind === 'void' ? 'pending_id' : 'reverses';
  if (!sameAccount(facts, first.debit, then.debit, content.debit)) return 'debit_account';
  if (!sameAccount(facts, first.credit, then.credit, content.credit)) return 'credit_account';
  const code = first.ledger?.code ?? then.ledger;
  if (content.ledger !== '' && code !== '' && content.ledger !== code) return 'ledger';
  if (!sameAmount(facts, first, content)) return 'amount';
  if (then.code !== content.code) return 'code';
  if (then.userData !== content.userData) return 'user_data';
  if (then.metadata !== content.metadata) return 'metadata';
  if (then.timeoutMs !== content.timeoutMs) return 'timeout';
  if (then.effective !== content.effective) return 'effective_time';
  return then.imported === content.imported ? undefined : 'imported_time';
}

/** The same account, or the same words for one that did not exist then. */
function sameAccount(
  facts: Facts,
  then: ModelAccount | undefined,
  thenRef: AccountRef | undefined,
  ref: AccountRef | undefined,
): boolean {
  if (then !== undefined) return ref === undefined || then === find(facts, ref);
  if (ref === undefined || thenRef === undefined) return ref === thenRef;
  if (JSON.stringify(thenRef) === JSON.stringify(ref)) return true;
  const account = find(facts, ref);
  if (account === undefined) return false;
  return 'name' in thenRef ? thenRef.name === account.name : find(facts, thenRef) === account;
}

function sameAmount(facts: Facts, first: Remembered, content: Content): boolean {
  const then = first.content.amount;
  const asked = content.amount;
  if (first.minor === undefined) {
    if (then === undefined || asked === undefined) return then === asked;
    if ('text' in asked && 'text' in then) return strip(asked.text) === strip(then.text);
  }
  const named = content.ledger === '' ? undefined : facts.ledgers.get(content.ledger);
  const now = named ?? (find(facts, content.debit) ?? find(facts, content.credit))?.ledger;
  const ledger = first.ledger ?? now;
  const inMinor = (amount: Content['amount']): bigint | undefined => {
    if (amount === undefined) return allOf(facts, content);
    if ('text' in amount && ledger === undefined) return undefined;
    const minor = minorOf(amount, ledger as ModelLedger);
    return typeof minor === 'bigint' ? minor : undefined;
  };
  const before = first.minor ?? inMinor(then);
  return before !== undefined && before === inMinor(asked);
}

/** What a transfer that says no amount comes to: all of what it refers to. */
function allOf(facts: Facts, content: Content): bigint | undefined {
  if (content.kind === 'reverse') return facts.transfers.get(content.to)?.moved;
  return facts.holdOf.get(content.to)?.amount;
}
