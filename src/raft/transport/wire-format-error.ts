/** What was wrong with bytes that came from a peer. The connection that carried them is closed. */
export type WireFault =
  /** A frame header or a field has a value that no sender of this protocol writes. */
  | 'malformed'
  /** A length is beyond a limit. */
  | 'too_long'
  /** A field ends beyond the bytes that are there. */
  | 'truncated'
  /** The checksum does not match. */
  | 'checksum'
  /** Well formed, but not at this point of the conversation, or not from this peer. */
  | 'unexpected';

export class WireFormatError extends Error {
  override readonly name = 'WireFormatError';

  constructor(
    readonly fault: WireFault,
    message: string,
  ) {
    super(message);
  }
}
