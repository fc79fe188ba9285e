import { createHash } from 'node:crypto';
import { payloadOf, type BatchHeader } from '../../src/log/batch';
import { ChunkFormatError, iterateChunks } from '../../src/log/chunk';
import type { StateMachine } from '../../src/raft/replica/state-machine';

const ROW_BYTES = 64;

/** Keeps every value it was given, in order: what two members hold can be compared. */
export class ListMachine implements StateMachine {
  values: string[] = [];

  apply(batch: Buffer, header: BatchHeader): Buffer {
    if (header.kind !== 0) return Buffer.alloc(0);
    const found = valuesIn(payloadOf(batch));
    // As many as the header promised, whatever the payload holds: offsets are counted by it.
    for (let at = 0; at < header.count; at += 1) this.values.push(found[at] ?? '');
    return Buffer.alloc(ROW_BYTES * header.count);
  }

  snapshot(): Iterable<Buffer> {
    return [Buffer.from(JSON.stringify(this.values))];
  }

  async restore(chunks: AsyncIterable<Buffer>, at: { readonly nextOffset: number }): Promise<void> {
    const parts: Buffer[] = [];
    for await (const chunk of chunks) parts.push(Buffer.from(chunk));
    const values = JSON.parse(Buffer.concat(parts).toString()) as string[];
    if (values.length !== at.nextOffset)
      throw new Error(`The snapshot holds ${values.length} values, not ${at.nextOffset}.`);
    this.values = values;
  }

  flush(): Promise<void> {
    return Promise.resolve();
  }

  hash(): string {
    return createHash('sha256').update(JSON.stringify(this.values)).digest('hex');
  }
}

function valuesIn(payload: Buffer): string[] {
  try {
    return iterateChunks(payload).flatMap((chunk) =>
      Array.from({ length: chunk.count }, (_, at) => chunk.record(at).toString()),
    );
  } catch (error) {
    if (error instanceof ChunkFormatError) return [];
    throw error;
  }
}
