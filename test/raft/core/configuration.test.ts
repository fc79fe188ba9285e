import { ConfigurationFormatError, decodeConfiguration, encodeConfiguration } from '../../../src/raft/core';
import { configuration, id, server } from './memory-log';

test.each([
  ['empty', configuration([])],
  ['simple', configuration([1, 2, 3])],
  ['with learners', configuration([1, 2, 3], [4, 5])],
  ['joint', configuration([1, 4], [5], [2, 3])],
])('a configuration that is %s survives encoding', (_, original) => {
  expect(decodeConfiguration(encodeConfiguration(original))).toEqual(original);
});

test('one configuration has one encoding, whatever the order it was put together in', () => {
  const tidy = configuration([1, 2, 3], [4]);
  const mixed = {
    learners: tidy.learners,
    servers: [...tidy.servers].reverse().map(({ id: i, name, rpcAddr }) => ({ rpcAddr, name, id: i })),
    votersOutgoing: [],
    voters: [id(3), id(1), id(2)],
  };
  expect(encodeConfiguration(mixed)).toEqual(encodeConfiguration(tidy));
  expect(decodeConfiguration(encodeConfiguration(mixed))).toEqual(tidy);
});

describe('bytes that are no configuration are refused with the reason', () => {
  const good = { voters: [id(1)], votersOutgoing: [], learners: [], servers: [server(1)] };
  test.each<[string, unknown, RegExp]>([
    ['null', null, /not a JSON object/],
    ['a list', [], /not a JSON object/],
    ['no voters', { ...good, voters: undefined }, /no list "voters"/],
    ['a number for an id', { ...good, learners: [7] }, /no node id/],
    ['an id in upper case', { ...good, learners: ['ABCDEF0123456789'] }, /no node id/],
    ['a server twice', { ...good, voters: [id(1), id(1)] }, /twice/],
    ['a voter that is a learner', { ...good, learners: [id(1)] }, /voter and a learner/],
    ['a member without a name', { ...good, learners: [id(2)] }, /no name and address/],
    ['a name without a member', { ...good, servers: [server(1), server(2)] }, /no member/],
    ['learners and no voter', { ...good, voters: [], learners: [id(1)] }, /no voter/],
    ['no servers', { ...good, servers: 5 }, /no list "servers"/],
    ['a server that is a word', { ...good, servers: ['x'] }, /not a JSON object/],
    ['a server without an address', { ...good, servers: [{ id: id(1), name: 'n' }] }, /no name and address/],
    ['a name without end', { ...good, servers: [{ ...server(1), name: 'n'.repeat(2000) }] }, /at most 1024/],
    ['a server without an id', { ...good, servers: [{ ...server(1), id: 1 }] }, /no node id/],
    [
      'too many members',
      {
        ...good,
        voters: Array.from({ length: 65 }, (_, n) => id(n + 1)),
        servers: Array.from({ length: 65 }, (_, n) => server(n + 1)),
      },
      /at most 64/,
    ],
  ])('%s', (_, value, reason) => {
    const decode = () => decodeConfiguration(Buffer.from(JSON.stringify(value)));
    expect(decode).toThrow(ConfigurationFormatError);
    expect(decode).toThrow(reason);
  });

  test('what is not JSON at all', () => {
    expect(() => decodeConfiguration(Buffer.from([0xff, 0, 1]))).toThrow(ConfigurationFormatError);
  });
});
