/** Proofs of transfers and signed heads, as every door gives them. */
import { formatId, normaliseId } from '../ledger/identifiers';
import { type SignedHead } from '../proof/signed-head';
import { type TransferProof } from '../proof/transfer-proof';
import { type Budget, within } from './deadline';
import { Fault, faultOfResult, notFound, refusalInfo } from './errors';
import { type Consistency, type NodePort } from './node-port';
import { readAt } from './reads';

/** Rejects with the fault where there is no such transfer, or the part of the log that the proof needs is gone. */
export async function proofOf(
  port: NodePort,
  text: string,
  consistency: Consistency,
  budget: Budget,
): Promise<TransferProof> {
  if (port.prove === undefined) throw unavailable();
  const id = normaliseId(text);
  if (id === undefined) throw faultOfResult(refusalInfo('id_invalid'), 'id');
  const { value } = await readAt(port, consistency, budget, (reader) => reader.transferById(id));
  if (value === undefined)
    throw notFound('TRANSFER_NOT_FOUND', 'No transfer with this id was done or refused for good.');
  return within(port.prove(formatId(id), value.offset, budget.workMs), budget.patienceMs, 'read');
}

export function headOf(port: NodePort): SignedHead {
  if (port.head === undefined) throw unavailable();
  return port.head();
}

function unavailable(): Fault {
  return new Fault('UNIMPLEMENTED', 'UNIMPLEMENTED', 'Proofs are not available in this version.');
}
