import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { NodeError, type Rehearsal } from '../../api/node-port';
import type { ArchivedRow } from '../../ledger/row-archive';
import { memoryOf, packFound } from './found-rows';
import {
  type FromRehearsal,
  type RehearsalData,
  rehearsalEnded,
  tooLarge,
  type ToRehearsal,
} from './rehearsal-protocol';

/** Of the state that are handed over at a stroke: reading and copying them takes about a millisecond. */
const PIECE_BYTES = 512 << 10;
/** Handed over and not read yet. */
const MOST_UNREAD_BYTES = 8 << 20;
/** Mebibytes of the thread's JavaScript heap: one batch as objects. Tables lie outside of it. */
const HEAP_LIMIT = 512;

/** A state at one moment, for somebody to make a copy of. */
export interface RehearsalSource {
  readonly hashSeed: number;
  /** As LedgerState.snapshot. */
  readonly frames: Iterable<Buffer>;
  /** Rows that it leaves to the archive, and the hash behind the last of them. */
  readonly archived: number;
  readonly chain: Uint8Array;
  /** Of the rows that it leaves to the archive, those with these ids. Rejects where the state is no longer the node's. */
  lookUp(ids: Uint32Array): Promise<readonly ArchivedRow[]>;
}

interface Asked {
  readonly resolve: (bytes: Buffer | undefined) => void;
  readonly reject: (error: Error) => void;
}

/** Tries writes on a copy of the state, in a thread of its own: this one does no more than copy the state, and look ids up. */
export class RehearsalThread implements Rehearsal {
  private readonly worker: Worker;
  private source: RehearsalSource | undefined;
  private unread = 0;
  private asked: Asked | undefined;
  private wake: (() => void) | undefined;
  private failure: NodeError | undefined;

  /** @param entry the program of the thread; by default the one beside this file */
  constructor(entry = join(__dirname, 'rehearsal-thread-main.js')) {
    this.worker = new Worker(entry, {
      resourceLimits: { maxOldGenerationSizeMb: HEAP_LIMIT },
      name: 'dry run',
    });
    this.worker.on('message', (message: FromRehearsal) => this.take(message));
    this.worker.on('error', (error) => this.fail(endOf(error)));
    this.worker.on('exit', (status) => this.fail(rehearsalEnded(`its thread ended with status ${status}`)));
  }

  /**
   * Hands the state over, piece by piece with turns between them. Resolves when writes can be tried.
   * @param stateBytes of the state, as a snapshot has them, beyond which it is not copied
   */
  async copy(source: RehearsalSource, data: RehearsalData, stateBytes: number): Promise<void> {
    this.source = source;
    this.post({ type: 'begin', data });
    let copied = 0;
    for (const bytes of piecesOf(source.frames)) {
      copied += bytes.length;
      if (copied > stateBytes) {
        throw tooLarge(`The state of this node takes more than ${stateBytes} bytes, which is what a dry run copies.`);
      }
      this.unread += bytes.length;
      this.post({ type: 'state', bytes }, [bytes.buffer as ArrayBuffer]);
      await turn();
      while (this.unread > MOST_UNREAD_BYTES && !this.failure) {
        await new Promise<void>((resolve) => (this.wake = resolve));
      }
      if (this.failure) throw this.failure;
    }
    await this.ask({ type: 'complete' });
  }

  async decide(request: Buffer): Promise<Buffer> {
    // A copy: what came from a socket lies in memory with other things.
    const bytes = new Uint8Array(request);
    const answer = await this.ask({ type: 'decide', request: bytes }, [bytes.buffer]);
    if (!answer) throw rehearsalEnded('its thread gave no answer');
    return answer;
  }

  balances(): Promise<Buffer | undefined> {
    return this.ask({ type: 'balances' });
  }

  /** Resolves when the thread has ended and its memory is free. */
  async close(): Promise<void> {
    this.end(rehearsalEnded('it was stopped'));
    await this.worker.terminate();
  }

  /** Whoever waits, or asks from now on, hears this. */
  end(failure: NodeError): void {
    this.failure ??= failure;
    const { asked, wake } = this;
    this.asked = this.wake = undefined;
    asked?.reject(this.failure);
    wake?.();
  }

  private ask(message: ToRehearsal, moved: readonly ArrayBuffer[] = []): Promise<Buffer | undefined> {
    if (this.failure) return Promise.reject(this.failure);
    if (this.asked) return Promise.reject(new Error('A rehearsal is asked one thing at a time.'));
    return new Promise((resolve, reject) => {
      this.asked = { resolve, reject };
      this.post(message, moved);
    });
  }

  private take(message: FromRehearsal): void {
    switch (message.type) {
      case 'taken':
        this.unread -= message.bytes;
        this.wake?.();
        break;
      case 'lookUp':
        this.source?.lookUp(message.ids).then(
          (rows) => this.handOver(rows),
          (error: unknown) => this.fail(lookUpFailed(error)),
        );
        break;
      case 'ready':
        this.answer(undefined);
        break;
      case 'answer':
        this.answer(message.bytes && Buffer.from(message.bytes.buffer, 0, message.bytes.length));
        break;
      case 'failed':
        this.fail(new NodeError(message.code, message.reason, message.message));
        break;
    }
  }

  private handOver(rows: readonly ArchivedRow[]): void {
    const found = packFound(rows);
    this.post({ type: 'found', found }, memoryOf(found));
  }

  private answer(bytes: Buffer | undefined): void {
    const { asked } = this;
    this.asked = undefined;
    asked?.resolve(bytes);
  }

  /** The thread is of no use any more. */
  private fail(failure: NodeError): void {
    this.end(failure);
    void this.worker.terminate();
  }

  private post(message: ToRehearsal, moved: readonly ArrayBuffer[] = []): void {
    this.worker.postMessage(message, moved);
  }
}

/** Everything between two frames is read in one turn; what ends early lets go of the state. */
function* piecesOf(frames: Iterable<Buffer>): Generator<Uint8Array> {
  let parts: Buffer[] = [];
  let size = 0;
  for (const frame of frames) {
    parts.push(frame);
    size += frame.length;
    if (size < PIECE_BYTES) continue;
    yield joined(parts, size);
    parts = [];
    size = 0;
  }
  if (size > 0) yield joined(parts, size);
}

function joined(parts: readonly Buffer[], size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function endOf(error: unknown): NodeError {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ERR_WORKER_OUT_OF_MEMORY') return tooLarge('The thread of the dry run has used up its memory.');
  return rehearsalEnded(message, error);
}

function lookUpFailed(error: unknown): NodeError {
  if (error instanceof NodeError) return error;
  return rehearsalEnded(error instanceof Error ? error.message : String(error), error);
}
