import { newestMembers } from '../../src/node/newest-members';
import { gossiped } from './members';

describe('newestMembers', () => {
  test('keeps one entry a disk, what was said last, whatever the order', () => {
    const old = gossiped(1, { incarnation: 5, gossipAddr: '127.0.0.1:1' });
    const moved = gossiped(1, { incarnation: 6, gossipAddr: '127.0.0.1:2' });
    const other = gossiped(2);
    expect(newestMembers([old, moved, other])).toEqual([moved, other]);
    expect(newestMembers([other, moved, old])).toEqual([other, moved]);
  });

  test('a node that failed at its new address is not alive at its old one', () => {
    const old = gossiped(1, { incarnation: 5, gossipAddr: '127.0.0.1:1' });
    const failed = gossiped(1, { incarnation: 6, gossipAddr: '127.0.0.1:2', state: 'failed' });
    expect(newestMembers([old, failed])).toEqual([failed]);
  });
});
