/** Reading a request's body within its limit, and JSON out of it. */
import { type IncomingMessage } from 'node:http';
import { Fault, invalid } from '../errors';
import { quoted } from './query';

/** What is too large is still read up to here, so that the caller gets to see the answer and not a broken connection. */
const DISCARD_BYTES = 16 * 1024 * 1024;

/** Rejects with 413 for more than `limit` bytes. A caller that goes away in the middle rejects too. */
export function readBody(request: IncomingMessage, limit: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let parts: Buffer[] = [];
    let bytes = 0;
    request.on('data', (part: Buffer) => {
      bytes += part.length;
      if (bytes <= limit) parts.push(part);
      else parts = [];
      if (bytes > limit + DISCARD_BYTES) reject(bodyTooLarge(limit));
    });
    request.on('end', () => {
      if (bytes > limit) reject(bodyTooLarge(limit));
      else resolve(Buffer.concat(parts, bytes));
    });
    const cutOff = (): void => reject(new Fault('INVALID_ARGUMENT', 'BODY_INCOMPLETE', 'The body was cut off.'));
    request.on('error', cutOff);
    request.on('close', cutOff);
  });
}

export function bodyTooLarge(limit: number): Fault {
  const message = `A request body has at most ${limit} bytes.`;
  return new Fault('INVALID_ARGUMENT', 'BODY_TOO_LARGE', message, { httpStatus: 413 });
}

export type JsonObject = Readonly<Record<string, unknown>>;

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The fault of everything that is not the JSON that is expected, a field of another type included. */
export function notTheJson(): Fault {
  return new Fault('INVALID_ARGUMENT', 'JSON_INVALID', 'problems parsing JSON');
}

/** A JSON object inside another one. */
export function asObject(value: unknown): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw notTheJson();
  return value as JsonObject;
}

/** The object in a body. Whatever the content type: curl sends another one unless it is told. */
export function parseObject(body: Buffer): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(UTF8.decode(body));
  } catch {
    // What is wrong with it is the caller's to find out: the answer is the same for every fault.
    throw notTheJson();
  }
  return asObject(value);
}

/**
 * A field that is misspelt, or that belongs to another call, must not pass for none: what it says would not be done.
 *
 * @param where the object is, such as `in transfers[1]`
 */
export function refuseUnknownFields(object: JsonObject, known: readonly string[], where = 'here'): void {
  for (const name of Object.keys(object)) {
    if (known.includes(name)) continue;
    const message = `There is no field ${quoted(name)} ${where}, only ${known.join(', ')}.`;
    throw invalid(name, 'FIELD_UNKNOWN', message);
  }
}

/** Whether a field is there and says null. */
export function isNull(object: JsonObject, field: string): boolean {
  return Object.hasOwn(object, field) && object[field] === null;
}

/** A text field; null is the same as absent. */
export function optionalText(object: JsonObject, field: string): string | undefined {
  const value = Object.hasOwn(object, field) ? object[field] : undefined;
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') throw notTheJson();
  return value;
}

export function optionalFlag(object: JsonObject, field: string): boolean {
  const value = Object.hasOwn(object, field) ? object[field] : undefined;
  if (value === undefined || value === null) return false;
  if (typeof value !== 'boolean') throw notTheJson();
  return value;
}

/** A whole number that JSON holds exactly; null is the same as absent. */
export function optionalInteger(object: JsonObject, field: string): number | undefined {
  const value = Object.hasOwn(object, field) ? object[field] : undefined;
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw notTheJson();
  return value;
}

/** 64 bits without a sign, as text: JSON's numbers are not exact beyond 2^53. `0` where it is absent. */
export function uint64Text(object: JsonObject, field: string): string {
  const text = optionalText(object, field) ?? '0';
  if (!/^\d{1,20}$/.test(text) || BigInt(text) >= 1n << 64n) throw notTheJson();
  return text;
}

/** Base64 of RFC 4648 with its padding; empty where it is absent. */
export function base64Bytes(object: JsonObject, field: string): Buffer {
  const text = optionalText(object, field) ?? '';
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text)) throw notTheJson();
  return Buffer.from(text, 'base64');
}
