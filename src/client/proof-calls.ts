/** Proofs of transfers, and the keys of the nodes that sign them. */
import { clientDefinition } from '../proto/load';
import { type SignedHead as WireHead } from '../proto/ledger-v1';
import { type SignedHead } from '../proof/signed-head';
import { type TransferProof } from '../proof/transfer-proof';
import { type Caller } from './caller';
import { LedgerError } from './errors';

const LEDGER = clientDefinition('ledger.v1.Ledger');

/** Of any server: each has all of the log and its own key. Checking it is `verifyProof`. */
export async function transferProof(caller: Caller, id: string, timeoutMs: number): Promise<TransferProof> {
  const answer = await caller.call({ target: 'follower', kind: 'read', timeoutMs }, (server, time) =>
    server.unary(LEDGER.GetProof, { id }, time),
  );
  const { batch, record, outcomes, path } = answer;
  return { id: answer.id, batch, record, outcomes, path, head: headOf(answer.head) };
}

function headOf(head: WireHead | null): SignedHead {
  if (head === null) throw new LedgerError('INTERNAL', 'MALFORMED_ANSWER', 'The proof has no head.');
  const { cluster_id, node_id, group, root, public_key, signature } = head;
  return {
    ...{ clusterId: cluster_id, nodeId: node_id, group, root, publicKey: public_key, signature },
    ...{ size: Number(head.size), nextOffset: Number(head.next_offset), time: Number(head.time) },
  };
}
