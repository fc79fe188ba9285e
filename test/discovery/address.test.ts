import { formatAddress, isReachable, isWildcard, parseAddress } from '../../src/discovery/address';

test.each(['127.0.0.1:8301', 'node-1.example:1', '[::1]:65535', '[fe80::1%eth0]:8301', 'localhost:0'])(
  '%s is an address and is written as it was read',
  (text) => {
    const address = parseAddress(text);
    expect(address && formatAddress(address)).toBe(text);
  },
);

test.each([
  '',
  'a',
  ':1',
  'a:',
  'a:-1',
  'a:65536',
  'a:01',
  'a:1:2',
  '::1:8301',
  '[::1]',
  '[node]:1',
  '[1.2.3.4]:1',
  'a b:1',
  '-a:1',
  'a:1\n',
  'é:1',
  `${'x'.repeat(254)}:1`,
])('%j is no address', (text) => {
  expect(parseAddress(text)).toBeUndefined();
});

test('nobody can send to a wildcard or to port 0', () => {
  expect(['0.0.0.0', '::', '0::0', '0:0:0:0:0:0:0:0'].map(isWildcard)).toEqual([true, true, true, true]);
  expect(['127.0.0.1', '::1', 'node'].map(isWildcard)).toEqual([false, false, false]);
  expect(['0.0.0.0:1', '[::]:1', 'a:0', 'a:1'].map(isReachable)).toEqual([false, false, false, true]);
});
