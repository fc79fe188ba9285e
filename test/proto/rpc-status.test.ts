import { Metadata } from '@grpc/grpc-js';
import fc from 'fast-check';
import { SEED } from './seed';
import { decodeRpcStatus, encodeRpcStatus, STATUS_DETAILS_KEY, statusOf } from '../../src/proto/rpc-status';

describe('google.rpc.Status', () => {
  test('has the bytes that any reader of the public protos expects', () => {
    const bytes = encodeRpcStatus({ code: 14, message: 'no', errorInfo: { reason: 'R', domain: 'd', metadata: {} } });
    const type = 'type.googleapis.com/google.rpc.ErrorInfo';
    const info = '0a0152120164';
    const any = `0a${type.length.toString(16)}${Buffer.from(type).toString('hex')}1206${info}`;
    expect(bytes.toString('hex')).toBe(`080e12026e6f1a${(any.length / 2).toString(16)}${any}`);
  });

  test('comes back as it went', () => {
    const status = {
      code: 3,
      message: 'füñf',
      errorInfo: { reason: 'A_B', domain: 'ledger-node', metadata: { first_offset: '12', '': '' } },
      fieldViolations: [
        { field: 'record.type', description: 'must be 0' },
        { field: 'x', description: '' },
      ],
      retryAfterMs: 1_234.5,
    };
    expect(decodeRpcStatus(encodeRpcStatus(status))).toEqual(status);
  });

  test('is found in the trailers of a failed call', () => {
    const metadata = new Metadata();
    expect(statusOf({ metadata })).toBeUndefined();
    metadata.set(STATUS_DETAILS_KEY, encodeRpcStatus({ code: 5, message: 'x' }));
    expect(statusOf({ metadata })).toEqual({ code: 5, message: 'x' });
  });

  test('is undefined, not an exception, where the bytes are something else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const decoded = decodeRpcStatus(Buffer.from(bytes));
        expect(decoded === undefined || typeof decoded.code === 'number').toBe(true);
      }),
      { numRuns: 2_000, seed: SEED },
    );
  });
});
