import type { ClientReadableStream } from '@grpc/grpc-js';
import { Connection } from '../../client/connection';
import { fromServiceError, LedgerError } from '../../client/errors';
import { StartupError } from '../../node/startup-error';
import { clientDefinition } from '../../proto/load';
import type { BackupChunk } from '../../proto/cluster-v1';

const CONNECT_MILLIS = 5_000;

/**
 * The backup of what one running node holds, as it comes. No deadline: it takes as long as the log is large.
 * @throws StartupError where the node does not give it
 */
export async function* onlineBackup(
  address: string,
  onExpected: (bytes: number) => void,
): AsyncGenerator<Buffer, void, undefined> {
  const connection = new Connection(address, { leaderNamed: () => undefined });
  let stream: ClientReadableStream<BackupChunk> | undefined;
  try {
    await connection.untilReady(CONNECT_MILLIS);
    stream = connection.openServerStream(clientDefinition('cluster.v1.Cluster').Backup, {});
    for await (const chunk of stream as AsyncIterable<BackupChunk>) {
      const expected = Number(chunk.expected_bytes);
      if (expected > 0) onExpected(expected);
      yield chunk.data;
    }
  } catch (error) {
    const known = error instanceof LedgerError ? error : refusal(error, address);
    if (!known) throw error;
    throw new StartupError(`no backup from ${address}: ${known.reason.toLowerCase()}: ${known.message}`, 1);
  } finally {
    stream?.cancel();
    connection.close();
  }
}

function refusal(error: unknown, address: string): LedgerError | undefined {
  if (!(error instanceof Error) || !('code' in error) || !('details' in error)) return undefined;
  return fromServiceError(error as Parameters<typeof fromServiceError>[0], address);
}
