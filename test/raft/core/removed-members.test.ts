import { decodeConfiguration, encodeConfiguration, type Configuration } from '../../../src/raft/core';
import { configurationFault, MAX_REMOVED } from '../../../src/raft/core/configuration';
import { changedConfiguration } from '../../../src/raft/core/configuration-change';
import { configuration, id, server } from './memory-log';

function changed(from: Configuration, change: Parameters<typeof changedConfiguration>[1]): Configuration {
  const to = changedConfiguration(from, change);
  if (typeof to === 'string') throw new Error(`${change.type} was refused: ${to}`);
  return to;
}

describe('who is removed for good', () => {
  const three = configuration([1, 2, 3]);
  const two = changed(three, { type: 'remove', id: id(2), forGood: true });

  test('is no member, and is remembered through every later change, and on the disk', () => {
    expect(two).toMatchObject({ voters: [id(1), id(3)], removed: [{ id: id(2), name: server(2).name }] });
    const later: Configuration[] = [
      changed(two, { type: 'addLearner', server: server(4) }),
      changed(two, { type: 'remove', id: id(3) }),
      changed(two, { type: 'replace', old: id(3), server: server(5) }),
      changed(two, { type: 'updateServer', server: { ...server(3), rpcAddr: 'elsewhere:1' } }),
      changed(changed(two, { type: 'addLearner', server: server(4) }), { type: 'promote', id: id(4) }),
      changed(two, { type: 'setVoters', voters: [id(1)] }),
      decodeConfiguration(encodeConfiguration(two)),
    ];
    for (const one of later) expect(one.removed).toEqual(two.removed);
  });

  test('is forgotten when it is readmitted, or taken in again', () => {
    const readmitted = changed(two, { type: 'readmit', name: server(2).name });
    expect(readmitted).not.toHaveProperty('removed');
    expect(changed(two, { type: 'addLearner', server: server(2) })).not.toHaveProperty('removed');
    expect(changedConfiguration(two, { type: 'readmit', name: 'nobody' })).toBe('unchanged');
    expect(changedConfiguration(three, { type: 'readmit', name: server(2).name })).toBe('unchanged');
  });

  test('is remembered up to a bound: the oldest are forgotten', () => {
    let one = three;
    for (let n = 10; n < 10 + MAX_REMOVED + 5; n += 1) {
      one = changed(one, { type: 'addLearner', server: server(n) });
      one = changed(one, { type: 'remove', id: id(n), forGood: true });
    }
    expect(one.removed).toHaveLength(MAX_REMOVED);
    expect(one.removed!.at(-1)!.id).toBe(id(10 + MAX_REMOVED + 4));
    expect(one.removed!.some((removed) => removed.id === id(10))).toBe(false);
  });

  test('a removal that is not for good is not remembered, and is encoded as ever', () => {
    const left = changed(three, { type: 'remove', id: id(2) });
    expect(left).not.toHaveProperty('removed');
    expect(encodeConfiguration(left).toString()).not.toContain('removed');
  });

  test('a configuration that contradicts itself is refused', () => {
    const both = { ...three, removed: [{ id: id(2), name: 'x' }] };
    expect(configurationFault(both)).toContain('a member and removed at once');
    expect(() => decodeConfiguration(Buffer.from(JSON.stringify(both)))).toThrow('a member and removed at once');
    const strange = { ...three, removed: [{ id: 7, name: 'x' }] };
    expect(() => decodeConfiguration(Buffer.from(JSON.stringify(strange)))).toThrow('no node id and name');
  });
});
