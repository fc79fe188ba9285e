import { join, resolve } from 'node:path';
import { loadSync, type MethodDefinition, type ServiceDefinition } from '@grpc/proto-loader';

const root = resolve(__dirname, '../..');
const loaded = loadSync(join(__dirname, 'record-codec.proto'), {
  includeDirs: [join(root, 'proto')],
  keepCase: true,
  longs: String,
  enums: Number,
  oneofs: true,
});
const service = loaded['ledger.test.RecordCodec'] as ServiceDefinition;
const echo = service['Echo'] as MethodDefinition<object, object>;

/** LogRecord as another program reads and writes it that has only the published proto. */
export const publishedCodec = {
  encode: (record: object): Buffer => echo.requestSerialize(record),
  decode: (bytes: Buffer): Record<string, unknown> => echo.responseDeserialize(bytes) as Record<string, unknown>,
};

interface EnumType {
  readonly value: readonly { readonly name: string; readonly number: number }[];
}

/** Names and numbers of the published ResultCode. */
export function publishedResultCodes(): Record<string, number> {
  const type = (loaded['ledger.v1.ResultCode'] as unknown as { type: EnumType }).type;
  return Object.fromEntries(type.value.map(({ name, number }) => [name, number]));
}
