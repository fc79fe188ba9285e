import { decodeToken, encodeToken } from '../../src/node/token';
import { CLUSTER } from './members';

describe('the token of an answer', () => {
  test.each([0, 1, 2 ** 32, Number.MAX_SAFE_INTEGER])('names index %d and its group', (index) => {
    const token = encodeToken(CLUSTER, { group: 7, index });
    expect(token).toMatch(/^[A-Za-z0-9_-]{27}$/);
    expect(decodeToken(CLUSTER, token)).toEqual({ group: 7, index });
  });

  test('is of one cluster', () => {
    const token = encodeToken('d'.repeat(32), { group: 0, index: 1 });
    expect(decodeToken(CLUSTER, token)).toBe('the token was given by another cluster');
  });

  test.each(['', 'x', 'A'.repeat(26), 'A'.repeat(28), `${'A'.repeat(26)}!`, 'ä'.repeat(27)])('%j is none', (token) => {
    expect(decodeToken(CLUSTER, token)).toContain('not one that a node of this software gave');
  });

  test('of a later version is not understood', () => {
    const bytes = Buffer.from(encodeToken(CLUSTER, { group: 0, index: 1 }), 'base64url');
    bytes.writeUInt8(2, 0);
    expect(decodeToken(CLUSTER, bytes.toString('base64url'))).toContain('a version that this node does not know');
  });

  test('an index that no number holds is not waited for', () => {
    const bytes = Buffer.from(encodeToken(CLUSTER, { group: 0, index: 1 }), 'base64url');
    bytes.writeBigUInt64LE(2n ** 63n, 4);
    expect(decodeToken(CLUSTER, bytes.toString('base64url'))).toContain('an index that no log reaches');
  });
});
