import { checkAccount, type AccountOperation } from './linearizability';

const add = (amount: bigint, called: number, answered: number): AccountOperation => ({
  called,
  answered,
  step: (balance) => (balance + amount < 0n ? undefined : balance + amount),
  readOnly: false,
  hint: called,
  text: `add ${amount}`,
});

const read = (value: bigint, called: number, answered: number): AccountOperation => ({
  called,
  answered,
  step: (balance) => (balance === value ? balance : undefined),
  readOnly: true,
  hint: called,
  text: `read ${value}`,
});

const kind = (...operations: AccountOperation[]) => checkAccount(operations).kind;

describe('the checker of linearizability', () => {
  test('takes what happened one after the other', () => {
    expect(kind()).toBe('linearizable');
    expect(kind(add(5n, 0, 1), read(5n, 2, 3), add(-2n, 4, 5), read(3n, 6, 7))).toBe('linearizable');
  });

  test('refuses a read that misses what was acknowledged before it began', () => {
    expect(kind(add(5n, 0, 1), read(0n, 2, 3))).toBe('impossible');
  });

  test('refuses a read that goes back behind an earlier one', () => {
    expect(kind(add(5n, 0, 9), read(5n, 1, 2), read(0n, 3, 4))).toBe('impossible');
    expect(kind(add(5n, 0, 9), read(0n, 1, 2), read(5n, 3, 4))).toBe('linearizable');
  });

  test('lets operations at the same time come in any order', () => {
    expect(kind(add(-3n, 0, 9), add(3n, 1, 8), read(3n, 2, 3), read(0n, 4, 5))).toBe('linearizable');
  });

  test('lets what was never answered happen at any later time', () => {
    expect(kind(add(5n, 0, Infinity), read(0n, 1, 2), read(0n, 3, 4), read(5n, 5, 6))).toBe('linearizable');
  });

  test('needs every operation that took effect to have had its conditions', () => {
    expect(kind(add(-1n, 0, 1), add(5n, 2, 3))).toBe('impossible');
  });

  test('says where it was stuck', () => {
    expect(checkAccount([add(5n, 0, 1), read(4n, 2, 3)])).toEqual({
      kind: 'impossible',
      stuck: ['read 4'],
      balance: 5n,
    });
  });

  test('gives up in the end, and says so', () => {
    const many = Array.from({ length: 14 }, (_, i) => add(BigInt(2 ** i), 0, 1));
    expect(checkAccount([...many, read(-1n, 2, 3)], 1_000).kind).toBe('undecided');
  });
});
