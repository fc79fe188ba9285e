/** What streams share that follow the node for as long as their reader likes: a slot, an end, a pace. */
import { type ServerWritableStream } from '@grpc/grpc-js';
import { shuttingDown } from '../errors';
import { decoded, type Door, failStream } from './door';
import { drained, lifetimeOf, StreamEnded } from './stream-writer';

export type FollowerCall<Request, Response> = ServerWritableStream<Request, Response>;

/** @param follow ends by what it throws; its `signal` is aborted when the reader leaves or the door closes */
export function followerStream<Request, Response>(
  door: Door,
  name: string,
  follow: (request: Request, call: FollowerCall<Request, Response>, signal: AbortSignal) => Promise<void>,
): (call: FollowerCall<Request, Response>) => void {
  return (call) => {
    const leave = door.calls.enter();
    const lifetime = lifetimeOf(call, door.calls.stopSignal);
    let release: (() => void) | undefined;
    const work = async (): Promise<void> => {
      release = door.followers.take();
      await follow(decoded(call.request), call, lifetime.signal);
    };
    work()
      .catch((error: unknown) => {
        if (call.cancelled) return;
        failStream(call, door.failure(door.calls.stopping ? shuttingDown() : error, name));
      })
      .finally(() => {
        lifetime.release();
        release?.();
        leave();
      });
  };
}

/** Resolves when the stream takes more: no faster than its reader. */
export async function writeTo<Response>(
  call: FollowerCall<unknown, Response>,
  answer: Response,
  signal: AbortSignal,
): Promise<void> {
  if (signal.aborted) throw new StreamEnded();
  if (!call.write(answer)) await drained(call, signal);
}
