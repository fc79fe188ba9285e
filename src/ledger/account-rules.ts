import { isUtf8 } from 'node:buffer';
import { MAX_MINOR, MAX_SCALE, minorFromLimit, normaliseLimit } from './amounts';
import { type ApplyContext } from './apply-context';
import { type CreateLedgerCommand, type LimitSpec, type OpenAccountCommand } from './commands';
import { NAME_MAX_BYTES, isLedgerCode } from './identifiers';
import { type LedgerEntry } from './ledger-table';
import { OutcomeFlag } from './outcome-row';
import { ResultCode } from './result-codes';
import { type Tables } from './tables';

export const METADATA_MAX_BYTES = 1024;

/** What an account is opened with. */
interface Limits {
  readonly min: bigint | undefined;
  readonly max: bigint | undefined;
}

/** Creating ledgers and opening accounts. Neither has an id: the code and the name are what a repeat is known by. */
export class AccountRules {
  constructor(private readonly tables: Tables) {}

  createLedger(command: CreateLedgerCommand, context: ApplyContext): void {
    const { code, scale, autoOpen, rounding, defaultMinBalance: min, defaultMaxBalance: max } = command;
    const { ledgers, limits } = this.tables;
    if (!isLedgerCode(code) || scale > MAX_SCALE || rounding > 1 || !isLimit(min, -1n) || !isLimit(max, 1n)) {
      context.write(ResultCode.MALFORMED_RECORD, 0, 0, 0, undefined);
      return;
    }
    const halfUp = rounding === 1;
    const existing = ledgers.find(code);
    if (existing !== undefined) {
      const sameOptions = existing.autoOpen === autoOpen && existing.halfUp === halfUp;
      const { defaultLimits } = existing;
      const sameLimits = limits.minimum(defaultLimits) === min && limits.maximum(defaultLimits) === max;
      if (existing.scale !== scale) context.write(ResultCode.EXISTS_WITH_DIFFERENT_SCALE, 0, 0, 0, existing);
      else if (!sameOptions) context.write(ResultCode.EXISTS_WITH_DIFFERENT_OPTIONS, 0, 0, 0, existing);
      else if (!sameLimits) context.write(ResultCode.EXISTS_WITH_DIFFERENT_LIMITS, 0, 0, 0, existing);
      else {
        context.write(ResultCode.OK, OutcomeFlag.REPLAYED, 0, 0, existing);
        context.setPlace(existing.offset, existing.createdAt);
      }
      return;
    }
    const defaultLimits = limits.add(min, max);
    const { time: createdAt, offset } = context;
    const added = ledgers.add({ code, scale, autoOpen, halfUp, defaultLimits, createdAt, offset });
    context.write(ResultCode.OK, 0, 0, 0, added);
  }

  openAccount(command: OpenAccountCommand, context: ApplyContext): void {
    const { accounts, ledgers } = this.tables;
    const name = Buffer.from(command.name, 'utf8');
    if (
      !isAccountName(name, 0, name.length) ||
      !isLedgerCode(command.ledger) ||
      command.metadata.length > METADATA_MAX_BYTES ||
      !isLimitSpec(command.min, 'min') ||
      !isLimitSpec(command.max, 'max')
    ) {
      context.write(ResultCode.MALFORMED_RECORD, 0, 0, 0, undefined);
      return;
    }
    const ledger = ledgers.find(command.ledger);
    const handle = accounts.findName(name, 0, name.length);
    if (handle !== 0) {
      this.answerExisting(handle, ledger, command, context);
      return;
    }
    if (ledger === undefined) {
      context.write(ResultCode.LEDGER_NOT_FOUND, 0, 0, 0, undefined);
      return;
    }
    if ((command.importedTime ?? 0) > context.time) {
      context.write(ResultCode.IMPORTED_TIME_IN_FUTURE, 0, 0, 0, ledger);
      return;
    }
    const limits = this.readLimits(command, ledger);
    if (typeof limits === 'number') {
      context.write(limits, 0, 0, 0, ledger);
      return;
    }
    const opened = this.open(name, 0, name.length, ledger, this.limitRow(limits, ledger), context, command);
    context.write(ResultCode.OK, 0, 0, opened, ledger);
  }

  /** Opens an account with its ledger's default limits, at the first transfer that uses it (auto_open). */
  openByTransfer(bytes: Uint8Array, start: number, length: number, ledger: LedgerEntry, context: ApplyContext): number {
    return this.open(bytes, start, length, ledger, ledger.defaultLimits, context, undefined);
  }

