/** A transfer as a caller writes it, made into the ledger's command: everything about it that needs no money to decide. */
import { METADATA_MAX_BYTES } from '../ledger/account-rules';
import { minorFromText, normaliseAmount } from '../ledger/amounts';
import { type AccountRef, type AmountSpec, type ReferringCommand, type TransferCommand } from '../ledger/command-codec';
import { isLedgerCode, normaliseId, normaliseName, type TransferId } from '../ledger/identifiers';
import { carriesTime } from '../ledger/id-time';
import { type LedgerReader, type LedgerView } from '../ledger/reader';
import { TransferFlag } from '../ledger/transfer-fields';
import { MAX_TIMEOUT_MS } from '../ledger/transfer-shape';
import { type Transfer, TransferKind } from '../proto/ledger-v1';
import { ItemFault, itemFault } from './item-fault';

/** A command without its place in a linked group, which only the whole batch can tell. */
export type TransferItem = TransferCommand | ReferringCommand;

type Party = AccountRef | undefined;

/**
 * The command, or the first fault of shape in the order of the rules of money: id, accounts, amount, flags, then what goes
 * with them. The reader is asked only for what never changes once it is there (an account's ledger, a ledger's scale), so
 * that a node that is behind lets pass what it cannot judge, and the state machine judges it.
 */
export function transferCommand(item: Transfer, reader: LedgerReader): TransferItem | ItemFault {
  const id = transferId(item.id, reader);
  if (id instanceof ItemFault) return id;
  const kind = item.kind ?? TransferKind.PLAIN;
  const refers = kind === TransferKind.POST || kind === TransferKind.VOID || (item.reverses ?? '') !== '';
  const debit = accountRef(item.debit_account, item.debit_handle, 'debit_account', refers);
  if (debit instanceof ItemFault) return debit;
  const credit = accountRef(item.credit_account, item.credit_handle, 'credit_account', refers);
  if (credit instanceof ItemFault) return credit;
  const amount = amountOf(item.amount, kind, refers);
  if (amount instanceof ItemFault) return amount;
  const fault = kindFault(item, kind) ?? partyFault(debit, credit) ?? restFault(item, kind);
  if (fault !== undefined) return fault;
  const ledger = knownLedger(item.ledger, debit, credit, reader);
  if (ledger !== undefined && amount !== undefined) {
    const minor = minorFromText(amount.text, ledger.scale, ledger.rounding);
    if ('error' in minor) return itemFault(minor.error, 'amount');
  }
  const { ledger: code, code: number, metadata } = item;
  const userData = BigInt(item.user_data);
  const effectiveTime = numberOf(item.effective_time);
  const importedTime = numberOf(item.imported_time);
  // Written out twice: spreading what they share costs more than the rest of this function.
  if (refers) {
    return {
      kind: 'refer',
      action: actionOf(kind),
      to: referredTo(item, kind),
      id,
      debit,
      credit,
      amount,
      ledger: code,
      code: number,
      userData,
      metadata,
      effectiveTime,
      importedTime,
    };
  }
  if (debit === undefined || credit === undefined || amount === undefined) {
    throw new Error('A transfer that refers to no other one passed without accounts or an amount.');
  }
  return {
    kind: 'transfer',
    id,
    debit,
    credit,
    amount,
    ledger: code,
    code: number,
    userData,
    metadata,
    flags: (kind === TransferKind.PENDING ? TransferFlag.PENDING : 0) | (item.balancing ? TransferFlag.BALANCING : 0),
    timeoutMs: numberOf(item.timeout_ms),
    effectiveTime,
    importedTime,
  };
}

/** The id in its only form. Where ids are remembered for a bounded time, one that carries none is no id. */
export function transferId(text: string, reader: LedgerReader, field = 'id'): TransferId | ItemFault {
  const id = normaliseId(text);
  if (id === undefined) return itemFault('id_invalid', field);
  return reader.dedupAgeMs() > 0 && !carriesTime(id) ? itemFault('id_must_carry_time', field) : id;
}

function actionOf(kind: number): ReferringCommand['action'] {
  if (kind === TransferKind.POST) return 'post';
  return kind === TransferKind.VOID ? 'void' : 'reverse';
}

