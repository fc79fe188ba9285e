/**
 * What the node and the projection's process say to each other over Node's IPC channel (advanced serialization, so that
 * buffers travel as bytes). The process asks for batches, the node answers: it can never be sent more than it asked for. The node asks
 * about the past, so many questions at once ({@link AskedQuestions}).
 */
import { type AsOf, type HistoryQuestion } from '../history';
import { type ProjectorIdentity } from './checkpoint';
import { type ProjectionTarget } from './database';
import { type PastRefusalReason } from './past/past-desk';
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
  | {
      readonly type: 'ask';
      readonly request: number;
      readonly question: HistoryQuestion;
      readonly needs: AsOf;
      /** Milliseconds from now on. */
      readonly deadlineMs: number;
    }
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
  /** An answer as JSON, which costs the node less than a structure would. */
  | { readonly type: 'answered'; readonly request: number; readonly answer: string }
  | {
      readonly type: 'notAnswered';
      readonly request: number;
      readonly reason: PastRefusalReason;
      readonly message: string;
    }
  /** The embedded folder was made; a fresh process needs a quarter of the memory that making it took. */
  | { readonly type: 'startAgain' };

/** Milliseconds between signs of life. */
export const HEARTBEAT = 5_000;
