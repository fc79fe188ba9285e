/** Waiting for the next record, but not for ever. */
import { type NodePort } from '../node-port';

/**
 * Resolves to true when the record at `offset` is there, to false when `millis` have passed before. Rejects when `signal` is
 * aborted or the node stops.
 */
export async function arrivalWithin(
  port: NodePort,
  offset: number,
  millis: number,
  signal: AbortSignal,
): Promise<boolean> {
  // Not AbortSignal.any: a signal that lives long keeps something of each one that was made of it.
  const wait = new AbortController();
  const end = (): void => wait.abort();
  const timer = setTimeout(end, millis);
  timer.unref();
  signal.addEventListener('abort', end, { once: true });
  try {
    signal.throwIfAborted();
    await port.waitForOffset(offset, wait.signal);
    return true;
  } catch (error) {
    signal.throwIfAborted();
    if (!wait.signal.aborted) throw error;
    return false;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', end);
  }
}