function referredTo(item: Transfer, kind: number): TransferId {
  const to = normaliseId((kind === TransferKind.PLAIN ? item.reverses : item.pending_id) ?? '');
  if (to === undefined) throw new Error('A transfer passed that refers to no other one.');
  return to;
}

/** @param refers then the account may be left to the transfer that it refers to */
function accountRef(
  name: string,
  handle: string,
  side: 'debit_account' | 'credit_account',
  refers: boolean,
): Party | ItemFault {
  if (refers && name === '' && handle === '0') return undefined;
  if ((name === '') === (handle === '0')) return itemFault(`${side}_required`, side);
  if (name === '') {
    const number = Number(handle);
    return Number.isSafeInteger(number) ? { handle: number } : itemFault(`${side}_invalid`, side);
  }
  const normal = normaliseName(name);
  return normal === undefined ? itemFault(`${side}_invalid`, side) : { name: normal };
}

function amountOf(
  text: string,
  kind: number,
  refers: boolean,
): Extract<AmountSpec, { text: string }> | undefined | ItemFault {
  if (text === '' && refers) return undefined;
  if (kind === TransferKind.VOID) return itemFault('amount_not_allowed', 'amount');
  const amount = normaliseAmount(text);
  return 'error' in amount ? itemFault(amount.error, 'amount') : amount;
}

function kindFault(item: Transfer, kind: number): ItemFault | undefined {
  const reverses = item.reverses ?? '';
  if (kind > TransferKind.VOID) return itemFault('flags_invalid', 'kind');
  const isNew = kind === TransferKind.PLAIN || kind === TransferKind.PENDING;
  if (item.balancing && !(isNew && reverses === '')) return itemFault('balancing_not_allowed', 'balancing');
  return undefined;
}

function partyFault(debit: Party, credit: Party): ItemFault | undefined {
  if (debit === undefined || credit === undefined) return undefined;
  const isSame =
    'name' in debit
      ? 'name' in credit && debit.name === credit.name
      : 'handle' in credit && debit.handle === credit.handle;
  return isSame ? itemFault('accounts_must_be_different', 'credit_account') : undefined;
}

/** Timeouts, what is referred to, and everything that the ledger only keeps. */
function restFault(item: Transfer, kind: number): ItemFault | undefined {
  const { pending_id: pending = '', reverses = '', timeout_ms: timeout = '0', imported_time: imported = '0' } = item;
  const resolves = kind === TransferKind.POST || kind === TransferKind.VOID;
  // A timeout counts from the ledger's time, which says nothing about a hold of another book.
  const mayTimeOut = kind === TransferKind.PENDING && imported === '0' && Number(timeout) <= MAX_TIMEOUT_MS;
  if (timeout !== '0' && !mayTimeOut) return itemFault('timeout_invalid', 'timeout_ms');
  if (resolves ? normaliseId(pending) === undefined : pending !== '')
    return itemFault('pending_id_invalid', 'pending_id');
  if (reverses !== '' && (kind !== TransferKind.PLAIN || normaliseId(reverses) === undefined)) {
    return itemFault('reverses_invalid', 'reverses');
  }
  if (item.ledger !== '' && !isLedgerCode(item.ledger)) return itemFault('ledger_code_invalid', 'ledger');
  for (const field of ['effective_time', 'imported_time'] as const) {
    if (!Number.isSafeInteger(Number(item[field] ?? '0'))) return itemFault('time_invalid', field);
  }
  return item.metadata.length > METADATA_MAX_BYTES ? itemFault('metadata_too_large', 'metadata') : undefined;
}

function numberOf(text: string | undefined): number | undefined {
  return text === undefined || text === '0' ? undefined : Number(text);
}

/** The ledger whose scale the amount must fit, as far as this node knows it. */
function knownLedger(code: string, debit: Party, credit: Party, reader: LedgerReader): LedgerView | undefined {
  if (code !== '') return reader.ledger(code);
  for (const ref of [debit, credit]) {
    if (ref === undefined) continue;
    const account = 'name' in ref ? reader.account(ref.name) : reader.accountByHandle(ref.handle);
    if (account !== undefined) return account.ledger;
  }
  return undefined;
}
