import { UsageError } from './terminal';

const LINE_FEED = 0x0a;
/** No server takes a longer record, however it is configured: a message has at most 4 MiB. */
const MAX_LINE_BYTES = 4 * 1024 * 1024;

/** The lines of a stream as bytes, without the line feed; what follows the last line feed is a line if it is not empty. */
export async function* linesOf(stream: AsyncIterable<Buffer | string>): AsyncGenerator<Buffer, void, undefined> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const part of stream) {
    const bytes = typeof part === 'string' ? Buffer.from(part, 'utf8') : part;
    rest = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
    let start = 0;
    for (let end = rest.indexOf(LINE_FEED); end >= 0; end = rest.indexOf(LINE_FEED, start)) {
      yield rest.subarray(start, end);
      start = end + 1;
    }
    rest = rest.subarray(start);
    if (rest.length > MAX_LINE_BYTES) throw new UsageError(`A line of stdin has more than ${MAX_LINE_BYTES} bytes.`);
  }
  if (rest.length > 0) yield rest;
}
