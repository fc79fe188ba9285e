/**
 * A strict look at the bytes of a request, before it is decoded. The decoder in use forgives what proto3 does not
 * (text that is not UTF-8 becomes U+FFFD, a field of the wrong wire type is read as if it were right), and two different
 * requests must never come out as the same one: an id or a name is compared byte for byte later.
 *
 * Source: protocol buffers' encoding guide (wire types, field numbers) and the proto3 language guide (UTF-8 in strings).
 */
import { isUtf8 } from 'node:buffer';

/** The parts of google.protobuf.DescriptorProto that are looked at. */
export interface MessageType {
  readonly name: string;
  readonly field: readonly {
    readonly name: string;
    readonly number: number;
    readonly type: string;
    readonly typeName: string;
    readonly label?: string;
  }[];
}

const VARINT = 0;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;
const FIXED32 = 5;

/** No published message is nested deeper; what nests in itself cannot run away with the stack. */
const MAX_DEPTH = 16;

interface FieldShape {
  readonly name: string;
  readonly wire: number;
  readonly text: boolean;
  /** A list of numbers, which may come one by one or packed into one run of bytes. */
  readonly packable: boolean;
  readonly message: WireShape | undefined;
}

/** What the wire format of one message type must look like, by field number. */
export type WireShape = ReadonlyMap<number, FieldShape>;

const WIRE_OF_TYPE: Readonly<Record<string, number>> = {
  TYPE_FIXED64: FIXED64,
  TYPE_SFIXED64: FIXED64,
  TYPE_DOUBLE: FIXED64,
  TYPE_FIXED32: FIXED32,
  TYPE_SFIXED32: FIXED32,
  TYPE_FLOAT: FIXED32,
  TYPE_STRING: LENGTH_DELIMITED,
  TYPE_BYTES: LENGTH_DELIMITED,
  TYPE_MESSAGE: LENGTH_DELIMITED,
};

/** `lookUp` finds a message type by its full name; relative names are those of package `scope`. */
export function compileShape(
  type: MessageType,
  scope: string,
  lookUp: (fullName: string) => object | undefined,
  depth = 0,
): WireShape {
  if (depth > MAX_DEPTH) throw new Error(`The message type ${type.name} nests deeper than ${MAX_DEPTH} levels.`);
  const fields = new Map<number, FieldShape>();
  for (const field of type.field) {
    const wire = WIRE_OF_TYPE[field.type] ?? VARINT;
    let message: WireShape | undefined;
    if (field.type === 'TYPE_MESSAGE') {
      const found = lookUp(`${scope}.${field.typeName}`) ?? lookUp(field.typeName);
      if (found === undefined) throw new Error(`The message type ${field.typeName} of ${field.name} is not defined.`);
      message = compileShape(found as MessageType, scope, lookUp, depth + 1);
    }
    const packable = field.label === 'LABEL_REPEATED' && wire !== LENGTH_DELIMITED;
    fields.set(field.number, { name: field.name, wire, text: field.type === 'TYPE_STRING', packable, message });
  }
  return fields;
}

/** Says what is wrong with `bytes` as a message of this shape; undefined where nothing is. */
export function checkWire(bytes: Buffer, shape: WireShape): string | undefined {
  try {
    new Walker(bytes).message(shape, bytes.length, '');
    return undefined;
  } catch (error) {
    if (error instanceof WireFault) return error.message;
    throw error;
  }
}

class WireFault extends Error {}

class Walker {
  private at = 0;

  constructor(private readonly bytes: Buffer) {}

  message(shape: WireShape, end: number, path: string): void {
    while (this.at < end) {
      const tag = this.varint(end, path);
      const number = Math.floor(tag / 8);
      const wire = tag % 8;
      if (number === 0 || tag > 0xffffffff) throw new WireFault(`${where(path)} has a field number out of range`);
      const field = shape.get(number);
      const name = field === undefined ? `${path}field ${number}` : `${path}${field.name}`;
      if (field?.packable === true && wire === LENGTH_DELIMITED) {
        this.packed(field, end, name);
        continue;
      }
      if (field !== undefined && field.wire !== wire) {
        throw new WireFault(`${name} has wire type ${wire}, expected ${field.wire}`);
      }
      this.value(wire, field, end, name);
    }
  }

  private value(wire: number, field: FieldShape | undefined, end: number, name: string): void {
    if (wire === VARINT) this.varint(end, name);
    else if (wire === FIXED64) this.skip(8, end, name);
    else if (wire === FIXED32) this.skip(4, end, name);
    else if (wire === LENGTH_DELIMITED) {
      const length = this.varint(end, name);
      const start = this.at;
      if (field?.message !== undefined && length <= end - start) {
        this.message(field.message, start + length, `${name}.`);
      } else {
        this.skip(length, end, name);
      }
      if (field?.text === true) this.text(start, this.at, name);
    } else throw new WireFault(`${name} has wire type ${wire}, which proto3 does not use`);
  }

  private packed(field: FieldShape, end: number, name: string): void {
    const length = this.varint(end, name);
    if (length > end - this.at) this.skip(length, end, name);
    for (const last = this.at + length; this.at < last;) this.value(field.wire, undefined, last, name);
  }

  private text(start: number, end: number, name: string): void {
    const text = this.bytes.subarray(start, end);
    if (!isUtf8(text)) throw new WireFault(`${name} is not valid UTF-8`);
    if (text.includes(0)) throw new WireFault(`${name} contains U+0000`);
  }

  private skip(length: number, end: number, name: string): void {
    if (length > end - this.at)
      throw new WireFault(`${name} is cut off: ${length} bytes announced, ${end - this.at} left`);
    this.at += length;
  }

  /** At most ten bytes. Exact up to 2^53, which every tag and length is far below; beyond, only the size matters. */
  private varint(end: number, name: string): number {
    let value = 0;
    let scale = 1;
    for (let count = 0; count < 10; count++) {
      if (this.at >= end) throw new WireFault(`${where(name)} is cut off inside a number`);
      const byte = this.bytes[this.at++]!;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
    throw new WireFault(`${where(name)} has a number of more than ten bytes`);
  }
}

function where(path: string): string {
  return path === '' ? 'the message' : path.replace(/\.$/, '');
}
