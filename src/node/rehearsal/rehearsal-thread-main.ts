/** The program of the thread that tries writes on a copy of the state: see RehearsalThread. */
import { existsSync, readlinkSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { type MessagePort, parentPort } from 'node:worker_threads';
import { DryRunCopy } from '../../api/dry-run-copy';
import { Fault } from '../../api/errors';
import { decodeDryRun, dryRunOut, dryRunRefusal, encodeDryRun } from '../../api/grpc/dry-run-codec';
import { NodeError } from '../../api/node-port';
import { invariant } from '../../ledger/invariant';
import { type ArchivedRow } from '../../ledger/row-archive';
import { SnapshotReader } from '../../ledger/snapshot-reader';
import { unpackFound } from './found-rows';
import { RehearsedState } from './rehearsed-state';
import { type FromRehearsal, type RehearsalData, tooLarge, type ToRehearsal } from './rehearsal-protocol';

const THIS_THREAD = '/proc/thread-self';

class RehearsalThreadMain {
  private data: RehearsalData | undefined;
  private reader: SnapshotReader | undefined;
  private copy: DryRunCopy | undefined;
  private found: ((rows: readonly ArchivedRow[]) => void) | undefined;

  constructor(private readonly port: MessagePort) {}

  take(message: ToRehearsal): void {
    this.step(message).catch((error: unknown) => this.fail(error));
  }

  private async step(message: ToRehearsal): Promise<void> {
    switch (message.type) {
      case 'begin':
        this.data = message.data;
        this.reader = new SnapshotReader(message.data.hashSeed, RehearsedState.archiveOf(message.data));
        break;
      case 'state':
        this.reader?.push(bufferOf(message.bytes));
        this.send({ type: 'taken', bytes: message.bytes.length });
        break;
      case 'complete':
        this.complete();
        this.send({ type: 'ready' });
        break;
      case 'decide':
        this.answer(await this.decide(bufferOf(message.request)));
        this.checkMemory();
        break;
      case 'found':
        this.found?.(unpackFound(message.found));
        break;
      case 'balances': {
        const page = this.whole().nextBalances();
        this.answer(page && encodeDryRun(dryRunOut(page)));
        break;
      }
    }
  }

  private complete(): void {
    const { reader } = this;
    invariant(reader !== undefined, 'A state is copied once, after it was begun.');
    const state = new RehearsedState(reader.finish(), (ids) => this.lookUp(ids));
    this.reader = undefined;
    this.copy = new DryRunCopy(state, this.begun.limits, this.begun.position);
  }

  private async decide(request: Buffer): Promise<Buffer> {
    try {
      return encodeDryRun(dryRunOut(await this.whole().take(decodeDryRun(request))));
    } catch (error) {
      if (error instanceof Fault) return encodeDryRun(dryRunRefusal(error, this.begun.position));
      throw error;
    }
  }

  private get begun(): RehearsalData {
    invariant(this.data !== undefined, 'A rehearsal is begun before anything else.');
    return this.data;
  }

  private whole(): DryRunCopy {
    invariant(this.copy !== undefined, 'Nothing is tried before the state is copied.');
    return this.copy;
  }

  private lookUp(ids: Uint32Array): Promise<readonly ArchivedRow[]> {
    return new Promise((resolve) => {
      this.found = resolve;
      this.send({ type: 'lookUp', ids });
    });
  }

  /** Before the machine has none left for those who serve. What was tried until now has been answered. */
  private checkMemory(): void {
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    const { memoryBytes } = this.begun;
    if (heapUsed + arrayBuffers <= memoryBytes) return;
    throw tooLarge(`A dry run takes at most ${memoryBytes} bytes of memory, the copy of the state included.`);
  }

  private answer(bytes: Buffer | undefined): void {
    this.send({ type: 'answer', ...(bytes && { bytes: new Uint8Array(bytes) }) });
  }

  private fail(error: unknown): void {
    const { code, reason, message } = error instanceof NodeError ? error : failureOf(error);
    this.send({ type: 'failed', code, reason, message });
  }

  private send(message: FromRehearsal): void {
    this.port.postMessage(message);
  }
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Memory outside of the heap that cannot be had is an error like others, and the thread lives on. */
function failureOf(error: unknown): NodeError {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  if (/array buffer allocation failed/i.test(text)) return tooLarge('There is no memory for more.');
  return new NodeError('UNAVAILABLE', 'DRY_RUN_ENDED', `The dry run has ended: ${text}. Nothing was done.`);
}

/** Consensus comes first on a busy machine. On Linux a priority belongs to a thread. */
function lowerPriority(): void {
  if (process.platform !== 'linux' || !existsSync(THIS_THREAD)) return;
  setPriority(Number(readlinkSync(THIS_THREAD).split('/').at(-1)), constants.priority.PRIORITY_BELOW_NORMAL);
}

if (parentPort) {
  lowerPriority();
  const main = new RehearsalThreadMain(parentPort);
  parentPort.on('message', (message: ToRehearsal) => main.take(message));
}
