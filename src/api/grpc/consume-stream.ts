/**
 * `log.v1.Log.ConsumeStream`: records from an offset on, for ever. At the end of the log it waits to be told of more; it
 * reads no further ahead than one page, and writes no faster than the reader takes.
 */
import { type ServerWritableStream } from '@grpc/grpc-js';
import { type ConsumeRequest, type ConsumeResponseOut } from '../../proto/log-v1';
import { within } from '../deadline';
import { shuttingDown } from '../errors';
import { type LogRecordView, type RecordPage } from '../node-port';
import { decoded, type Door, failStream } from './door';
import { offsetOf, outsideLog, recordOut } from './record-codec';
import { drained, lifetimeOf, StreamEnded } from './stream-writer';

/** Bytes of records that are read at once. */
const PAGE_BYTES = 1024 * 1024;

type Call = ServerWritableStream<ConsumeRequest, ConsumeResponseOut>;

export function consumeStream(door: Door): (call: Call) => void {
  return (call) => {
    const leave = door.calls.enter();
    const lifetime = lifetimeOf(call, door.calls.stopSignal);
    follow(door, call, lifetime.signal)
      .catch((error: unknown) => {
        if (call.cancelled) return;
        failStream(call, door.failure(door.calls.stopping ? shuttingDown() : error, 'ConsumeStream'));
      })
      .finally(() => {
        lifetime.release();
        leave();
      });
  };
}

/** Never resolves: it ends by what it throws. */
async function follow(door: Door, call: Call, signal: AbortSignal): Promise<never> {
  let next = offsetOf(decoded(call.request).offset);
  call.sendMetadata(door.leaderMetadata());
  for (;;) {
    if (signal.aborted) throw new StreamEnded();
    const page = await readPage(door, call, next);
    if (page.records.length === 0) {
      if (next < page.firstOffset) throw outsideLog(next, page);
      await door.port.waitForOffset(next, signal);
      continue;
    }
    await writeAll(call, page.records, signal);
    next = page.records.at(-1)!.offset + 1;
  }
}

function readPage(door: Door, call: Call, from: number): Promise<RecordPage> {
  const budget = door.stepBudget(call);
  return within(door.port.readRecords(from, PAGE_BYTES, budget.workMs), budget.patienceMs, 'read');
}

async function writeAll(call: Call, records: readonly LogRecordView[], signal: AbortSignal): Promise<void> {
  for (const record of records) {
    if (signal.aborted) throw new StreamEnded();
    if (!call.write({ record: recordOut(record) })) await drained(call, signal);
  }
}
