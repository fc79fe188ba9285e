/** Why bytes are not the batch they should be. */
export type BatchFault =
  /** Fewer bytes than the header or the batch needs. */
  | 'short'
  | 'magic'
  /** Written by a newer program: not damaged, and not to be skipped. */
  | 'unsupported'
  | 'length'
  /** A field has a value that no sealer writes. */
  | 'field'
  | 'crc'
  | 'hash';

export class BatchFormatError extends Error {
  override readonly name = 'BatchFormatError';

  constructor(
    readonly reason: BatchFault,
    message: string,
  ) {
    super(message);
  }
}
