/** `cluster.v1.Cluster.Backup`: what the node holds, no faster than the reader takes it. */
import { type ServerWritableStream } from '@grpc/grpc-js';
import { type BackupChunkOut } from '../../proto/cluster-v1';
import { within } from '../deadline';
import { shuttingDown } from '../errors';
import { decoded, type Door, failStream, notBuilt } from './door';
import { drained, lifetimeOf, StreamEnded } from './stream-writer';

type Call = ServerWritableStream<object, BackupChunkOut>;

/** A message has at most 4 MiB. */
const CHUNK_BYTES = 1024 * 1024;

export function backupStream(door: Door): (call: Call) => void {
  return (call) => {
    const leave = door.calls.enter();
    const lifetime = lifetimeOf(call, door.calls.stopSignal);
    send(door, call, lifetime.signal)
      .then(() => call.end())
      .catch((error: unknown) => {
        if (call.cancelled) return;
        failStream(call, door.failure(door.calls.stopping ? shuttingDown() : error, 'Backup'));
      })
      .finally(() => {
        lifetime.release();
        leave();
      });
  };
}

async function send(door: Door, call: Call, signal: AbortSignal): Promise<void> {
  decoded(call.request);
  if (door.port.backup === undefined) throw notBuilt('Backup');
  const budget = door.stepBudget(call);
  const backup = await within(door.port.backup(budget.workMs), budget.patienceMs, 'read');
  try {
    call.sendMetadata(door.leaderMetadata());
    let expected = backup.expectedBytes;
    for await (const piece of backup.bytes) {
      for (let at = 0; at < piece.length; at += CHUNK_BYTES) {
        if (signal.aborted) throw new StreamEnded();
        const message = { data: piece.subarray(at, at + CHUNK_BYTES), expected_bytes: expected };
        expected = 0;
        if (!call.write(message)) await drained(call, signal);
      }
    }
  } finally {
    await backup.close();
  }
}
