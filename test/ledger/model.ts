import { type AccountRef, type Command, type TransferCommand } from '../../src/ledger/command-codec';
import { formatId } from '../../src/ledger/identifiers';

/**
 * The rules of money once more, slow and obvious, written from docs/rules-of-money.md and not from the code: objects, maps
 * and bigints. What it says is what the state machine must say.
 */
export interface ModelOutcome {
  result: string;
  replayed: boolean;
  moved: bigint;
  offset: number;
  time: number;
}

interface ModelLedger {
  code: string;
  scale: number;
  autoOpen: boolean;
  halfUp: boolean;
  min: bigint | undefined;
  max: bigint | undefined;
  offset: number;
  time: number;
}

interface ModelAccount {
  name: string;
  ledger: ModelLedger;
  min: bigint | undefined;
  max: bigint | undefined;
  debits: bigint;
  credits: bigint;
  userData: bigint;
  metadata: string;
  offset: number;
  time: number;
}

interface Remembered {
  outcome: ModelOutcome;
  command: TransferCommand;
  debit: ModelAccount | undefined;
  credit: ModelAccount | undefined;
  /** As far as it was known. */
  ledger: ModelLedger | undefined;
  /** Minor units, unless the ledger had not been asked yet when it was refused. */
  minor: bigint | undefined;
}

type AmountFault = 'amount_precision' | 'amount_too_large';

interface Decimal {
  coefficient: bigint;
  digits: number;
}

const LARGEST = 10n ** 38n - 1n;
const BURNS = new Set([
  'debit_account_not_found',
  'credit_account_not_found',
  'insufficient_funds',
  'exceeds_max_balance',
]);

export class Model {
  readonly ledgers = new Map<string, ModelLedger>();
  /** In the order of opening: the n-th has handle n + 1. */
  readonly accounts: ModelAccount[] = [];
  readonly transfers = new Map<string, Remembered>();
  private offset = 0;
  private time = 0;

  apply(command: Command, offset: number, time: number): ModelOutcome {
    this.offset = offset;
    this.time = time;
    if (command.kind === 'create_ledger') return this.createLedger(command);
    if (command.kind === 'open_account') return this.openAccount(command);
    return this.transfer(command);
  }

  private answer(result: string, moved = 0n): ModelOutcome {
    return { result, replayed: false, moved, offset: this.offset, time: this.time };
  }

  private createLedger(command: Extract<Command, { kind: 'create_ledger' }>): ModelOutcome {
    const { code, scale, autoOpen, defaultMinBalance: min, defaultMaxBalance: max } = command;
    const halfUp = command.rounding === 1;
    const old = this.ledgers.get(code);
    if (old === undefined) {
      this.ledgers.set(code, { code, scale, autoOpen, halfUp, min, max, offset: this.offset, time: this.time });
      return this.answer('ok');
    }
    if (old.scale !== scale) return this.answer('exists_with_different_scale');
    if (old.autoOpen !== autoOpen || old.halfUp !== halfUp) return this.answer('exists_with_different_options');
    if (old.min !== min || old.max !== max) return this.answer('exists_with_different_limits');
    return { result: 'ok', replayed: true, moved: 0n, offset: old.offset, time: old.time };
  }

  private openAccount(command: Extract<Command, { kind: 'open_account' }>): ModelOutcome {
    const old = this.accounts.find((account) => account.name === command.name);
    const ledger = this.ledgers.get(command.ledger);
    const metadata = command.metadata.toString('hex');
    if (old === undefined && ledger === undefined) return this.answer('ledger_not_found');
    if (old !== undefined && old.ledger !== ledger) return this.answer('exists_with_different_ledger');
    const known = ledger as ModelLedger;
    const limits = [command.min, command.max].map((limit, i) => {
      if (limit.kind === 'none') return undefined;
      if (limit.kind === 'default') return i === 0 ? known.min : known.max;
      const sign = limit.text.startsWith('-') ? -1n : 1n;
      const minor = toMinor(readDecimal(limit.text.replace('-', '')), known.scale, false);
      return typeof minor === 'string' ? minor : sign * minor;
    });
    const fault = limits.find((limit) => typeof limit === 'string');
    const [min, max] = limits as [bigint | undefined, bigint | undefined];
    if (old === undefined) {
      if (fault !== undefined) return this.answer(fault);
      this.open(command.name, known, min, max, command.userData, metadata);
      return this.answer('ok');
    }
    if (fault !== undefined || old.min !== min || old.max !== max) return this.answer('exists_with_different_limits');
    if (old.userData !== command.userData) return this.answer('exists_with_different_user_data');
    if (old.metadata !== metadata) return this.answer('exists_with_different_metadata');
    return { result: 'ok', replayed: true, moved: 0n, offset: old.offset, time: old.time };
  }

