/** Transfers as a caller says them, whatever the door, and what the model is told of them. */
import {
  type AccountRef,
  type GroupPlace,
  type ReferringCommand,
  type TransferCommand,
} from '../../../src/ledger/commands';
import { type TransferId } from '../../../src/ledger/identifiers';

export interface Said {
  readonly id: string;
  readonly kind: 'plain' | 'pending' | 'post' | 'void' | 'reverse';
  /** The transfer that it posts, voids or reverses; empty: none. */
  readonly refersTo: string;
  /** Names; empty: left to the transfer that it refers to. */
  readonly from: string;
  readonly to: string;
  /** A plain decimal; empty: all of it. */
  readonly amount: string;
  readonly ledger: string;
  readonly balancing: boolean;
  readonly code: number;
  readonly userData: bigint;
  readonly metadata: string;
  readonly timeoutMs: number;
  readonly effectiveTime: number;
  readonly importedTime: number;
  /** What every door has to call it, where it has a fault that needs no state. */
  readonly fault: string | undefined;
}

/** Transfers of one linked group, or one that stands alone. */
export interface Unit {
  readonly group: string;
  readonly transfers: readonly Said[];
}

export type TransferCommandSaid = TransferCommand | ReferringCommand;

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const PENDING = 1;
const BALANCING = 8;

export function isUuid(id: string): boolean {
  return UUID.test(id);
}

function idOf(text: string): TransferId {
  return isUuid(text) ? { kind: 'uuid', bytes: Buffer.from(text.replaceAll('-', ''), 'hex') } : { kind: 'text', text };
}

export function commandsOf(unit: Unit): TransferCommandSaid[] {
  const size = unit.transfers.length;
  return unit.transfers.map((said, index) =>
    commandOf(said, unit.group === '' ? undefined : { id: idOf(unit.group), index, size }),
  );
}

export function commandOf(said: Said, group?: GroupPlace): TransferCommandSaid {
  const ref = (name: string): AccountRef | undefined => (name === '' ? undefined : { name });
  const rest = {
    ...{ id: idOf(said.id), ledger: said.ledger, code: said.code, userData: said.userData, group },
    ...{ metadata: Buffer.from(said.metadata), effectiveTime: said.effectiveTime, importedTime: said.importedTime },
  };
  const [debit, credit] = [ref(said.from), ref(said.to)];
  const amount = said.amount === '' ? undefined : { text: said.amount };
  if (said.kind !== 'plain' && said.kind !== 'pending') {
    return { kind: 'refer', action: said.kind, to: idOf(said.refersTo), debit, credit, amount, ...rest };
  }
  if (debit === undefined || credit === undefined || amount === undefined) throw new Error('It says too little.');
  const flags = (said.kind === 'pending' ? PENDING : 0) + (said.balancing ? BALANCING : 0);
  return { kind: 'transfer', debit, credit, amount, flags, timeoutMs: said.timeoutMs, ...rest };
}
