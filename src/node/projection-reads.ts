import { NodeError, type NodeErrorCode, type RowsAnswer, type RowsRequest } from '../api/node-port';
import { ReadRefusedError, type ReadFailure } from '../ledger/projection/read-rows';
import { type NodeProjection } from './projection';

/** What a door answers for each reason that the projection gives. */
const FAULTS: Readonly<Record<ReadFailure, readonly [NodeErrorCode, string]>> = {
  refused: ['INVALID_ARGUMENT', 'SQL_REFUSED'],
  late: ['DEADLINE_EXCEEDED', 'SQL_TIMEOUT'],
  busy: ['RESOURCE_EXHAUSTED', 'OVERLOADED'],
  unavailable: ['UNAVAILABLE', 'PROJECTION_UNAVAILABLE'],
};

/**
 * Reads rows of the projection, once they reflect the batch at `atLeastIndex`.
 * @throws NodeError
 */
export async function readProjection(
  projection: NodeProjection | undefined,
  request: RowsRequest,
  atLeastIndex: number,
  deadlineMs: number,
): Promise<RowsAnswer> {
  if (!projection) {
    throw new NodeError('UNAVAILABLE', 'PROJECTION_UNAVAILABLE', 'This node keeps no rows, or has just started.');
  }
  const until = performance.now() + deadlineMs;
  try {
    await projection.reached(atLeastIndex, deadlineMs);
    const timeoutMs = Math.max(1, until - performance.now());
    return await projection.read({ parameters: [], ...request, timeoutMs });
  } catch (error) {
    if (!(error instanceof ReadRefusedError)) throw error;
    const [code, reason] = FAULTS[error.reason];
    throw new NodeError(code, reason, error.message, { cause: error });
  }
}
