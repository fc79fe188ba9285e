/** What the past answers, as the doors show what is there now. */
import { type PastTransfer } from '../ledger/history';
import { type LedgerReader, type TransferView } from '../ledger/reader';
import { resultCodeByName } from '../ledger/result-codes';

export function transferViewOf(past: PastTransfer, reader: LedgerReader): TransferView {
  const { hold, ledger, metadata, moved, result, refersTo, effectiveTime, importedTime, group } = past;
  const code = resultCodeByName(result);
  if (code === undefined) throw new Error(`The projection has a transfer with the result "${result}", which is none.`);
  return {
    ...past,
    ledger: ledger === '' ? undefined : reader.ledger(ledger),
    moved: minorOf(moved),
    result: code,
    userData: BigInt(past.userData),
    metadata: Buffer.from(metadata, 'hex'),
    ...{ refersTo, effectiveTime, importedTime, group },
    hold: hold && {
      ...{ number: hold.number, status: hold.status, amount: minorOf(hold.amount), transferId: past.id },
      ...{ expiresAt: hold.expiresAt, resolvedBy: hold.resolvedBy },
    },
  };
}

/** Of text at the ledger's scale. */
function minorOf(text: string): bigint {
  return BigInt(text.replace('.', ''));
}
