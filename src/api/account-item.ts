/** Accounts and ledgers as a caller specifies them, made into the ledger's commands. */
import { METADATA_MAX_BYTES } from '../ledger/account-rules';
import { MAX_SCALE, minorFromLimit, normaliseLimit } from '../ledger/amounts';
import {
  type AccountRef,
  type CreateLedgerCommand,
  type LimitSpec,
  type OpenAccountCommand,
  type UpdateAccountCommand,
} from '../ledger/command-codec';
import { isLedgerCode, normaliseName } from '../ledger/identifiers';
import { type LedgerReader } from '../ledger/reader';
import { type AccountSpec, type AccountUpdate, type LedgerSpec, LimitChange } from '../proto/ledger-v1';
import { ItemFault, itemFault } from './item-fault';

/** `Rounding` of ledger.proto: reject and half up. */
const ROUNDINGS = [0, 1];

export function openAccountCommand(spec: AccountSpec, reader: LedgerReader): OpenAccountCommand | ItemFault {
  const name = normaliseName(spec.name);
  if (name === undefined) return itemFault('account_name_invalid', 'name');
  if (!isLedgerCode(spec.ledger)) return itemFault('ledger_code_invalid', 'ledger');
  if (spec.no_min_balance && spec.min_balance !== undefined) return itemFault('limits_invalid', 'min_balance');
  const scale = reader.ledger(spec.ledger)?.scale;
  const min = spec.no_min_balance ? ({ kind: 'none' } as const) : limitSpec(spec.min_balance, 'min', scale);
  if (min instanceof ItemFault) return min;
  const max = limitSpec(spec.max_balance, 'max', scale);
  if (max instanceof ItemFault) return max;
  const importedTime = Number(spec.imported_time ?? '0');
  if (!Number.isSafeInteger(importedTime)) return itemFault('time_invalid', 'imported_time');
  if (spec.metadata.length > METADATA_MAX_BYTES) return itemFault('metadata_too_large', 'metadata');
  const { ledger, metadata } = spec;
  const imported = importedTime === 0 ? {} : { importedTime };
  return { kind: 'open_account', name, ledger, min, max, userData: BigInt(spec.user_data), metadata, ...imported };
}

export function updateAccountCommand(update: AccountUpdate, reader: LedgerReader): UpdateAccountCommand | ItemFault {
  const account = updatedAccount(update);
  if (account instanceof ItemFault) return account;
  const view = 'name' in account ? reader.account(account.name) : reader.accountByHandle(account.handle);
  const scale = view?.ledger.scale;
  const min = limitChange(update.min_change, update.min_balance, 'min', scale);
  if (min instanceof ItemFault) return min;
  const max = limitChange(update.max_change, update.max_balance, 'max', scale);
  if (max instanceof ItemFault) return max;
  const { closed } = update;
  if (min === undefined && max === undefined && closed === undefined) return itemFault('change_empty', 'closed');
  return { kind: 'update_account', account, min, max, closed };
}

function updatedAccount({ account: text, handle }: AccountUpdate): AccountRef | ItemFault {
  const name = text === '' ? undefined : normaliseName(text);
  if (text === '' && handle !== '0' && Number.isSafeInteger(Number(handle))) return { handle: Number(handle) };
  return name === undefined || handle !== '0' ? itemFault('account_name_invalid', 'account') : { name };
}

/** Undefined: it stays as it is. */
function limitChange(
  change: number,
  text: string,
  side: 'min' | 'max',
  scale: number | undefined,
): LimitSpec | undefined | ItemFault {
  const isSet = change === LimitChange.SET;
  if (isSet !== (text !== '') || change > LimitChange.LEDGER_DEFAULT)
    return itemFault('limits_invalid', `${side}_change`);
  if (isSet) return limitSpec(text, side, scale);
  if (change === LimitChange.KEEP) return undefined;
  return { kind: change === LimitChange.NONE ? 'none' : 'default' };
}

/** @param scale of the ledger, where this node knows it; the state machine checks it in any case */
function limitSpec(text: string | undefined, side: 'min' | 'max', scale: number | undefined): LimitSpec | ItemFault {
  if (text === undefined) return { kind: 'default' };
  const normal = normaliseLimit(text, side);
  if (normal === undefined) return itemFault('limits_invalid', `${side}_balance`);
  const minor = scale === undefined ? 0n : minorFromLimit(normal, side, scale);
  return typeof minor === 'string' ? itemFault(minor, `${side}_balance`) : { kind: 'given', text: normal };
}

export function createLedgerCommand(spec: LedgerSpec): CreateLedgerCommand | ItemFault {
  if (!isLedgerCode(spec.code)) return itemFault('ledger_code_invalid', 'code');
  if (spec.scale > MAX_SCALE) return itemFault('scale_invalid', 'scale');
  if (!ROUNDINGS.includes(spec.rounding)) return itemFault('rounding_invalid', 'rounding');
  const given = spec.default_min_balance;
  if (spec.default_no_min_balance && given !== undefined) return itemFault('limits_invalid', 'default_min_balance');
  const min = minorFromLimit(given ?? '0', 'min', spec.scale);
  if (typeof min === 'string') return itemFault(min, 'default_min_balance');
  const top = spec.default_max_balance;
  const max = top === undefined ? undefined : minorFromLimit(top, 'max', spec.scale);
  if (typeof max === 'string') return itemFault(max, 'default_max_balance');
  return {
    kind: 'create_ledger',
    code: spec.code,
    scale: spec.scale,
    autoOpen: spec.auto_open,
    rounding: spec.rounding,
    defaultMinBalance: spec.default_no_min_balance ? undefined : min,
    defaultMaxBalance: max,
  };
}
