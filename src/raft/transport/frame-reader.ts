import { decodeFrameHeader, FRAME_HEADER_BYTES, verifyFrame, type Frame, type FrameHeader } from './frame';

const NOTHING: Buffer = Buffer.alloc(0);

/**
 * Cuts a stream of bytes into frames. Each body is copied once, into a buffer of its own that has exactly its length, so
 * that what a receiver keeps of it (batches) neither moves nor holds more memory than the frame.
 */
export class FrameReader {
  private readonly headerBytes = Buffer.alloc(FRAME_HEADER_BYTES);
  private headerFilled = 0;
  private header: FrameHeader | undefined;
  private body = NOTHING;
  private bodyFilled = 0;
  private chunk = NOTHING;
  private at = 0;

  /** `maxFrameBytes` bounds what a peer can make this side allocate; it is raised once the peer is admitted. */
  constructor(public maxFrameBytes: number) {}

  /** Adds bytes. What `next` has not consumed of earlier ones is kept in front. */
  feed(chunk: Buffer): void {
    const rest = this.chunk.length - this.at;
    this.chunk = rest === 0 ? chunk : Buffer.concat([this.chunk.subarray(this.at), chunk]);
    this.at = 0;
  }

  /** The next whole frame, or nothing until more bytes are fed. Throws WireFormatError, after which the stream is lost. */
  next(): Frame | undefined {
    this.header ??= this.readHeader();
    const header = this.header;
    if (header === undefined) return undefined;
    if (this.bodyFilled < header.bodyBytes) this.fillBody(header.bodyBytes);
    if (this.bodyFilled < header.bodyBytes) return undefined;
    const body = this.body;
    this.header = undefined;
    this.body = NOTHING;
    this.bodyFilled = 0;
    verifyFrame(header, body);
    return { type: header.type, group: header.group, body };
  }

  private readHeader(): FrameHeader | undefined {
    const available = this.chunk.length - this.at;
    if (this.headerFilled === 0 && available >= FRAME_HEADER_BYTES) {
      const header = decodeFrameHeader(this.chunk, this.at, this.maxFrameBytes);
      this.at += FRAME_HEADER_BYTES;
      return header;
    }
    const taken = Math.min(available, FRAME_HEADER_BYTES - this.headerFilled);
    this.chunk.copy(this.headerBytes, this.headerFilled, this.at, this.at + taken);
    this.at += taken;
    this.headerFilled += taken;
    if (this.headerFilled < FRAME_HEADER_BYTES) return undefined;
    this.headerFilled = 0;
    return decodeFrameHeader(this.headerBytes, 0, this.maxFrameBytes);
  }

  private fillBody(bodyBytes: number): void {
    // Node aligns its pool, and of course a buffer of its own, to 8 bytes: packed rows can be read in place.
    if (this.body.length !== bodyBytes) this.body = Buffer.allocUnsafe(bodyBytes);
    const taken = Math.min(this.chunk.length - this.at, bodyBytes - this.bodyFilled);
    this.chunk.copy(this.body, this.bodyFilled, this.at, this.at + taken);
    this.at += taken;
    this.bodyFilled += taken;
  }
}