  private open(
    name: string,
    ledger: ModelLedger,
    min: bigint | undefined,
    max: bigint | undefined,
    userData = 0n,
    metadata = '',
  ): ModelAccount {
    const place = { offset: this.offset, time: this.time };
    const account = { name, ledger, min, max, debits: 0n, credits: 0n, userData, metadata, ...place };
    this.accounts.push(account);
    return account;
  }

  private find(ref: AccountRef): ModelAccount | undefined {
    return 'handle' in ref ? this.accounts[ref.handle - 1] : this.accounts.find((account) => account.name === ref.name);
  }

  private transfer(command: TransferCommand): ModelOutcome {
    const amount = command.amount;
    if ('text' in amount ? readDecimal(amount.text).coefficient === 0n : amount.minor === 0n) {
      return this.answer('amount_must_not_be_zero');
    }
    if ('minor' in amount && amount.minor > LARGEST) return this.answer('amount_too_large');
    if ('text' in amount && (amount.text.split('.')[0] as string).length > 38) return this.answer('amount_too_large');
    const debit = this.find(command.debit);
    const credit = this.find(command.credit);
    const sameText = JSON.stringify(command.debit) === JSON.stringify(command.credit);
    if (sameText || (debit !== undefined && debit === credit)) return this.answer('accounts_must_be_different');

    const id = `${command.id.kind}:${formatId(command.id)}`;
    const first = this.transfers.get(id);
    if (first !== undefined) return this.repeat(first, command, debit, credit);

    const named = this.ledgers.get(command.ledger);
    const ledger = command.ledger === '' ? (debit ?? credit)?.ledger : named;
    const decided = this.decide(command, debit, credit, named, ledger);
    const { outcome } = decided;
    if (outcome.result === 'ok' || BURNS.has(outcome.result)) {
      this.transfers.set(id, { command, ledger, ...decided });
    }
    return outcome;
  }

  private decide(
    command: TransferCommand,
    debit: ModelAccount | undefined,
    credit: ModelAccount | undefined,
    named: ModelLedger | undefined,
    ledger: ModelLedger | undefined,
  ): Pick<Remembered, 'outcome' | 'minor' | 'debit' | 'credit'> {
    const stop = (result: string, minor?: bigint): Pick<Remembered, 'outcome' | 'minor' | 'debit' | 'credit'> => ({
      outcome: this.answer(result),
      minor: minor ?? ('minor' in command.amount ? command.amount.minor : undefined),
      debit,
      credit,
    });
    const opens = named?.autoOpen === true;
    if (debit === undefined && !(opens && 'name' in command.debit)) return stop('debit_account_not_found');
    if (credit === undefined && !(opens && 'name' in command.credit)) return stop('credit_account_not_found');
    const ledgers = [debit?.ledger ?? ledger, credit?.ledger ?? ledger];
    if (ledger === undefined || ledgers.some((one) => one !== ledger))
      return stop('accounts_must_have_the_same_ledger');
    const minor =
      'minor' in command.amount
        ? command.amount.minor
        : toMinor(readDecimal(command.amount.text), ledger.scale, ledger.halfUp);
    if (typeof minor === 'string') return stop(minor);
    if (minor === 0n) return stop('amount_must_not_be_zero');
    const payer = debit ?? { min: ledger.min, max: ledger.max, debits: 0n, credits: 0n };
    const payee = credit ?? { min: ledger.min, max: ledger.max, debits: 0n, credits: 0n };
    if (payer.min !== undefined && payer.credits - payer.debits - minor < payer.min) {
      return stop('insufficient_funds', minor);
    }
    if (payee.max !== undefined && payee.credits - payee.debits + minor > payee.max) {
      return stop('exceeds_max_balance', minor);
    }
    if (payer.debits + minor > LARGEST || payee.credits + minor > LARGEST) return stop('overflow', minor);
    const from = debit ?? this.open((command.debit as { name: string }).name, ledger, ledger.min, ledger.max);
    const to = credit ?? this.open((command.credit as { name: string }).name, ledger, ledger.min, ledger.max);
    from.debits += minor;
    to.credits += minor;
    return { outcome: this.answer('ok', minor), minor, debit: from, credit: to };
  }

