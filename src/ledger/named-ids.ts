import { type Chunk, RecordType } from '../log/chunk';
import { CommandRange, LogRecordField } from './command-codec';
import { PACKED_ROW_BYTES, PACKED_ROW_WORDS } from './packed-rows';
import { decodeTransfer } from './transfer-codec';
import { type IdFields, IdKind, TransferFields } from './transfer-fields';
import { type TransferShape } from './transfer-shape';
import { WireReader } from './wire';
import { wordsOf } from './words';

const LENGTH_BYTES = 4;
const ID_WORDS = 4;
/** A transfer names itself and at most two others. */
const MOST_IDS = 3;

/** Which ids the transfers of a batch name, so that they can be looked up before it is applied. Nothing is decided here. */
export class NamedIds {
  private readonly wire = new WireReader();
  private readonly range = new CommandRange();
  private readonly fields = new TransferFields();
  private words = new Uint32Array(0);
  private used = 0;

  constructor(private readonly shape: TransferShape) {}

  /** Four words an id, one behind the other, in the order of the records; some may stand there twice. Valid until the next call. */
  collect(chunks: readonly Chunk[]): Uint32Array {
    this.used = 0;
    for (const chunk of chunks) {
      if (chunk.type !== RecordType.Ledger) continue;
      if (chunk.width === PACKED_ROW_BYTES) this.takeRows(chunk.body, chunk.count);
      else if (chunk.width === 0) this.takeValues(chunk.body, chunk.count);
    }
    return this.words.subarray(0, this.used);
  }

  private takeRows(body: Buffer, count: number): void {
    this.makeRoom(count);
    const { words } = this;
    const rows = wordsOf(body, count * PACKED_ROW_BYTES);
    for (let i = 0, at = 0; i < count; i++, at += PACKED_ROW_WORDS, this.used += ID_WORDS) {
      for (let j = 0; j < ID_WORDS; j++) words[this.used + j] = rows[at + j] as number;
    }
  }

  private takeValues(body: Buffer, count: number): void {
    this.makeRoom(count * MOST_IDS);
    const { fields, range } = this;
    for (let i = 0, at = 0; i < count; i++) {
      const start = at + LENGTH_BYTES;
      at = start + body.readUInt32LE(at);
      range.find(body, start, at);
      if (range.field !== LogRecordField.TRANSFER) continue;
      if (!decodeTransfer(this.wire, fields, body, range.start, range.end)) continue;
      this.take(fields.id);
      this.take(fields.pending);
      this.take(fields.reverses);
    }
  }

  /** What is not valid is refused before anything is looked up. */
  private take(id: IdFields): void {
    if (id.kind === IdKind.NONE || !this.shape.isIdValid(this.fields, id)) return;
    this.words.set(id.words, this.used);
    this.used += ID_WORDS;
  }

  private makeRoom(ids: number): void {
    const needed = this.used + ids * ID_WORDS;
    if (needed <= this.words.length) return;
    const grown = new Uint32Array(Math.max(needed, 2 * this.words.length));
    grown.set(this.words.subarray(0, this.used));
    this.words = grown;
  }
}
