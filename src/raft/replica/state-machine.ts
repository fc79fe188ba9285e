import type { BatchHeader } from '../../log/batch';
import type { Attachment } from '../snapshot';

/** Where a snapshot stands, and the files that it leans on. */
export interface RestorePoint {
  readonly index: number;
  readonly nextOffset: number;
  readonly attachments?: readonly Attachment[] | undefined;
}

/**
 * What a Raft group replicates. Deterministic: the same batches give the same state and the same outcomes on every node,
 * and on every replay (no clock, randomness or input and output of its own).
 */
export interface StateMachine {
  /**
   * Reads whatever applying this batch needs and is not in memory, so that `apply` need not. Undefined where there is nothing
   * to be read; else resolves when the batch can be applied. Asked for the next batch only; asked again for the same one, it
   * has it. A machine without it keeps everything in memory.
   */
  prepare?(batch: Buffer, header: BatchHeader): Promise<void> | undefined;
  /**
   * Takes one committed batch (header and payload, as it is in the log). Total: whatever the payload holds, it gives
   * outcomes. Returns one 64-byte outcome row for each record, in order: as many as the header says where records take
   * offsets; none for what is Raft's own.
   */
  apply(batch: Buffer, header: BatchHeader): Buffer;
  /**
   * Where what `apply` leaves to be written behind has come to its bound: resolves when more may be applied. Undefined while
   * it may be. Nothing is applied meanwhile, so that memory stays bounded on a disk that is slow or full.
   */
  backlog?(): Promise<void> | undefined;
  /** The whole state after the last applied batch. Later calls of `apply` do not change what the iterator gives. */
  snapshot(): Iterable<Buffer>;
  /** Files that never change and that the snapshot leans on which `snapshot` gives in the same turn. All are durable. */
  attachments?(): readonly Attachment[];
  /** Replaces the state by what `snapshot` gave. `at` is where the snapshot stands. */
  restore(chunks: AsyncIterable<Buffer>, at: RestorePoint): Promise<void>;
  /** Makes durable whatever was derived from applied batches and is kept beside the log; awaited before a snapshot replaces them. */
  flush(): Promise<void>;
}
