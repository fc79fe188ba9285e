/**
 * Ids, account names and ledger codes: one spelling each, made at the doors, before anything reaches the log.
 */

/** Longest text id, in bytes of UTF-8. */
export const TEXT_ID_MAX_BYTES = 64;
/** Longest account name, in bytes of UTF-8. */
export const NAME_MAX_BYTES = 128;

/** A transfer's id in its only form: 16 bytes of a UUID in text order, or a text that is no UUID. */
export type TransferId =
  { readonly kind: 'uuid'; readonly bytes: Buffer } | { readonly kind: 'text'; readonly text: string };

// RFC 9562 text in either case; also without hyphens, in braces, and as a URN, as most UUID readers accept it.
const UUID_BODY = '([0-9a-f]{8})(-?)([0-9a-f]{4})\\2([0-9a-f]{4})\\2([0-9a-f]{4})\\2([0-9a-f]{12})';
const UUID = new RegExp(`^(?:urn:uuid:)?${UUID_BODY}$|^\\{${UUID_BODY.replaceAll('\\2', '\\8')}\\}$`, 'i');
const LONE_SURROGATE = /\p{Surrogate}/u;
const LEDGER_CODE = /^[A-Za-z0-9_.-]{1,32}$/;

/** The 16 bytes of a UUID in any spelling; undefined for anything else (the nil and the max UUID are UUIDs here). */
export function parseUuid(text: string): Buffer | undefined {
  if (text.length < 32 || text.length > 45 || !UUID.test(text)) return undefined;
  return Buffer.from(text.replace(/^urn:uuid:/i, '').replace(/[-{}]/g, ''), 'hex');
}

/** Lower case with hyphens. */
export function formatUuid(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset, 16).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** The nil and the max UUID stand for "no id" in too many programs to be one (RFC 9562, 5.9 and 5.10). */
function isReservedUuid(bytes: Uint8Array): boolean {
  const first = bytes[0];
  return (first === 0 || first === 0xff) && bytes.every((byte) => byte === first);
}

/**
 * The id that a caller's text stands for: a UUID in any spelling is that UUID, any other text of 1 to 64 bytes is itself.
 * Undefined when it is no id (`id_invalid`).
 */
export function normaliseId(text: string): TransferId | undefined {
  const uuid = parseUuid(text);
  if (uuid !== undefined) return isReservedUuid(uuid) ? undefined : { kind: 'uuid', bytes: uuid };
  return isStorableText(text, TEXT_ID_MAX_BYTES) ? { kind: 'text', text } : undefined;
}

/** The canonical text of an id, which `normaliseId` reads back to the same id. */
export function formatId(id: TransferId): string {
  return id.kind === 'uuid' ? formatUuid(id.bytes) : id.text;
}

/**
 * An account name in its only form: NFC, without outer white space, 1 to 128 bytes. Undefined when it cannot be one.
 *
 * Done at the doors only: what NFC and white space are grows with the Unicode version of the runtime, so a state machine
 * that asked the same question could answer differently on two nodes.
 */
export function normaliseName(text: string): string | undefined {
  if (LONE_SURROGATE.test(text)) return undefined;
  const name = text.normalize('NFC').trim();
  return isStorableText(name, NAME_MAX_BYTES) ? name : undefined;
}

export function isLedgerCode(text: string): boolean {
  return LEDGER_CODE.test(text);
}

/** Text that survives UTF-8 and every database: not empty, no U+0000, no unpaired surrogate, at most `maxBytes`. */
function isStorableText(text: string, maxBytes: number): boolean {
  // A text has at least a third as many UTF-16 units as UTF-8 bytes, so the length bounds the work before it is done.
  if (text.length === 0 || text.length > maxBytes || text.includes('\0') || LONE_SURROGATE.test(text)) return false;
  return Buffer.byteLength(text, 'utf8') <= maxBytes;
}
