import { UncommittedTail } from '../../../src/raft/core/uncommitted-tail';

test('bytes are counted from proposal to commit, over any number of entries', () => {
  const LAG = 5;
  const sizeOf = (index: number) => index % 7;
  const tail = new UncommittedTail(1_000_000);
  tail.reset(10);
  for (let index = 11; index <= 5_000; index++) {
    tail.add(sizeOf(index));
    tail.committedTo(index - LAG);
    let waiting = 0;
    for (let i = Math.max(11, index - LAG + 1); i <= index; i++) waiting += sizeOf(i);
    expect(tail.bytes).toBe(waiting);
  }
  tail.committedTo(9_999);
  expect(tail.bytes).toBe(0);
});

test('what was committed before this leadership releases nothing', () => {
  const tail = new UncommittedTail(10);
  tail.reset(100);
  tail.add(4);
  tail.committedTo(100);
  tail.committedTo(50);
  expect(tail.bytes).toBe(4);
});
