/**
 * A file beside a snapshot that the snapshot leans on. It never changes, and its name says what is in it, so that several
 * snapshots, and several nodes, have the same one.
 */
export interface Attachment {
  /** Of the file, without a folder. */
  readonly name: string;
  /** Length of the file. */
  readonly bytes: number;
}

/** Keeps attachments, and takes them from others. */
export interface AttachmentStore {
  /** Begins to receive one, or goes on where an earlier attempt has ended. @returns how many bytes of it are here: all where it is complete */
  beginReceive(attachment: Attachment): Promise<number>;
  /** Takes the bytes at `offset` of the attachment that was begun; see IncomingSnapshot.write. @returns how many are here */
  write(offset: number, bytes: Buffer): Promise<number>;
  /**
   * Verifies the whole, and makes it durable under its name. Rejects with DAMAGED where it is not what it should be, and with
   * GAP where it is not the one that was begun last. @param name undefined: whichever was begun last
   */
  finishReceive(name: string | undefined): Promise<void>;
  /** Whether it is here, whole and under its name. */
  has(name: string): Promise<boolean>;
  /** Reads one to its last byte. Rejects with DAMAGED where it is not what it should be, with MISSING where it is not there. */
  check(name: string): Promise<void>;
  /**
   * A peer found that what it got of this one is damaged. Where it is so here, too, it gets another name, and the promise
   * rejects with what ends the process: the next start does without it.
   */
  doubted(name: string): Promise<void>;
  /** Bytes of a file as they are: fewer than `length` only at its end. Rejects with MISSING. */
  read(name: string, position: number, length: number): Promise<Buffer>;
}

const LENGTH_BYTES = 4;
/** No folder, no hidden file. */
const NAME = /^[0-9a-z][0-9a-z.-]{0,199}$/;

/** Nothing where there are none. */
export function encodeAttachments(attachments: readonly Attachment[]): Buffer {
  if (attachments.length === 0) return Buffer.alloc(0);
  const json = Buffer.from(JSON.stringify(attachments.map(({ name, bytes }) => [name, bytes])));
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32LE(json.length);
  return Buffer.concat([length, json]);
}

/** Undefined where the bytes are no such list. */
export function decodeAttachments(bytes: Buffer): readonly Attachment[] | undefined {
  if (bytes.length < LENGTH_BYTES) return undefined;
  const end = LENGTH_BYTES + bytes.readUInt32LE(0);
  if (end > bytes.length) return undefined;
  const list = parsed(bytes.toString('utf8', LENGTH_BYTES, end));
  if (!isList(list)) return undefined;
  const attachments = list.map(attachmentIn);
  return attachments.every((one) => one !== undefined) ? attachments : undefined;
}

export function isAttachment({ name, bytes }: Attachment): boolean {
  return NAME.test(name) && Number.isSafeInteger(bytes) && bytes > 0;
}

function attachmentIn(entry: unknown): Attachment | undefined {
  if (!isList(entry)) return undefined;
  const [name, bytes] = entry;
  if (typeof name !== 'string' || typeof bytes !== 'number') return undefined;
  return isAttachment({ name, bytes }) ? { name, bytes } : undefined;
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
