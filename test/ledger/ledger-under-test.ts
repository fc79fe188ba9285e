import {
  type AccountRef,
  type Command,
  encodeCommand,
  type GroupPlace,
  type LimitSpec,
  type ReferringCommand,
} from '../../src/ledger/command-codec';
import { normaliseId, type TransferId } from '../../src/ledger/identifiers';
import { decodeOutcomeRow, OUTCOME_ROW_BYTES, type OutcomeRow } from '../../src/ledger/outcome-row';
import { encodePackedRows, type PackedTransfer } from '../../src/ledger/packed-rows';
import { type BalanceView } from '../../src/ledger/reader';
import { resultName } from '../../src/ledger/result-codes';
import { RULES_VERSIONS } from '../../src/ledger/rules-versions';
import { LedgerState } from '../../src/ledger/state';
import { Tables } from '../../src/ledger/tables';
import { TransferFlag } from '../../src/ledger/transfer-fields';
import { encodeRows, encodeValues } from '../../src/log/chunk';

export const NO_BYTES = Buffer.alloc(0);

export interface TransferOptions {
  readonly id: string;
  readonly from: string | number;
  readonly to: string | number;
  readonly amount: string | bigint;
  readonly ledger?: string;
  readonly code?: number;
  readonly userData?: bigint;
  readonly metadata?: Buffer;
  readonly flags?: number;
  readonly timeoutMs?: number;
  readonly effectiveTime?: number;
  readonly importedTime?: number;
  readonly group?: GroupPlace;
}

export interface ReferringOptions {
  readonly id: string;
  readonly to: string;
  readonly from?: string | number;
  readonly payee?: string | number;
  readonly amount?: string | bigint;
  readonly ledger?: string;
  readonly code?: number;
  readonly group?: GroupPlace;
}

function accountRef(account: string | number): AccountRef {
  return typeof account === 'string' ? { name: account } : { handle: account };
}

export function transfer(options: TransferOptions): Command {
  const { amount, ledger = '', code = 0, userData = 0n, metadata = NO_BYTES, flags = 0 } = options;
  const id = normaliseId(options.id) ?? { kind: 'text', text: options.id };
  return {
    kind: 'transfer',
    id,
    debit: accountRef(options.from),
    credit: accountRef(options.to),
    amount: typeof amount === 'string' ? { text: amount } : { minor: amount },
    ledger,
    code,
    userData,
    metadata,
    flags,
    ...((options.timeoutMs ?? 0) === 0 ? {} : { timeoutMs: options.timeoutMs }),
    ...((options.effectiveTime ?? 0) === 0 ? {} : { effectiveTime: options.effectiveTime }),
    ...((options.importedTime ?? 0) === 0 ? {} : { importedTime: options.importedTime }),
    ...(options.group === undefined ? {} : { group: options.group }),
  };
}

function idOf(text: string): TransferId {
  return normaliseId(text) ?? { kind: 'text', text };
}

/** A transfer that holds. */
export function pending(options: TransferOptions): Command {
  return transfer({ ...options, flags: (options.flags ?? 0) | TransferFlag.PENDING });
}

function refer(action: ReferringCommand['action'], options: ReferringOptions): Command {
  const { from, payee, amount, ledger = '', code = 0, group } = options;
  return {
    kind: 'refer',
    action,
    id: idOf(options.id),
    to: idOf(options.to),
    debit: from === undefined ? undefined : accountRef(from),
    credit: payee === undefined ? undefined : accountRef(payee),
    amount: amount === undefined ? undefined : typeof amount === 'string' ? { text: amount } : { minor: amount },
    ledger,
    code,
    userData: 0n,
    metadata: NO_BYTES,
    ...(group === undefined ? {} : { group }),
  };
}

export const post = (options: ReferringOptions): Command => refer('post', options);
export const voids = (options: ReferringOptions): Command => refer('void', options);
export const reversal = (options: ReferringOptions): Command => refer('reverse', options);

/** Puts transfers into a linked group, in their order. */
export function linked(id: string, ...members: Command[]): Command[] {
  return members.map((member, index) => {
    if (member.kind !== 'transfer' && member.kind !== 'refer') throw new Error('Only transfers can be linked.');
    return { ...member, group: { id: idOf(id), index, size: members.length } };
  });
}

export const EXPIRE: Command = { kind: 'expire_hold' };

export function update(name: string, change: { min?: string; max?: string; closed?: boolean }): Command {
  return {
    kind: 'update_account',
    account: { name },
    min: change.min === undefined ? undefined : limit(change.min),
    max: change.max === undefined ? undefined : limit(change.max),
    closed: change.closed,
  };
}

export interface LedgerOptions {
  readonly scale?: number;
  readonly autoOpen?: boolean;
  readonly rounding?: number;
  readonly min?: bigint | undefined;
  readonly max?: bigint | undefined;
}

export function createLedger(code: string, options: LedgerOptions = {}): Command {
  const { scale = 2, autoOpen = false, rounding = 0 } = options;
  const defaultMinBalance = 'min' in options ? options.min : 0n;
  return { kind: 'create_ledger', code, scale, autoOpen, rounding, defaultMinBalance, defaultMaxBalance: options.max };
}

