import { HOLD_WORDS } from './hold-table';
import { type TransferTable } from './transfer-table';

const OLD_HOLD_WORDS = 12;

/**
 * Holds of a snapshot of version 2, as they are today: their accounts stood only in the rows of their transfers, all of which
 * such a snapshot has in front of them.
 */
export function takeOldHolds(body: Buffer, transfers: TransferTable): Buffer {
  const rows = Math.floor(body.length / (OLD_HOLD_WORDS * 4));
  const rest = body.subarray(rows * OLD_HOLD_WORDS * 4);
  // Memory of its own, so that it lies on words.
  const bytes = Buffer.from(new ArrayBuffer(rows * HOLD_WORDS * 4 + rest.length));
  const holds = new Uint32Array(bytes.buffer, 0, rows * HOLD_WORDS);
  for (let i = 0; i < rows; i++) {
    const at = i * HOLD_WORDS;
    for (let j = 0; j < OLD_HOLD_WORDS; j++) holds[at + j] = body.readUInt32LE((i * OLD_HOLD_WORDS + j) * 4);
    const transfer = holds[at] as number;
    if (transfer >= transfers.count) continue;
    holds[at + OLD_HOLD_WORDS] = transfers.debit(transfer);
    holds[at + OLD_HOLD_WORDS + 1] = transfers.credit(transfer);
  }
  // Part of a row at the end is left to whoever takes it to refuse.
  rest.copy(bytes, rows * HOLD_WORDS * 4);
  return bytes;
}
