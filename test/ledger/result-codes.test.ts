import {
  burnsId,
  RESULT_CODE_COUNT,
  ResultCode,
  resultCodeByName,
  resultInfo,
  resultInfoByName,
  resultName,
  SHAPE_ERRORS,
} from '../../src/ledger/result-codes';
import { publishedResultCodes } from './published-codec';

const codes = Object.values(ResultCode).filter((code): code is ResultCode => typeof code === 'number');

test('numbers and names are the published ones', () => {
  expect(Object.fromEntries(codes.map((code) => [ResultCode[code], code]))).toEqual(publishedResultCodes());
  expect(codes.length).toBe(RESULT_CODE_COUNT);
  for (const code of codes) expect(resultName(code).toUpperCase()).toBe(ResultCode[code]);
});

test('names lead back to numbers', () => {
  for (const code of codes) {
    expect(resultCodeByName(resultName(code))).toBe(code);
    expect(resultInfoByName(resultName(code))).toBe(resultInfo(code));
  }
  expect(resultCodeByName('no_such_result')).toBeUndefined();
  expect(resultInfoByName('no_such_result')).toBeUndefined();
  expect(() => resultInfo(99 as ResultCode)).toThrow(RangeError);
});

test('the contract: which refusals burn the id, and what each is on the other doors', () => {
  const table = codes.map((code) => [resultName(code), resultInfo(code).grpc, resultInfo(code).http, burnsId(code)]);
  expect(table).toEqual([
    ['ok', 'OK', 201, false],
    ['debit_account_not_found', 'NOT_FOUND', 422, true],
    ['credit_account_not_found', 'NOT_FOUND', 422, true],
    ['accounts_must_have_the_same_ledger', 'FAILED_PRECONDITION', 422, false],
    ['debit_account_closed', 'FAILED_PRECONDITION', 422, true],
    ['credit_account_closed', 'FAILED_PRECONDITION', 422, true],
    ['insufficient_funds', 'FAILED_PRECONDITION', 422, true],
    ['exceeds_max_balance', 'FAILED_PRECONDITION', 422, true],
    ['overflow', 'FAILED_PRECONDITION', 422, false],
    ...['debit_account', 'credit_account', 'amount', 'code', 'user_data', 'metadata', 'flags'].map(different),
    ['ledger_not_found', 'NOT_FOUND', 422, false],
    ...['ledger', 'limits', 'scale', 'options'].map(different),
    ['malformed_record', 'INVALID_ARGUMENT', 400, false],
    ['amount_precision', 'INVALID_ARGUMENT', 400, false],
    ['amount_must_not_be_zero', 'INVALID_ARGUMENT', 400, false],
    ['amount_too_large', 'INVALID_ARGUMENT', 400, false],
    ['accounts_must_be_different', 'INVALID_ARGUMENT', 400, false],
    ...['not_found', 'not_pending', 'has_different_accounts', 'amount_exceeded'].map(refused('pending_transfer')),
    ...['already_posted', 'already_voided', 'expired'].map(refused('pending_transfer')),
    ['linked_transfer_failed', 'FAILED_PRECONDITION', 422, false],
    ['limit_violated', 'FAILED_PRECONDITION', 422, false],
    ['id_expired', 'FAILED_PRECONDITION', 422, false],
    ['account_not_found', 'NOT_FOUND', 422, false],
    ...['not_found', 'not_posted', 'has_different_accounts', 'amount_exceeded'].map(refused('reversed_transfer')),
    ['exists', 'ALREADY_EXISTS', 409, false],
    ...['pending_id', 'reverses', 'timeout', 'effective_time', 'imported_time', 'transfers'].map(different),
    ['id_must_carry_time', 'INVALID_ARGUMENT', 400, false],
    ['imported_time_in_future', 'FAILED_PRECONDITION', 422, false],
  ]);
});

function refused(of: string): (why: string) => unknown[] {
  return (why) => [`${of}_${why}`, 'FAILED_PRECONDITION', 422, false];
}

function different(field: string): unknown[] {
  return [`exists_with_different_${field}`, 'ALREADY_EXISTS', 409, false];
}

test('faults of shape are INVALID_ARGUMENT and 400, and every name has a sentence', () => {
  for (const [name, info] of Object.entries(SHAPE_ERRORS)) {
    expect(info).toMatchObject({ name, grpc: 'INVALID_ARGUMENT', http: 400, burns: false });
    expect(info.message).not.toBe('');
    expect(resultInfoByName(name)).toBeDefined();
  }
  for (const code of codes.filter((one) => one !== ResultCode.OK))
    expect(resultInfo(code).message).toMatch(/^[A-Z].*\.$/);
});
