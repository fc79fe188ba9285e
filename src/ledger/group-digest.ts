import { createHash, type Hash } from 'node:crypto';
import { type DecimalBytes } from './decimal-bytes';
import { DIGEST_WORDS } from './group-table';
import { ResultCode } from './result-codes';
import { AmountForm, type IdFields, IdKind, type TransferFields } from './transfer-fields';
import { toBigInt128 } from './words';
import { WireWriter } from './wire';

const DOMAIN = 'ledger-node/linked-group/v1\0';

/**
 * SHA-256 of what a linked group says, in its order: of its words and of nothing that the ledger knows, so that it is the
 * same for ever. Only idle zeros of a decimal play no part.
 */
export class GroupDigest {
  private hash: Hash = createHash('sha256');
  private readonly coefficient = new Uint32Array(4);

  constructor(private readonly decimal: DecimalBytes) {}

  begin(): void {
    this.hash = createHash('sha256').update(DOMAIN);
  }

  add(fields: TransferFields): void {
    const content = this.contentOf(fields);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(content.length);
    this.hash.update(length).update(content);
  }

  finish(): Uint32Array {
    const digest = this.hash.digest();
    return Uint32Array.from({ length: DIGEST_WORDS }, (_, i) => digest.readUInt32LE(4 * i));
  }

  private contentOf(fields: TransferFields): Buffer {
    const out = new WireWriter();
    const range = (start: number, length: number): Uint8Array => fields.source.subarray(start, start + length);
    out.bytes(1, idBytes(fields, fields.id));
    out.bytes(2, range(fields.debit.nameStart, fields.debit.nameLength));
    out.bytes(3, range(fields.credit.nameStart, fields.credit.nameLength));
    out.uint(4, fields.debit.handle);
    out.uint(5, fields.credit.handle);
    out.bytes(6, range(fields.ledgerStart, fields.ledgerLength));
    out.bytes(7, this.amountBytes(fields));
    out.uint(8, fields.code);
    out.uint(9, (BigInt(fields.userDataHigh) << 32n) | BigInt(fields.userDataLow));
    out.bytes(10, range(fields.metadataStart, fields.metadataLength));
    out.uint(11, fields.flags);
    out.uint(12, fields.timeout);
    out.bytes(13, idBytes(fields, fields.pending));
    out.bytes(14, idBytes(fields, fields.reverses));
    out.uint(15, (BigInt(fields.effectiveHigh) << 32n) | BigInt(fields.effectiveLow));
    out.uint(16, (BigInt(fields.importedHigh) << 32n) | BigInt(fields.importedLow));
    return out.finish();
  }

  private amountBytes(fields: TransferFields): Uint8Array {
    const { amountStart: start, amountLength: length, source } = fields;
    if (fields.amountForm === AmountForm.NONE) return NOTHING;
    if (fields.amountForm === AmountForm.MINOR) return Buffer.from(`minor ${toBigInt128(fields.amount, 0)}`);
    if (!this.decimal.scan(source, start, length) || this.decimal.faultAtAnyScale() !== ResultCode.OK) {
      return source.subarray(start, start + length);
    }
    this.decimal.readCoefficient(this.coefficient, 0);
    return Buffer.from(`${toBigInt128(this.coefficient, 0)}e-${this.decimal.fractionDigits}`);
  }
}

const NOTHING = new Uint8Array(0);

function idBytes(fields: TransferFields, id: IdFields): Uint8Array {
  if (id.kind === IdKind.NONE) return NOTHING;
  const bytes =
    id.kind === IdKind.TEXT
      ? fields.source.subarray(id.textStart, id.textStart + id.textLength)
      : new Uint8Array(id.words.buffer, 0, 16);
  return Buffer.concat([Buffer.of(id.kind), bytes]);
}
