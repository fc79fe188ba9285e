/** `ledger.v1.Ledger`, GetProof and GetHead. */
import { type GetProofRequest, type GetProofResponse, type SignedHead as HeadMessage } from '../../proto/ledger-v1';
import { type Int64 } from '../../proto/log-v1';
import { type SignedHead } from '../../proof/signed-head';
import { type Budget } from '../deadline';
import { headOf, proofOf } from '../transfer-proof';
import { type Door } from './door';
import { consistencyIn } from './ledger-codec';

export async function getProof(door: Door, request: GetProofRequest, budget: Budget): Promise<GetProofResponse<Int64>> {
  const proof = await proofOf(door.port, request.id, consistencyIn(request.consistency), budget);
  const { id, batch, record, outcomes, path, head } = proof;
  return { id, batch, record, outcomes, path: [...path], head: headOut(head) };
}

export function getHead(door: Door): HeadMessage<Int64> {
  return headOut(headOf(door.port));
}

function headOut({ clusterId, nodeId, nextOffset, publicKey, ...rest }: SignedHead): HeadMessage<Int64> {
  return { ...rest, cluster_id: clusterId, node_id: nodeId, next_offset: nextOffset, public_key: publicKey };
}
