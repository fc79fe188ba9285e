/** The transfers of one call, with the linked groups among them (docs/rules-of-money.md, "Linked groups"). */
import { formatId, normaliseId } from '../ledger/identifiers';
import { type OutcomeRow } from '../ledger/outcome-row';
import { type LedgerReader } from '../ledger/reader';
import { ResultCode, resultInfo } from '../ledger/result-codes';
import { type Transfer } from '../proto/ledger-v1';
import { ItemFault, itemFault } from './item-fault';
import { transferCommand, transferId, type TransferItem } from './transfer-item';

/** Transfers of a call that follow one another with the same group. */
export interface GroupRun {
  /** Canonical text of the group's id; as the caller wrote it where that is no id. */
  readonly id: string;
  /** Index of its first transfer in the call. */
  readonly first: number;
  readonly count: number;
}

export interface TransferBatch {
  readonly commands: readonly (TransferItem | ItemFault)[];
  readonly groups: readonly GroupRun[];
}

/**
 * Of a group with one transfer that is refused for its shape nothing goes to the log: that one says why, and the others
 * that it failed.
 */
export function transferBatch(items: readonly Transfer[], reader: LedgerReader): TransferBatch {
  const commands = items.map((item) => transferCommand(item, reader));
  const groups = groupRuns(items);
  const seen = new Set<string>();
  for (const group of groups) {
    link(commands, group, seen.has(group.id) ? itemFault('group_invalid', 'group') : transferId(group.id, reader));
    seen.add(group.id);
  }
  return { commands, groups };
}

function groupRuns(items: readonly Transfer[]): GroupRun[] {
  const runs: GroupRun[] = [];
  for (let first = 0; first < items.length;) {
    const id = groupOf(items[first]);
    let end = first + 1;
    while (id !== '' && end < items.length && groupOf(items[end]) === id) end++;
    if (id !== '') runs.push({ id, first, count: end - first });
    first = end;
  }
  return runs;
}

/** One spelling of the group's id, so that two spellings of one UUID are one group. */
function groupOf(item: Transfer | undefined): string {
  const text = item?.group ?? '';
  const id = text === '' ? undefined : normaliseId(text);
  return id === undefined ? text : formatId(id);
}

function link(commands: (TransferItem | ItemFault)[], group: GroupRun, id: ReturnType<typeof transferId>): void {
  const { first, count } = group;
  const members = commands.slice(first, first + count);
  const isWhole = members.every((member) => !(member instanceof ItemFault));
  members.forEach((member, index) => {
    if (id instanceof ItemFault) {
      commands[first + index] = id.info.name === 'id_invalid' ? itemFault('group_invalid', 'group') : id;
    } else if (member instanceof ItemFault) return;
    else if (isWhole) commands[first + index] = { ...member, group: { id, index, size: count } };
    else commands[first + index] = new ItemFault(resultInfo(ResultCode.LINKED_TRANSFER_FAILED), 'group');
  });
}

/**
 * Index in the call of the transfer that says what became of the group: of one that was done the last, of one that failed
 * the first that has a refusal of its own.
 */
export function decidingMember(group: GroupRun, outcomes: readonly (OutcomeRow | ItemFault)[]): number {
  const { first, count } = group;
  const failed = outcomes.slice(first, first + count).findIndex((outcome) => {
    if (outcome instanceof ItemFault) return outcome.info.name !== 'linked_transfer_failed';
    return outcome.result !== ResultCode.OK && outcome.result !== ResultCode.LINKED_TRANSFER_FAILED;
  });
  return failed < 0 ? first + count - 1 : first + failed;
}