  private open(
    bytes: Uint8Array,
    start: number,
    length: number,
    ledger: LedgerEntry,
    limits: number,
    context: ApplyContext,
    command: OpenAccountCommand | undefined,
  ): number {
    const { accounts, arena } = this.tables;
    const name = arena.store(bytes, start, length);
    return accounts.open({
      ledger: ledger.number,
      limits,
      userDataLow: command === undefined ? 0 : Number(command.userData & 0xffff_ffffn),
      userDataHigh: command === undefined ? 0 : Number(command.userData >> 32n),
      openedAt: context.time,
      offset: context.offset,
      name,
      metadata: command === undefined || command.metadata.length === 0 ? 0 : arena.store(command.metadata),
      importedAt: command?.importedTime ?? 0,
    });
  }

  /** Fields in one fixed order: ledger, limits, user data, metadata, imported time. */
  private answerExisting(
    handle: number,
    named: LedgerEntry | undefined,
    command: OpenAccountCommand,
    context: ApplyContext,
  ): void {
    const { accounts, arena, ledgers, limits } = this.tables;
    const ledger = ledgers.byNumber(accounts.ledgerOf(handle)) as LedgerEntry;
    const metadata = accounts.metadataRef(handle);
    let result = ResultCode.OK;
    if (named !== ledger) result = ResultCode.EXISTS_WITH_DIFFERENT_LEDGER;
    else {
      const asked = this.readLimits(command, ledger);
      const row = accounts.limitsOf(handle);
      const sameLimits =
        typeof asked !== 'number' && asked.min === limits.minimum(row) && asked.max === limits.maximum(row);
      const sameMetadata =
        metadata === 0
          ? command.metadata.length === 0
          : arena.equals(metadata, command.metadata, 0, command.metadata.length);
      if (!sameLimits) result = ResultCode.EXISTS_WITH_DIFFERENT_LIMITS;
      else if (command.userData !== accounts.userData(handle)) result = ResultCode.EXISTS_WITH_DIFFERENT_USER_DATA;
      else if (!sameMetadata) result = ResultCode.EXISTS_WITH_DIFFERENT_METADATA;
      else if ((command.importedTime ?? 0) !== accounts.importedAt(handle)) {
        result = ResultCode.EXISTS_WITH_DIFFERENT_IMPORTED_TIME;
      }
    }
    context.write(result, result === ResultCode.OK ? OutcomeFlag.REPLAYED : 0, 0, handle, ledger);
    if (result === ResultCode.OK) context.setPlace(accounts.offset(handle), accounts.openedAt(handle));
  }

  /** The limits that a command asks for, or why its ledger cannot have them: a limit is never rounded. */
  private readLimits(command: OpenAccountCommand, ledger: LedgerEntry): Limits | ResultCode {
    const { limits } = this.tables;
    const min = readLimit(command.min, 'min', ledger.scale, limits.minimum(ledger.defaultLimits));
    const max = readLimit(command.max, 'max', ledger.scale, limits.maximum(ledger.defaultLimits));
    if (typeof min === 'number') return min;
    return typeof max === 'number' ? max : { min, max };
  }

  private limitRow(asked: Limits, ledger: LedgerEntry): number {
    const { limits } = this.tables;
    const defaults = ledger.defaultLimits;
    const isDefault = asked.min === limits.minimum(defaults) && asked.max === limits.maximum(defaults);
    return isDefault ? defaults : limits.add(asked.min, asked.max);
  }
}

/** A limit's minor units, or why the ledger cannot have it: a limit is never rounded. */
export function readLimit(
  spec: LimitSpec,
  side: 'min' | 'max',
  scale: number,
  byDefault: bigint | undefined,
): bigint | undefined | ResultCode {
  if (spec.kind === 'default') return byDefault;
  if (spec.kind === 'none') return undefined;
  const minor = minorFromLimit(spec.text, side, scale);
  if (typeof minor === 'bigint') return minor;
  return minor === 'amount_too_large' ? ResultCode.AMOUNT_TOO_LARGE : ResultCode.AMOUNT_PRECISION;
}

export function isLimitSpec(spec: LimitSpec, side: 'min' | 'max'): boolean {
  return spec.kind !== 'given' || normaliseLimit(spec.text, side) !== undefined;
}

function isLimit(limit: bigint | undefined, sign: bigint): boolean {
  return limit === undefined || (limit * sign >= 0n && limit * sign <= MAX_MINOR);
}

/**
 * What an account name must be for the state machine: 1 to 128 bytes of UTF-8 without U+0000. That it is NFC and trimmed is
 * the doors' care (see `normaliseName`): those rules grow with the runtime's Unicode version, these never change.
 */
export function isAccountName(bytes: Uint8Array, start: number, length: number): boolean {
  if (length === 0 || length > NAME_MAX_BYTES) return false;
  const name = bytes.subarray(start, start + length);
  return isUtf8(name) && !name.includes(0);
}
