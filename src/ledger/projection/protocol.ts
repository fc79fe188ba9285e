/**
 * What the node and the projection's process say to each other over Node's IPC channel (advanced serialization, so that
 * buffers travel as bytes). The process asks, the node answers: it can never be sent more than it asked for.
 */
import { type ProjectorIdentity } from './checkpoint';
import { type ProjectionTarget } from './database';
import { type ReadAnswer, type ReadFailure, type ReadRequest } from './read-rows';
import { type Fetched, type ProjectionStatus } from './source';

export interface ProjectionConfig extends ProjectorIdentity {
  readonly target: ProjectionTarget;
}

export type ToChild =
  /** First of all. Not in the arguments or the environment: a URL may hold a password. */
  | ({ readonly type: 'configure' } & ProjectionConfig)
  | ({ readonly type: 'fetched'; readonly request: number } & Fetched)
  | { readonly type: 'fetchFailed'; readonly request: number; readonly message: string }
  /** Somebody wants to read the rows; up to as many at a time as the process refuses to take more than. */
  | ({ readonly type: 'read'; readonly number: number } & ReadRequest)
  /** Finish the transaction that is in flight, close, exit. */
  | { readonly type: 'stop' };

export type FromChild =
  /** One outstanding at a time. */
  | {
      readonly type: 'fetch';
      readonly request: number;
      readonly group: number;
      readonly fromIndex: number;
      readonly maxBytes: number;
    }
  | ({ readonly type: 'readDone'; readonly number: number } & ReadAnswer)
  | { readonly type: 'readFailed'; readonly number: number; readonly reason: ReadFailure; readonly message: string }
  /** On every change, and every few seconds as a sign of life. */
  | { readonly type: 'status'; readonly status: ProjectionStatus }
  /** The embedded folder was made; a fresh process needs a quarter of the memory that making it took. */
  | { readonly type: 'startAgain' };

/** Milliseconds between signs of life. */
export const HEARTBEAT = 5_000;
