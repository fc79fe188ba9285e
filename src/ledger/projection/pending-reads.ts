import { type FromChild } from './protocol';
import { type ReadAnswer, ReadRefusedError } from './read-rows';

/** Milliseconds that a read may take beyond its own bound before it is given up: the process should have said so itself. */
const GRACE = 1_000;

interface PendingRead {
  readonly resolve: (answer: ReadAnswer) => void;
  readonly reject: (error: Error) => void;
  readonly late: NodeJS.Timeout;
}

/** The node's end of reads that the projection's process answers. */
export class PendingReads {
  private readonly reads = new Map<number, PendingRead>();
  private last = 0;

  /** @param send given the number of the read. Rejects with {@link ReadRefusedError} */
  add(timeoutMs: number, send: (number: number) => void): Promise<ReadAnswer> {
    const number = ++this.last;
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => {
        this.reads.delete(number);
        reject(new ReadRefusedError('late', `The projection has not answered within ${timeoutMs} ms.`));
      }, timeoutMs + GRACE);
      this.reads.set(number, { resolve, reject, late });
      send(number);
    });
  }

  /** An answer that nobody waits for any more is dropped. */
  settle(message: Extract<FromChild, { number: number }>): void {
    const read = this.reads.get(message.number);
    if (!read) return;
    this.reads.delete(message.number);
    clearTimeout(read.late);
    if (message.type === 'readFailed') read.reject(new ReadRefusedError(message.reason, message.message));
    else read.resolve(message);
  }

  /** The process is gone. */
  failAll(why: string): void {
    for (const { late, reject } of this.reads.values()) {
      clearTimeout(late);
      reject(new ReadRefusedError('unavailable', why));
    }
    this.reads.clear();
  }
}
