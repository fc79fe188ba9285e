/** Proofs and heads as the description of the API has them. */
import { consistency, error, json, path, unavailable, UUID } from './openapi-parts';

const HEAD = {
  ...{ cluster: 'ab'.repeat(16), group: 0, node: 'cd'.repeat(8), size: 42, root: '0f'.repeat(32), offset: 41 },
  ...{
    time: 1700000000000000,
    publicKey: 'L89cA6iICgXcq6NEVDWNTImAF00DTmXEEddnxUESlVg=',
    signature: 'WA/dfRnwCMKl8v2h…',
  },
};

export function proofPaths(): Record<string, object> {
  const proof = {
    format: 'ledger-node/proof/1',
    id: UUID,
    record: 0,
    batch: 'MUxOQg…',
    outcomes: 'AAAGgA…',
    path: [],
    head: HEAD,
  };
  return {
    '/api/v1/transfers/{request_id}/proof': {
      get: {
        operationId: 'getProof',
        summary: 'The proof that a transfer is in the log and what was decided of it; `ledger verify-proof` checks it',
        parameters: [path('request_id', 'The id, percent-encoded.', UUID), ...consistency()],
        responses: {
          200: json('Proof', 'The proof.', proof),
          404: json('Error', 'No such transfer.', error('transfer_not_found', 'No transfer with this id was done.')),
          ...unavailable(),
        },
      },
    },
    '/api/v1/head': {
      get: {
        operationId: 'getHead',
        summary: 'What this node says of the whole log up to what it has applied, signed with its key',
        responses: { 200: json('Head', 'The signed head.', HEAD), ...unavailable() },
      },
    },
  };
}
