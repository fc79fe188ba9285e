/** Which records of the log a reader wants: decided here, so that what it does not want never leaves the node. */
import { type AccountRef, type Command } from '../../ledger/command-codec';
import { isLedgerCode, normaliseName } from '../../ledger/identifiers';
import { type LedgerReader } from '../../ledger/reader';
import { decodeLogRecord, type LogRecord } from '../../ledger/record-value';
import { resultCodeByName, resultName } from '../../ledger/result-codes';
import { RecordType } from '../../log/chunk';
import { faultOfResult, invalid, refusalInfo } from '../errors';
import { type Limits } from '../limits';
import { type LogRecordView } from '../node-port';

/** What the caller asked for; of each list one has to fit, an empty one fits everything. */
export interface FilterRequest {
  readonly types: readonly number[];
  readonly commands: readonly string[];
  readonly ledgers: readonly string[];
  /** Names. */
  readonly accounts: readonly string[];
  /** Decimal text. */
  readonly handles: readonly string[];
  readonly results: readonly string[];
}

const COMMANDS = new Set([
  ...['create_ledger', 'open_account', 'transfer', 'update_account', 'expire_hold', 'set_dedup_age', 'undecodable'],
]);
const TYPES: ReadonlySet<number> = new Set([RecordType.Value, RecordType.Ledger]);

/** One filter of one reader. */
export class RecordFilter {
  private readonly types: ReadonlySet<number>;
  private readonly commands: ReadonlySet<string>;
  private readonly ledgers: ReadonlySet<string>;
  private readonly results: ReadonlySet<string>;
  private readonly names: ReadonlySet<string>;
  private readonly handles: Set<number>;
  /** Names whose handle is not known yet: such an account may be opened later. */
  private readonly unresolved: Set<string>;
  private readonly wantsLedgerOnly: boolean;
  private readonly wantsAccounts: boolean;

  /** Throws INVALID_ARGUMENT for what no record can ever be. */
  constructor(request: FilterRequest, limits: Limits) {
    checkCount(request, limits);
    this.types = new Set(request.types.map(checkedType));
    this.commands = new Set(request.commands.map(checkedCommand));
    this.ledgers = new Set(request.ledgers.map(checkedLedger));
    this.results = new Set(request.results.map(checkedResult));
    this.names = new Set(request.accounts.map(checkedName));
    this.handles = new Set(request.handles.map(checkedHandle));
    this.unresolved = new Set(this.names);
    this.wantsAccounts = this.names.size + this.handles.size > 0;
    this.wantsLedgerOnly = this.wantsAccounts || this.commands.size + this.ledgers.size + this.results.size > 0;
  }

  /** @param ledger a state that is at least as new as the record, so that every account in it has its handle */
  matches(record: LogRecordView, ledger: LedgerReader): boolean {
    if (this.types.size > 0 && !this.types.has(record.type)) return false;
    if (!this.wantsLedgerOnly) return true;
    if (record.type !== RecordType.Ledger) return false;
    const content = decodeLogRecord(record.value);
    if (content === undefined) throw new Error(`The record at offset ${record.offset} is no LogRecord.`);
    const { command, outcome } = content;
    if (this.commands.size > 0 && !this.commands.has(commandName(command))) return false;
    if (this.ledgers.size > 0 && !this.ledgers.has(outcome?.ledger ?? '')) return false;
    if (this.results.size > 0 && (!outcome || !this.results.has(resultName(outcome.result)))) return false;
    return !this.wantsAccounts || this.concerns(content, ledger);
  }

  private concerns({ command, outcome }: LogRecord, ledger: LedgerReader): boolean {
    for (const name of this.unresolved) {
      const account = ledger.account(name);
      if (account === undefined) continue;
      this.handles.add(account.handle);
      this.unresolved.delete(name);
    }
    if (outcome && (this.handles.has(outcome.debitHandle) || this.handles.has(outcome.creditHandle))) return true;
    // A record that was refused may name accounts that there are not: only the command tells.
    return partiesOf(command).some((party) =>
      'name' in party ? this.names.has(party.name) : this.handles.has(party.handle),
    );
  }
}

function commandName(command: Command | undefined): string {
  if (command === undefined) return 'undecodable';
  return command.kind === 'refer' ? 'transfer' : command.kind;
}

function partiesOf(command: Command | undefined): readonly AccountRef[] {
  switch (command?.kind) {
    case 'transfer':
    case 'refer':
      return [command.debit, command.credit].filter((party) => party !== undefined);
    case 'open_account':
      return [{ name: command.name }];
    case 'update_account':
      return [command.account];
    default:
      return [];
  }
}

function checkCount(request: FilterRequest, limits: Limits): void {
  const { types, commands, ledgers, accounts, handles, results } = request;
  const count = [types, commands, ledgers, accounts, handles, results].reduce((sum, list) => sum + list.length, 0);
  if (count <= limits.pageItems) return;
  const message = `A filter has at most ${limits.pageItems} items, not ${count}.`;
  throw invalid('filter', 'FILTER_TOO_LARGE', message);
}

function checkedType(type: number): number {
  if (TYPES.has(type)) return type;
  throw unfit('types', `There are records of the types 0 and 1, not ${type}.`);
}

function checkedCommand(command: string): string {
  if (COMMANDS.has(command)) return command;
  throw unfit('commands', `There is no command ${JSON.stringify(command)}; there are ${[...COMMANDS].join(', ')}.`);
}

function checkedLedger(code: string): string {
  if (isLedgerCode(code)) return code;
  throw unfit('ledgers', `${JSON.stringify(code)} is no code of a ledger.`);
}

function checkedResult(name: string): string {
  if (resultCodeByName(name) !== undefined) return name;
  throw unfit('results', `There is no result ${JSON.stringify(name)} in the log; docs/errors.md names them.`);
}

function checkedName(name: string): string {
  const normal = normaliseName(name);
  if (normal === undefined) throw faultOfResult(refusalInfo('account_name_invalid'), 'filter.accounts');
  return normal;
}

function checkedHandle(text: string): number {
  const handle = Number(text);
  if (/^\d{1,16}$/.test(text) && Number.isSafeInteger(handle) && handle > 0) return handle;
  throw unfit('handles', `${JSON.stringify(text)} is no handle of an account.`);
}

function unfit(field: string, message: string): Error {
  return invalid(`filter.${field}`, 'FILTER_INVALID', message);
}
