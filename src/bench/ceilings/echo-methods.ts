import { type MethodDefinition } from '@grpc/grpc-js';

const asIs = (bytes: Buffer): Buffer => bytes;

function method(path: string, stream: boolean): MethodDefinition<Buffer, Buffer> {
  return {
    ...{ path, requestStream: stream, responseStream: stream },
    ...{ requestSerialize: asIs, requestDeserialize: asIs, responseSerialize: asIs, responseDeserialize: asIs },
  };
}

/** Bytes there and back, without any encoding: what gRPC itself costs. */
export const ECHO = { unary: method('/bench.Echo/Unary', false), stream: method('/bench.Echo/Stream', true) };
