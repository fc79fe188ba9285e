import { parseUuid } from '../ledger/identifiers';
import { PACKED_ROW_BYTES, writePackedRow } from '../ledger/packed-rows';
import { TransferFlag } from '../ledger/transfer-fields';
import { invalidArgument } from './errors';
import { type UInt64 } from './types';
import { uuidV7 } from './uuid-v7';

/** A transfer that fits a packed row: a UUID, handles, minor units. */
export interface PackableTransfer {
  /** Left out: a new UUIDv7. */
  readonly id?: string;
  readonly debitHandle: UInt64;
  readonly creditHandle: UInt64;
  /** Minor units: 50n is 0.50 at scale 2. */
  readonly amountMinor: bigint;
  readonly code?: number;
  readonly userData?: bigint;
  /** Holds the amount until it is posted or voided. */
  readonly pending?: boolean;
  /** Moves, or holds, what the payer has, up to the amount; `amounts` of the answer says how much it was. */
  readonly balancing?: boolean;
}

/** Rows for `submitRows`, in the order given. */
export function packTransfers(transfers: readonly PackableTransfer[]): Buffer {
  const rows = Buffer.alloc(transfers.length * PACKED_ROW_BYTES);
  transfers.forEach((transfer, i) => {
    const { id = uuidV7(), debitHandle, creditHandle, amountMinor, code = 0, userData = 0n } = transfer;
    const bytes = parseUuid(id);
    if (bytes === undefined) throw invalidArgument(`Only a UUID fits a packed row, not the id "${id}".`);
    writePackedRow(rows, i * PACKED_ROW_BYTES, {
      ...{ id: bytes, debitHandle: Number(debitHandle), creditHandle: Number(creditHandle) },
      ...{ amount: amountMinor, userData, code, flags: flagsOf(transfer) },
    });
  });
  return rows;
}

function flagsOf({ pending = false, balancing = false }: PackableTransfer): number {
  return (pending ? TransferFlag.PENDING : 0) | (balancing ? TransferFlag.BALANCING : 0);
}
