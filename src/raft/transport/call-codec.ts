import { CallError } from './call-error';
import { MAX_U32 } from './frame';
import { WireReader } from './wire-reader';
import { cutText, WireWriter } from './wire-writer';

/** In front of every request's body. */
export const REQUEST_PREFIX_BYTES = 16;
/** In front of every response's body. */
export const RESPONSE_PREFIX_BYTES = 8;

const MAX_NAME_BYTES = 64;
const MAX_MESSAGE_BYTES = 4096;
const MAX_DETAILS = 32;

export interface CallRequest {
  readonly callId: number;
  readonly method: number;
  /** How long the caller will wait from now on. Durations travel, not points in time: clocks differ. */
  readonly timeoutMs: number;
  readonly body: Buffer;
}

export function encodeRequestPrefix(callId: number, method: number, timeoutMs: number): Buffer {
  const prefix = Buffer.alloc(REQUEST_PREFIX_BYTES);
  prefix.writeUInt32LE(callId, 0);
  prefix.writeUInt16LE(method, 4);
  prefix.writeUInt32LE(Math.min(MAX_U32, Math.max(0, Math.ceil(timeoutMs))), 8);
  return prefix;
}

export function decodeRequest(bytes: Buffer): CallRequest {
  const reader = new WireReader(bytes);
  const callId = reader.u32('call id');
  const method = reader.u16('method');
  reader.u16('reserved');
  const timeoutMs = reader.u32('timeout');
  reader.u32('reserved');
  return { callId, method, timeoutMs, body: reader.view(reader.remaining, 'body') };
}

export function encodeResponsePrefix(callId: number): Buffer {
  const prefix = Buffer.alloc(RESPONSE_PREFIX_BYTES);
  prefix.writeUInt32LE(callId, 0);
  return prefix;
}

export function decodeResponse(bytes: Buffer): { readonly callId: number; readonly body: Buffer } {
  const reader = new WireReader(bytes);
  const callId = reader.u32('call id');
  reader.u32('reserved');
  return { callId, body: reader.view(reader.remaining, 'body') };
}

/** An error as it travels: cut to what fits, for it must reach the caller whatever it says. */
export function encodeFailure(callId: number, error: CallError): Buffer {
  const details = Object.entries(error.details).slice(0, MAX_DETAILS);
  const writer = new WireWriter(256)
    .u32(callId)
    .text(cutText(error.code, MAX_NAME_BYTES), MAX_NAME_BYTES, 'The code')
    .text(cutText(error.reason, MAX_NAME_BYTES), MAX_NAME_BYTES, 'The reason')
    .text(cutText(error.message, MAX_MESSAGE_BYTES), MAX_MESSAGE_BYTES, 'The message')
    .u16(details.length);
  for (const [key, value] of details) {
    writer.text(cutText(key, MAX_NAME_BYTES), MAX_NAME_BYTES, 'A detail');
    writer.text(cutText(value, MAX_MESSAGE_BYTES), MAX_MESSAGE_BYTES, 'A detail');
  }
  return writer.finish();
}

export function decodeFailure(bytes: Buffer): { readonly callId: number; readonly error: CallError } {
  const reader = new WireReader(bytes);
  const callId = reader.u32('call id');
  const code = reader.text(MAX_NAME_BYTES, 'code');
  const reason = reader.text(MAX_NAME_BYTES, 'reason');
  const message = reader.text(MAX_MESSAGE_BYTES, 'message');
  const details: [string, string][] = [];
  const count = reader.u16('number of details');
  for (let i = 0; i < count; i++) {
    details.push([reader.text(MAX_NAME_BYTES, 'detail'), reader.text(MAX_MESSAGE_BYTES, 'detail')]);
  }
  reader.end('a failure');
  const error = new CallError(code, reason, message, {
    sent: true,
    remote: true,
    details: Object.fromEntries(details),
  });
  return { callId, error };
}
