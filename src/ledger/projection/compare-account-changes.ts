/** What a row of `ledger.account_changes` has to say: the terms of the account before and after, in the order of the log. */
import { minorFromLimit } from '../amounts';
import { type LimitSpec, type UpdateAccountCommand } from '../command-codec';
import { type AccountView, type LedgerReader, type LedgerView } from '../reader';
import { ResultCode, resultName } from '../result-codes';
import { type DecidedRecord, isMalformed, type LogRecord } from './compare-records';
import { type ComparedTable, type ExpectedRow } from './compare-table';
import { type Expected, minorOrNull, numberOrNull } from './compare-text';
import { type RecordPlace } from './compare-transfer-row';

const COLUMNS = [
  ...['partition', 'time', 'result', 'account', 'unknown_account', 'min_balance_before', 'max_balance_before'],
  ...['closed_before', 'min_balance', 'max_balance', 'closed'],
];

export const CHANGE_TABLE: ComparedTable = {
  what: 'change of an account',
  name: 'compared_changes',
  columns: COLUMNS,
  select: `SELECT log_offset, ${COLUMNS.join(', ')} FROM ledger.account_changes`,
  partition: 'partition',
  offset: 'log_offset',
};

interface Terms {
  readonly ledger: LedgerView;
  readonly min: bigint | undefined;
  readonly max: bigint | undefined;
  readonly closed: boolean;
}

/** The changes of one batch. */
export class AccountChanges {
  private readonly terms = new Map<number, Terms>();
  private readonly hasAny: boolean;

  /** @param before of the state before the batch */
  constructor(records: readonly LogRecord[], before: LedgerReader) {
    const changes = records.flatMap(({ command }) => (command?.kind === 'update_account' ? [command] : []));
    this.hasAny = changes.length > 0;
    for (const { account: named } of changes) {
      const view = 'name' in named ? before.account(named.name) : before.accountByHandle(named.handle);
      if (view) this.terms.set(view.handle, termsOf(view));
    }
  }

  /** @param reader of the state after the batch */
  rows(records: readonly DecidedRecord[], reader: LedgerReader, place: RecordPlace): ExpectedRow[] {
    if (!this.hasAny) return [];
    return records.flatMap((record) => {
      if (isMalformed(record)) return [];
      if (record.command?.kind === 'update_account') return [this.change(record, record.command, place)];
      this.open(record, reader);
      return [];
    });
  }

  private change({ offset, outcome }: DecidedRecord, command: UpdateAccountCommand, place: RecordPlace): ExpectedRow {
    const { creditHandle: handle, result } = outcome;
    const before = this.terms.get(handle);
    const after = before && result === ResultCode.OK ? changed(before, command) : before;
    if (after) this.terms.set(handle, after);
    const { account: named } = command;
    const unknown = handle !== 0 ? null : 'name' in named ? named.name : `#${named.handle}`;
    const values = [
      ...[String(place.group), place.time, resultName(result), numberOrNull(handle), unknown],
      ...columnsOf(before),
      ...columnsOf(after),
    ];
    return { offset, values };
  }

  /** One that the batch itself opens is not in the state before it. */
  private open({ command, outcome }: DecidedRecord, reader: LedgerReader): void {
    const ledger = reader.ledgerByNumber(outcome.ledgerNumber);
    if (!ledger) return;
    const asLedger = { ledger, min: ledger.defaultMinBalance, max: ledger.defaultMaxBalance, closed: false };
    if (outcome.openedDebit) this.terms.set(outcome.debitHandle, asLedger);
    if (outcome.openedCredit) this.terms.set(outcome.creditHandle, asLedger);
    if (command?.kind !== 'open_account' || outcome.result !== ResultCode.OK) return;
    const { max, min } = command;
    this.terms.set(outcome.creditHandle, {
      ...asLedger,
      min: limitOf(min, 'min', ledger),
      max: limitOf(max, 'max', ledger),
    });
  }
}

function termsOf({ closed, ledger, maxBalance, minBalance }: AccountView): Terms {
  return { ledger, min: minBalance, max: maxBalance, closed };
}

function changed(terms: Terms, { closed, max, min }: UpdateAccountCommand): Terms {
  const { ledger } = terms;
  return {
    ledger,
    min: min === undefined ? terms.min : limitOf(min, 'min', ledger),
    max: max === undefined ? terms.max : limitOf(max, 'max', ledger),
    closed: closed ?? terms.closed,
  };
}

function limitOf(spec: LimitSpec, side: 'min' | 'max', ledger: LedgerView): bigint | undefined {
  if (spec.kind === 'none') return undefined;
  if (spec.kind === 'default') return side === 'min' ? ledger.defaultMinBalance : ledger.defaultMaxBalance;
  const minor = minorFromLimit(spec.text, side, ledger.scale);
  if (typeof minor !== 'bigint') throw new Error(`The replay accepted "${spec.text}" as a limit (${side}): ${minor}.`);
  return minor;
}

function columnsOf(terms: Terms | undefined): Expected[] {
  if (terms === undefined) return [null, null, null];
  const { closed, ledger, max, min } = terms;
  return [minorOrNull(min, ledger.scale), minorOrNull(max, ledger.scale), closed ? 't' : 'f'];
}
