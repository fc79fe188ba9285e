import {
  OptionError,
  formatAddress,
  isLoopback,
  isWildcard,
  parseAddress,
  parseDuration,
  parseDurationRange,
  parseSize,
} from '../../../src/node/config/units';

describe('durations', () => {
  test.each([
    ['0', 0],
    ['75', 75],
    ['75ms', 75],
    ['1.5s', 1_500],
    [' 10 m ', 600_000],
    ['24h', 86_400_000],
    ['7d', 604_800_000],
    ['0.4ms', 0],
  ])('%j is %d ms', (text, millis) => {
    expect(parseDuration(text)).toBe(millis);
  });

  test.each(['', 'ms', '-1s', '1 year', '1e3', '1,5s', '0x10', 'Infinity', '1s 2s', '.5s'])('%j is none', (text) => {
    expect(() => parseDuration(text)).toThrow(OptionError);
  });

  test('one that no number holds is refused', () => {
    expect(() => parseDuration('99999999999999999d')).toThrow('too long a duration');
  });

  test.each([
    ['300ms-600ms', 300, 600],
    ['300-600', 300, 600],
    ['300 – 600ms', 300, 600],
    ['1-2s', 1_000, 2_000],
    ['500ms-2s', 500, 2_000],
    ['400ms', 400, 800],
  ])('the range %j is %d to %d ms', (text, low, high) => {
    expect(parseDurationRange(text)).toEqual([low, high]);
  });

  test.each(['600-300', '300-300', '1-2-3', '-', '300-', '-300', 'soon', ''])('%j is no range', (text) => {
    expect(() => parseDurationRange(text)).toThrow(OptionError);
  });
});

describe('sizes', () => {
  test.each([
    ['1048576', 1_048_576],
    ['512B', 512],
    ['1k', 1_000],
    ['1KiB', 1_024],
    ['64 MiB', 67_108_864],
    ['1.5gib', 1_610_612_736],
    ['2GB', 2_000_000_000],
  ])('%j is %d bytes', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });

  test.each(['', 'MiB', '-1', '1TB', '1e6', '1 MiB extra', 'i', '1ib'])('%j is none', (text) => {
    expect(() => parseSize(text)).toThrow(OptionError);
  });

  test('one that no number holds is refused', () => {
    expect(() => parseSize('99999999999GiB')).toThrow('too large a size');
  });
});

describe('addresses', () => {
  test.each([
    ['127.0.0.1:8300', '127.0.0.1', 8300],
    ['node-1.example:0', 'node-1.example', 0],
    ['[::1]:65535', '::1', 65_535],
    [' localhost:80 ', 'localhost', 80],
  ])('%j has a host and a port', (text, host, port) => {
    expect(parseAddress(text)).toEqual({ host, port });
    expect(parseAddress(formatAddress({ host, port }))).toEqual({ host, port });
  });

  test.each([
    '',
    '8300',
    ':8300',
    'host:',
    'host:65536',
    'host:-1',
    '::1:8300',
    '[::1]',
    'a b:1',
    'http://host:80',
    'host:1e3',
  ])('%j is none', (text) => {
    expect(() => parseAddress(text)).toThrow('is not an address');
  });

  test.each(['0.0.0.0', '::', '0', '0.0', '0:0:0:0:0:0:0:0', '::ffff:0.0.0.0'])('%s is a wildcard', (host) => {
    expect(isWildcard(host)).toBe(true);
    expect(isLoopback(host)).toBe(false);
  });

  test.each(['127.0.0.1', '127.8.8.8', '::1', 'localhost'])('%s is loopback', (host) => {
    expect(isLoopback(host)).toBe(true);
    expect(isWildcard(host)).toBe(false);
  });

  test.each(['10.0.0.1', '128.0.0.1', 'node-1', '::2', '127.0.0.1.example.com'])('%s is neither', (host) => {
    expect(isLoopback(host)).toBe(false);
    expect(isWildcard(host)).toBe(false);
  });
});
