/** Writing to a stream no faster than its reader takes it. */
import { type ServerDuplexStream, type ServerWritableStream } from '@grpc/grpc-js';

/**
 * Resolves when the stream takes more. Rejects when `signal` is aborted first, or when the stream is gone: a reader that
 * went away never drains.
 */
export function drained(
  call: ServerWritableStream<unknown, unknown> | ServerDuplexStream<unknown, unknown>,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = (act: () => void) => (): void => {
      call.off('drain', onDrain);
      signal.removeEventListener('abort', onAbort);
      act();
    };
    const onDrain = done(resolve);
    const onAbort = done(() => reject(new StreamEnded()));
    call.once('drain', onDrain);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
  });
}

/** The reader left, or the door closes: nothing more is to be written. */
export class StreamEnded extends Error {
  override readonly name = 'StreamEnded';

  constructor() {
    super('The stream ended while it was being written.');
  }
}

/** Aborted when the caller leaves or the deadline passes, or when `outer` is. `release` undoes the listening. */
export function lifetimeOf(
  call: ServerWritableStream<unknown, unknown> | ServerDuplexStream<unknown, unknown>,
  outer: AbortSignal,
): { signal: AbortSignal; release: () => void } {
  const own = new AbortController();
  const end = (): void => own.abort();
  call.once('cancelled', end);
  call.once('close', end);
  outer.addEventListener('abort', end, { once: true });
  if (outer.aborted || call.cancelled) end();
  return {
    signal: own.signal,
    release: () => {
      call.off('cancelled', end);
      call.off('close', end);
      outer.removeEventListener('abort', end);
    },
  };
}
