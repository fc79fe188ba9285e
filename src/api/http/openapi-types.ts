/** The types that the schemas of the descriptions are made of. */

export const TEXT = { type: 'string' };
export const DECIMAL = {
  type: 'string',
  pattern: '^-?\\d+(\\.\\d+)?$',
  description: "Decimal text at the ledger's scale.",
};
export const DECIMAL_OR_NULL = { type: ['string', 'null'], description: 'Decimal text; null: no limit.' };
export const OFFSET = {
  type: 'integer',
  description: 'Offset of the last record that the answer reflects; -1 before the first.',
};
export const TOKEN = { type: 'string', description: 'Opaque; makes a later read, on any node, at least this new.' };
export const MICROSECONDS = { type: 'integer', description: 'Microseconds since the Unix epoch.' };
export const MICROSECONDS_OR_NULL = {
  type: ['integer', 'null'],
  description: 'Microseconds since the Unix epoch; null: not given.',
};
export const UUID = { type: 'string', description: 'A UUID; canonical in answers: lower case with hyphens.' };
export const USER_DATA = { type: 'string', description: '64 bits without a sign, as decimal text.' };
export const METADATA = { type: 'string', contentEncoding: 'base64', description: 'At most 1 KiB.' };

export function object(properties: Readonly<Record<string, object>>, required?: readonly string[]): object {
  return { type: 'object', properties, required: required ?? Object.keys(properties) };
}

/** What a caller sends: a field that is not named here is refused. */
export function request(properties: Readonly<Record<string, object>>, required: readonly string[]): object {
  return { ...object(properties, required), additionalProperties: false };
}

export function ref(name: string): object {
  return { $ref: `#/components/schemas/${name}` };
}

export const NUMBER = { type: 'integer' };