  private repeat(
    first: Remembered,
    command: TransferCommand,
    debit: ModelAccount | undefined,
    credit: ModelAccount | undefined,
  ): ModelOutcome {
    const different = (field: string): ModelOutcome => this.answer(`exists_with_different_${field}`);
    if (!this.sameAccount(first.debit, first.command.debit, command.debit, debit)) return different('debit_account');
    if (!this.sameAccount(first.credit, first.command.credit, command.credit, credit))
      return different('credit_account');
    const firstCode = first.ledger?.code ?? first.command.ledger;
    if (command.ledger !== '' && firstCode !== '' && command.ledger !== firstCode) return different('ledger');
    const now = command.ledger === '' ? (debit ?? credit)?.ledger : this.ledgers.get(command.ledger);
    if (!sameAmount(first, command, now)) return different('amount');
    if (first.command.code !== command.code) return different('code');
    if (first.command.userData !== command.userData) return different('user_data');
    if (!first.command.metadata.equals(command.metadata)) return different('metadata');
    return { ...first.outcome, replayed: true };
  }

  /** The same account, or the same words for one that did not exist then. */
  private sameAccount(
    then: ModelAccount | undefined,
    thenRef: AccountRef,
    ref: AccountRef,
    account: ModelAccount | undefined,
  ): boolean {
    if (then !== undefined) return then === account;
    if (JSON.stringify(thenRef) === JSON.stringify(ref)) return true;
    if (account === undefined) return false;
    return 'name' in thenRef ? thenRef.name === account.name : this.accounts[thenRef.handle - 1] === account;
  }
}

function sameAmount(first: Remembered, command: TransferCommand, now: ModelLedger | undefined): boolean {
  const asked = command.amount;
  if (first.minor === undefined && 'text' in asked && 'text' in first.command.amount) {
    return JSON.stringify(strip(asked.text)) === JSON.stringify(strip(first.command.amount.text));
  }
  const ledger = first.ledger ?? now;
  const inMinor = (amount: TransferCommand['amount']): bigint | undefined => {
    if ('minor' in amount) return amount.minor;
    const minor = ledger === undefined ? 'unknown' : toMinor(readDecimal(amount.text), ledger.scale, ledger.halfUp);
    return typeof minor === 'bigint' ? minor : undefined;
  };
  const then = first.minor ?? inMinor(first.command.amount);
  return then !== undefined && then === inMinor(asked);
}

function readDecimal(text: string): Decimal {
  const [whole = '', fraction = ''] = text.split('.');
  return { coefficient: BigInt(whole + fraction), digits: fraction.length };
}

function strip(text: string): [string, string] {
  const [whole = '', fraction = ''] = text.split('.');
  return [whole.replace(/^0+/, ''), fraction.replace(/0+$/, '')];
}

function toMinor({ coefficient, digits }: Decimal, scale: number, halfUp: boolean): bigint | AmountFault {
  const divisor = 10n ** BigInt(Math.max(digits - scale, 0));
  const scaled = coefficient * 10n ** BigInt(Math.max(scale - digits, 0));
  if (scaled / divisor > LARGEST) return 'amount_too_large';
  if (scaled % divisor !== 0n && !halfUp) return 'amount_precision';
  const minor = scaled / divisor + (2n * (scaled % divisor) >= divisor && divisor > 1n ? 1n : 0n);
  return minor > LARGEST ? 'amount_too_large' : minor;
}