export interface AccountOptions {
  readonly ledger?: string;
  /** Decimal text, or `none`; left out: the ledger's default. */
  readonly min?: string;
  readonly max?: string;
  readonly userData?: bigint;
  readonly metadata?: Buffer;
}

export function openAccount(name: string, options: AccountOptions = {}): Command {
  const { ledger = 'USD', min, max, userData = 0n, metadata = NO_BYTES } = options;
  return { kind: 'open_account', name, ledger, min: limit(min), max: limit(max), userData, metadata };
}

function limit(text: string | undefined): LimitSpec {
  if (text === undefined) return { kind: 'default' };
  return text === 'none' ? { kind: 'none' } : { kind: 'given', text };
}

/** A state machine with a log of its own: it numbers and times the batches, and keeps them to be replayed. */
export class LedgerUnderTest {
  readonly tables: Tables;
  readonly state: LedgerState;
  readonly batches: {
    time: number;
    baseOffset: number;
    kind: 'records' | 'system';
    payload: Buffer;
    outcomes: Buffer;
  }[] = [];
  time = 1_000_000;
  offset = 0;

  /** @param rules version that it begins under */
  constructor(
    tables = new Tables(0),
    private readonly rules = RULES_VERSIONS.length,
  ) {
    this.tables = tables;
    this.state = new LedgerState(tables);
    this.state.switchRules(rules);
  }

  /** A ledger `USD` of scale 2, a funding account `bank` without a lower limit, and empty accounts of the given names. */
  static withAccounts(...names: string[]): LedgerUnderTest {
    const ledger = new LedgerUnderTest();
    ledger.do(createLedger('USD'), openAccount('bank', { min: 'none' }), ...names.map((name) => openAccount(name)));
    return ledger;
  }

  /** Applies commands as one batch of messages. */
  do(...commands: Command[]): OutcomeRow[] {
    return this.apply(encodeValues(1, commands.map(encodeCommand)));
  }

  /** One transfer, and its result's name. */
  transfer(options: TransferOptions): string {
    const [row] = this.do(transfer(options));
    return resultName((row as OutcomeRow).result);
  }

  /** Applies commands as one batch, and gives the names of the results. */
  results(...commands: Command[]): string[] {
    return this.do(...commands).map((row) => resultName(row.result));
  }

  rows(transfers: readonly PackedTransfer[]): OutcomeRow[] {
    return this.apply(encodeRows(encodePackedRows(transfers)));
  }

  apply(payload: Buffer, kind: 'records' | 'system' = 'records'): OutcomeRow[] {
    this.time += 1000;
    const batch = { time: this.time, baseOffset: this.offset, kind };
    const rows = this.state.apply(batch, payload);
    this.batches.push({ ...batch, payload, outcomes: rows });
    if (kind === 'records') this.offset += rows.length / OUTCOME_ROW_BYTES;
    return decodeRows(rows);
  }

  balance(name: string): BalanceView {
    const account = this.state.reader.account(name);
    if (account === undefined) throw new Error(`There is no account ${name}.`);
    return this.state.reader.balance(account.handle) as BalanceView;
  }

  /** The rest of the time until `micros` after now passes: the next batch is that much later. */
  wait(micros: number): void {
    this.time += micros;
  }

  posted(name: string): bigint {
    return this.balance(name).posted;
  }

  handle(name: string): number {
    const account = this.state.reader.account(name);
    if (account === undefined) throw new Error(`There is no account ${name}.`);
    return account.handle;
  }

  /** A new state machine that was given the same batches, and answered each of them with the same bytes. */
  replayed(hashSeed = 0): LedgerState {
    const state = new LedgerState(new Tables(hashSeed));
    state.switchRules(this.rules);
    this.repeatOn(state, 0);
    return state;
  }

  /** Gives the batches from one on to another state machine, and expects the same answers. */
  repeatOn(state: LedgerState, first: number): void {
    for (const { payload, outcomes, ...batch } of this.batches.slice(first)) {
      expect(state.apply(batch, payload).equals(outcomes)).toBe(true);
    }
  }
}

export function decodeRows(rows: Buffer): OutcomeRow[] {
  const decoded: OutcomeRow[] = [];
  for (let at = 0; at < rows.length; at += OUTCOME_ROW_BYTES) decoded.push(decodeOutcomeRow(rows, at));
  return decoded;
}

/** A UUID that counts. Its first word is not zero: those go another way through the packed rules. */
export function uuid(n: number): string {
  return `a0eebc99-9c0b-4ef8-bb6d-${n.toString(16).padStart(12, '0')}`;
}

export function uuidBytes(n: number): Buffer {
  return Buffer.from(uuid(n).replaceAll('-', ''), 'hex');
}

export function packed(
  n: number,
  from: number,
  to: number,
  amount: bigint,
  rest: Partial<PackedTransfer> = {},
): PackedTransfer {
  return { id: uuidBytes(n), debitHandle: from, creditHandle: to, amount, userData: 0n, code: 0, flags: 0, ...rest };
}
