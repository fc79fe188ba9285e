/** A transfer as a caller writes it, made into the ledger's command: everything about it that needs no money to decide. */
import { METADATA_MAX_BYTES } from '../ledger/account-rules';
import { minorFromText, normaliseAmount } from '../ledger/amounts';
import { type AccountRef, type TransferCommand } from '../ledger/command-codec';
import { isLedgerCode, normaliseId, normaliseName } from '../ledger/identifiers';
import { type LedgerReader, type LedgerView } from '../ledger/reader';
import { type Transfer } from '../proto/ledger-v1';
import { type ItemFault, itemFault } from './item-fault';

/**
 * The command, or the first fault of shape in the order of the rules of money: id, accounts, amount, then what goes with
 * them. The reader is asked only for what never changes once it is there (an account's ledger, a ledger's scale), so that
 * a node that is behind lets pass what it cannot judge, and the state machine judges it.
 */
export function transferCommand(item: Transfer, reader: LedgerReader): TransferCommand | ItemFault {
  const id = normaliseId(item.id);
  if (id === undefined) return itemFault('id_invalid', 'id');
  const debit = accountRef(item.debit_account, item.debit_handle, 'debit_account');
  if ('info' in debit) return debit;
  const credit = accountRef(item.credit_account, item.credit_handle, 'credit_account');
  if ('info' in credit) return credit;
  const amount = normaliseAmount(item.amount);
  if ('error' in amount) return itemFault(amount.error, 'amount');
  if (isSame(debit, credit)) return itemFault('accounts_must_be_different', 'credit_account');
  if (item.ledger !== '' && !isLedgerCode(item.ledger)) return itemFault('ledger_code_invalid', 'ledger');
  const unbuilt = fieldNotBuilt(item);
  if (unbuilt !== undefined) return itemFault('flags_invalid', unbuilt);
  if (item.metadata.length > METADATA_MAX_BYTES) return itemFault('metadata_too_large', 'metadata');
  const ledger = knownLedger(item.ledger, debit, credit, reader);
  if (ledger !== undefined) {
    const minor = minorFromText(amount.text, ledger.scale, ledger.rounding);
    if ('error' in minor) return itemFault(minor.error, 'amount');
  }
  return {
    kind: 'transfer',
    id,
    debit,
    credit,
    amount,
    ledger: item.ledger,
    code: item.code,
    userData: BigInt(item.user_data),
    metadata: item.metadata,
    flags: 0,
  };
}

/** What the ledger knows and this door does not take yet: refused, since without it another transfer would be done. */
function fieldNotBuilt(item: Transfer): keyof Transfer | undefined {
  const fields = [
    'kind',
    'pending_id',
    'timeout_ms',
    'balancing',
    'reverses',
    'effective_time',
    'imported_time',
    'group',
  ] as const;
  return fields.find((field) => ![undefined, 0, '0', '', false].includes(item[field]));
}

function accountRef(name: string, handle: string, side: 'debit_account' | 'credit_account'): AccountRef | ItemFault {
  if ((name === '') === (handle === '0')) return itemFault(`${side}_required`, side);
  if (name === '') {
    const number = Number(handle);
    return Number.isSafeInteger(number) ? { handle: number } : itemFault(`${side}_invalid`, side);
  }
  const normal = normaliseName(name);
  return normal === undefined ? itemFault(`${side}_invalid`, side) : { name: normal };
}

function isSame(a: AccountRef, b: AccountRef): boolean {
  return 'name' in a ? 'name' in b && a.name === b.name : 'handle' in b && a.handle === b.handle;
}

/** The ledger whose scale the amount must fit, as far as this node knows it. */
function knownLedger(
  code: string,
  debit: AccountRef,
  credit: AccountRef,
  reader: LedgerReader,
): LedgerView | undefined {
  if (code !== '') return reader.ledger(code);
  for (const ref of [debit, credit]) {
    const account = 'name' in ref ? reader.account(ref.name) : reader.accountByHandle(ref.handle);
    if (account !== undefined) return account.ledger;
  }
  return undefined;
}
