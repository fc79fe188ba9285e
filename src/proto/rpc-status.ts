/**
 * google.rpc.Status with the details this product sends, for the `grpc-status-details-bin` trailer. Written by hand: four
 * small messages of fixed shape, no generated code.
 *
 * Source: googleapis, google/rpc/status.proto and google/rpc/error_details.proto (field numbers and type names).
 */
import { type ServiceError } from '@grpc/grpc-js';

export const STATUS_DETAILS_KEY = 'grpc-status-details-bin';

export interface FieldViolation {
  /** Path of the field in the request, e.g. `record.type`. */
  readonly field: string;
  readonly description: string;
}

export interface ErrorInfo {
  readonly reason: string;
  readonly domain: string;
  readonly metadata: Readonly<Record<string, string>>;
}

export interface RpcStatus {
  /** Canonical gRPC code. */
  readonly code: number;
  readonly message: string;
  readonly errorInfo?: ErrorInfo;
  readonly fieldViolations?: readonly FieldViolation[];
  readonly retryAfterMs?: number;
}

const ERROR_INFO = 'type.googleapis.com/google.rpc.ErrorInfo';
const BAD_REQUEST = 'type.googleapis.com/google.rpc.BadRequest';
const RETRY_INFO = 'type.googleapis.com/google.rpc.RetryInfo';

const VARINT = 0;
const LENGTH_DELIMITED = 2;

export function encodeRpcStatus(status: RpcStatus): Buffer {
  const parts = [numberField(1, status.code), textField(2, status.message)];
  if (status.errorInfo !== undefined) parts.push(anyField(ERROR_INFO, encodeErrorInfo(status.errorInfo)));
  if (status.fieldViolations !== undefined && status.fieldViolations.length > 0) {
    parts.push(anyField(BAD_REQUEST, Buffer.concat(status.fieldViolations.map(encodeViolation))));
  }
  if (status.retryAfterMs !== undefined) parts.push(anyField(RETRY_INFO, encodeRetryInfo(status.retryAfterMs)));
  return Buffer.concat(parts);
}

function encodeErrorInfo(info: ErrorInfo): Buffer {
  const entries = Object.entries(info.metadata).map(([key, value]) =>
    bytesField(3, Buffer.concat([textField(1, key), textField(2, value)])),
  );
  return Buffer.concat([textField(1, info.reason), textField(2, info.domain), ...entries]);
}

function encodeViolation(violation: FieldViolation): Buffer {
  return bytesField(1, Buffer.concat([textField(1, violation.field), textField(2, violation.description)]));
}

/** google.protobuf.Duration: seconds and nanoseconds. */
function encodeRetryInfo(ms: number): Buffer {
  const whole = Math.floor(ms / 1000);
  return bytesField(1, Buffer.concat([numberField(1, whole), numberField(2, Math.round((ms - whole * 1000) * 1e6))]));
}

function anyField(typeUrl: string, value: Buffer): Buffer {
  return bytesField(3, Buffer.concat([textField(1, typeUrl), bytesField(2, value)]));
}

function textField(number: number, text: string): Buffer {
  return text === '' ? Buffer.alloc(0) : bytesField(number, Buffer.from(text, 'utf8'));
}

function bytesField(number: number, bytes: Buffer): Buffer {
  return Buffer.concat([varint(number * 8 + LENGTH_DELIMITED), varint(bytes.length), bytes]);
}

function numberField(number: number, value: number): Buffer {
  return value === 0 ? Buffer.alloc(0) : Buffer.concat([varint(number * 8 + VARINT), varint(value)]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
  return Buffer.from(bytes);
}

/** The status in a failed call's trailers; undefined where the server sent none, or one that does not decode. */
export function statusOf(error: Pick<ServiceError, 'metadata'>): RpcStatus | undefined {
  const [value] = error.metadata.get(STATUS_DETAILS_KEY);
  return Buffer.isBuffer(value) ? decodeRpcStatus(value) : undefined;
}

/** Undefined where the bytes are no google.rpc.Status. Details of other types are passed over. */
export function decodeRpcStatus(bytes: Buffer): RpcStatus | undefined {
  const fields = readFields(bytes);
  if (fields === undefined) return undefined;
  const details = { violations: [] as FieldViolation[], errorInfo: undefined as ErrorInfo | undefined, retry: -1 };
  for (const any of bytesOf(fields, 3)) {
    const parts = readFields(any) ?? [];
    const value = readFields(bytesOf(parts, 2)[0] ?? Buffer.alloc(0)) ?? [];
    const type = textOf(parts, 1);
    if (type === ERROR_INFO) details.errorInfo = decodeErrorInfo(value);
    else if (type === BAD_REQUEST) details.violations.push(...bytesOf(value, 1).map(decodeViolation));
    else if (type === RETRY_INFO) details.retry = decodeDuration(bytesOf(value, 1)[0]);
  }
  return {
    code: numberOf(fields, 1),
    message: textOf(fields, 2),
    ...(details.errorInfo === undefined ? {} : { errorInfo: details.errorInfo }),
    ...(details.violations.length === 0 ? {} : { fieldViolations: details.violations }),
    ...(details.retry < 0 ? {} : { retryAfterMs: details.retry }),
  };
}

function decodeErrorInfo(fields: readonly Field[]): ErrorInfo {
  const entries = bytesOf(fields, 3).map((entry) => {
    const parts = readFields(entry) ?? [];
    return [textOf(parts, 1), textOf(parts, 2)] as const;
  });
  return { reason: textOf(fields, 1), domain: textOf(fields, 2), metadata: Object.fromEntries(entries) };
}

function decodeViolation(bytes: Buffer): FieldViolation {
  const parts = readFields(bytes) ?? [];
  return { field: textOf(parts, 1), description: textOf(parts, 2) };
}

function decodeDuration(bytes: Buffer | undefined): number {
  const parts = bytes === undefined ? undefined : readFields(bytes);
  return parts === undefined ? 0 : numberOf(parts, 1) * 1000 + numberOf(parts, 2) / 1e6;
}

interface Field {
  readonly number: number;
  readonly value: number | Buffer;
}

/** The fields of one message in order; undefined where the bytes are cut off or hold a wire type not in use here. */
function readFields(bytes: Buffer): Field[] | undefined {
  const fields: Field[] = [];
  let at = 0;
  const next = (): number => {
    let value = 0;
    for (let scale = 1; at < bytes.length; scale *= 0x80) {
      const byte = bytes[at++]!;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    return Number.NaN;
  };
  while (at < bytes.length) {
    const tag = next();
    const value = next();
    if (Number.isNaN(tag) || Number.isNaN(value)) return undefined;
    const number = Math.floor(tag / 8);
    if (tag % 8 === VARINT) fields.push({ number, value });
    else if (tag % 8 === LENGTH_DELIMITED && value <= bytes.length - at) {
      fields.push({ number, value: bytes.subarray(at, at + value) });
      at += value;
    } else return undefined;
  }
  return fields;
}

function bytesOf(fields: readonly Field[], number: number): Buffer[] {
  return fields.flatMap((field) => (field.number === number && Buffer.isBuffer(field.value) ? [field.value] : []));
}

function textOf(fields: readonly Field[], number: number): string {
  return bytesOf(fields, number).at(-1)?.toString('utf8') ?? '';
}

function numberOf(fields: readonly Field[], number: number): number {
  const field = fields.findLast((f) => f.number === number && typeof f.value === 'number');
  return typeof field?.value === 'number' ? field.value : 0;
}
