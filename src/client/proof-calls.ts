/** Proofs of transfers, and the keys of the nodes that sign them. */
import { clientDefinition } from '../proto/load';
import { type SignedHead as WireHead } from '../proto/ledger-v1';
import { type SignedHead } from '../proof/signed-head';
import { type TransferProof } from '../proof/transfer-proof';
import { type Caller } from './caller';
import { serverNamed } from './cluster-calls';
import { type Directory } from './directory';
import { LedgerError } from './errors';
import { type ConsistencyOut } from './wire-views';

const LEDGER = clientDefinition('ledger.v1.Ledger');

/** Of any server: each has all of the log and its own key. Checking it is `verifyProof`. */
export async function transferProof(
  caller: Caller,
  id: string,
  consistency: ConsistencyOut,
  timeoutMs: number,
): Promise<TransferProof> {
  const answer = await caller.call({ target: 'follower', kind: 'read', timeoutMs }, (server, time) =>
    server.unary(LEDGER.GetProof, { id, consistency }, time),
  );
  const { batch, record, outcomes, path } = answer;
  return { id: answer.id, batch, record, outcomes, path, head: headOf(answer.head) };
}

/**
 * What one server says of its whole log, as far as it has applied it. No other server is asked in its place: it is that node's word.
 * @param name or address of the server; empty: the first one that the client was given
 */
export async function signedHead(directory: Directory, name: string, timeoutMs: number): Promise<SignedHead> {
  return headOf(await serverNamed(directory, name).unary(LEDGER.GetHead, {}, timeoutMs));
}

function headOf(head: WireHead | null): SignedHead {
  if (head === null) throw new LedgerError('INTERNAL', 'MALFORMED_ANSWER', 'The answer has no head.');
  const { cluster_id, node_id, group, root, public_key, signature } = head;
  return {
    ...{ clusterId: cluster_id, nodeId: node_id, group, root, publicKey: public_key, signature },
    ...{ size: Number(head.size), nextOffset: Number(head.next_offset), time: Number(head.time) },
  };
}
