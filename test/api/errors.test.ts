import { status } from '@grpc/grpc-js';
import { Fault, faultOf, faultOfResult, HTTP_STATUS, invalid, refusalInfo } from '../../src/api/errors';
import { NodeError, type NodeErrorCode } from '../../src/api/node-port';
import { ResultCode, resultInfo, SHAPE_ERRORS, type ShapeError } from '../../src/ledger/result-codes';

const unexpected = (): never => {
  throw new Error('Nothing here is unforeseen.');
};

describe('one name for one fault on every door', () => {
  /** The table of docs/api-grpc.md: result, gRPC code, HTTP status. */
  test.each<[ResultCode, number, number]>([
    [ResultCode.ACCOUNTS_MUST_BE_DIFFERENT, status.INVALID_ARGUMENT, 400],
    [ResultCode.AMOUNT_PRECISION, status.INVALID_ARGUMENT, 400],
    [ResultCode.MALFORMED_RECORD, status.INVALID_ARGUMENT, 400],
    [ResultCode.EXISTS_WITH_DIFFERENT_AMOUNT, status.ALREADY_EXISTS, 409],
    [ResultCode.DEBIT_ACCOUNT_NOT_FOUND, status.NOT_FOUND, 422],
    [ResultCode.CREDIT_ACCOUNT_NOT_FOUND, status.NOT_FOUND, 422],
    [ResultCode.LEDGER_NOT_FOUND, status.NOT_FOUND, 422],
    [ResultCode.INSUFFICIENT_FUNDS, status.FAILED_PRECONDITION, 422],
    [ResultCode.EXCEEDS_MAX_BALANCE, status.FAILED_PRECONDITION, 422],
    [ResultCode.DEBIT_ACCOUNT_CLOSED, status.FAILED_PRECONDITION, 422],
    [ResultCode.CREDIT_ACCOUNT_CLOSED, status.FAILED_PRECONDITION, 422],
    [ResultCode.ACCOUNTS_MUST_HAVE_THE_SAME_LEDGER, status.FAILED_PRECONDITION, 422],
    [ResultCode.OVERFLOW, status.FAILED_PRECONDITION, 422],
  ])('result %i', (code, grpc, http) => {
    const fault = faultOfResult(resultInfo(code));
    expect([fault.grpcStatus, fault.httpStatus, fault.reason]).toEqual([grpc, http, ResultCode[code]]);
  });

  test('every fault of shape is the caller’s', () => {
    for (const error of Object.keys(SHAPE_ERRORS) as ShapeError[]) {
      const fault = faultOfResult(refusalInfo(error), 'field');
      expect([fault.grpcStatus, fault.httpStatus]).toEqual([status.INVALID_ARGUMENT, 400]);
      expect(fault.fieldViolations).toEqual([{ field: 'field', description: fault.message }]);
    }
  });

  test.each<[NodeErrorCode, number, boolean]>([
    ['UNAVAILABLE', 503, true],
    ['RESOURCE_EXHAUSTED', 429, true],
    ['DEADLINE_EXCEEDED', 504, false],
    ['FAILED_PRECONDITION', 422, false],
    ['INVALID_ARGUMENT', 400, false],
    ['OUT_OF_RANGE', 400, false],
    ['NOT_FOUND', 404, false],
  ])('the node’s %s is HTTP %i; waiting helps: %s', (code, http, retry) => {
    const fault = faultOf(new NodeError(code, 'WHY', 'Because.'), 'here', unexpected);
    expect([fault.grpcStatus, fault.httpStatus, fault.retryAfterMs !== undefined]).toEqual([status[code], http, retry]);
  });
});

test('the node’s refusal names the field that is to blame, where one is', () => {
  const refused = new NodeError('INVALID_ARGUMENT', 'WHY', 'Because.', { field: 'consistency.token' });
  expect(faultOf(refused, 'here', unexpected).fieldViolations).toEqual([
    { field: 'consistency.token', description: 'Because.' },
  ]);
});

test('ok is no fault', () => {
  expect(() => faultOfResult(resultInfo(ResultCode.OK))).toThrow('must not be answered as one');
});

test('what nobody foresaw is INTERNAL, says nothing of itself, and is reported', () => {
  const reported: unknown[] = [];
  const fault = faultOf(new TypeError('secret'), 'Produce', (error, where) => reported.push(error, where));
  expect([fault.code, fault.httpStatus, fault.message]).toEqual([
    'INTERNAL',
    HTTP_STATUS.INTERNAL,
    expect.not.stringContaining('secret'),
  ]);
  expect(reported).toEqual([new TypeError('secret'), 'Produce']);
});

test('a message fits a header: bounded, and without unpaired surrogates', () => {
  const fault = new Fault('NOT_FOUND', 'X', `\ud800${'x'.repeat(10_000)}`);
  expect(fault.message).toHaveLength(513);
  expect(() => encodeURI(fault.message)).not.toThrow();
  expect(invalid('f', 'X', 'why')).toMatchObject({ fieldViolations: [{ field: 'f', description: 'why' }] });
});
