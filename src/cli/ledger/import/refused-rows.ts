import { closeSync, existsSync, ftruncateSync, fstatSync, openSync, writeSync } from 'node:fs';
import { UsageError } from '../terminal';
import { type RowResult } from './row-sender';
import { type ImportFormat } from './row-reader';

/** The file of the rows that were refused: where each stands in the input, why it was refused, and the row itself. Made when one is. */
export class RefusedRows {
  private fd: number | undefined;
  private length = 0;

  constructor(
    readonly path: string,
    private readonly format: ImportFormat,
  ) {}

  get bytes(): number {
    return this.length;
  }

  /** For an import that begins: an older file is not written over. */
  begin(): void {
    if (!existsSync(this.path)) return;
    throw new UsageError(
      `import: ${this.path} is there, from an import before: move it away, or name another with --refused`,
    );
  }

  /** Goes on behind what was written when the state was saved. */
  resume(bytes: number): void {
    if (bytes === 0 && !existsSync(this.path)) return;
    this.fd = openSync(this.path, existsSync(this.path) ? 'r+' : 'w');
    const { size } = fstatSync(this.fd);
    if (size < bytes) throw new UsageError(`import: ${this.path} is shorter than it was; it is needed to go on`);
    ftruncateSync(this.fd, bytes);
    this.length = bytes;
  }

  /** @param header of the input, where it has one */
  add(refused: readonly RowResult[], header: Buffer | undefined): void {
    if (refused.length === 0) return;
    this.fd ??= openSync(this.path, 'w');
    const begin = this.length === 0 && header ? `line,result,message,${header.toString('utf8')}\n` : '';
    this.append(Buffer.from(begin + refused.map((one) => this.lineOf(one)).join(''), 'utf8'));
  }

  close(): void {
    if (this.fd !== undefined) closeSync(this.fd);
    this.fd = undefined;
  }

  private append(bytes: Buffer): void {
    for (let at = 0; at < bytes.length;) {
      at += writeSync(this.fd as number, bytes, at, bytes.length - at, this.length + at);
    }
    this.length += bytes.length;
  }

  private lineOf({ row, result, message }: RowResult): string {
    const { line, bytes } = row.record;
    const text = bytes.toString('utf8');
    if (this.format === 'csv') return `${line},${result},"${message.replaceAll('"', '""')}",${text}\n`;
    return `${JSON.stringify({ line, result, message, row: text })}\n`;
  }
}
